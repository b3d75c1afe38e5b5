"""Logging in, and what is no command: wrong passwords, tricks with paths, bytes of any kind."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.model import MeterState, Outcome
from gateway_server.transports.ftp.commands import COMMANDS, MOST_TRIES
from gateway_server.transports.ftp.conversation import Conversation
from gateway_server.transports.ftp.terms import Terms
from gateway_server.transports.ftp.tls import TlsConversation
from tests.transports.ftp.hall import PASSWORD, Hall, RawClient, hall

TERMS = Terms("drop", failed_login_delay=0.01)


def greeted(place: Hall) -> RawClient:
    client = place.raw()
    assert client.reply() == "220 ready"
    return client


def logs_in(client: RawClient, login: str, password: str) -> str:
    assert client.say(f"USER {login}") == "331 Send the password."
    return client.say(f"PASS {password}")


def test_every_command_is_answered_by_something() -> None:
    for kind in (Conversation, TlsConversation):
        assert all(callable(getattr(kind, f"ftp_{verb}")) for verb in kind.commands)


@pytest.mark.parametrize(
    ("login", "password", "why"),
    [
        ("m1", "wrong", "wrong password"),
        ("nobody", PASSWORD, "no meter has the route ftp:nobody"),
        ("m1", "", "wrong password"),
    ],
)
def test_wrong_password_is_refused_logged_and_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, login: str, password: str, why: str
) -> None:
    with hall(tmp_path, TERMS) as place:
        client = greeted(place)
        assert logs_in(client, login, password) == "530 Login incorrect."
        client.hang_up()
        (session,) = place.ended()
        assert (session.outcome, session.detail, session.caller) == (Outcome.REFUSED, f"login failed: {why}", login)
        assert place.dialogue(session.id)[-3:] == [
            "ftp< 331 Send the password.", "ftp> PASS ********", "ftp< 530 Login incorrect.",
        ]  # fmt: skip
    assert any(f"'{login}': login failed: {why}" in record.getMessage() for record in caplog.records)


def test_meter_that_is_switched_off_cannot_log_in(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        place.ask(lambda store: store.set_meter_state("41203377", MeterState.DISABLED))
        assert logs_in(greeted(place), "m1", PASSWORD) == "530 Login incorrect."


def test_connection_ends_after_three_wrong_passwords(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = greeted(place)
        replies = [logs_in(client, "m1", "wrong") for _ in range(MOST_TRIES)]
        assert replies == ["530 Login incorrect."] * 3
        assert client.reply() == ""


def test_login_is_shut_out_from_an_address_after_wrong_passwords_and_others_are_not(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, failed_logins=2)) as place:
        for _ in range(2):
            assert logs_in(greeted(place), "m1", "wrong") == "530 Login incorrect."
        assert logs_in(greeted(place), "m1", PASSWORD) == "530 Login incorrect."
        assert logs_in(greeted(place), "m2", PASSWORD) == "230 Logged in."


def test_address_is_shut_out_after_many_wrong_passwords(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, failed_logins_per_address=3)) as place:
        for number in range(3):
            assert logs_in(greeted(place), f"guess{number}", "wrong") == "530 Login incorrect."
        client = place.raw()
        assert client.reply() == "421 Not now. Try again later."
        assert client.reply() == ""


def test_delay_of_a_wrong_password_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, failed_login_delay=3600.0)) as place:
        client = greeted(place)
        client.send(b"USER m1\r\nPASS wrong\r\n")
        assert client.reply() == "331 Send the password."
        other = place.logged_in("m2")
        assert other.upload("STOR day.dat", b"x") == "226 Stored."
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.reply()


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("STOR ../../etc/passwd", "553 This path leaves your folder."),
        ("STOR ..\\..\\autoexec.bat", "553 This path leaves your folder."),
        ("CWD ..", "553 This path leaves your folder."),
        ("STOR /", "553 This names a folder."),
        ("STOR a\x01b", "553 A name holds no control characters."),
        ("STOR a\x00b", "501 An argument holds no NUL."),
        ("STOR " + "a" * 256, "553 A name has at most 255 bytes."),
        ("STOR " + "a/" * 17 + "b", "553 Folders are at most 16 deep."),
        ("STOR " + "a/" * 600, "553 A path has at most 1024 bytes."),
        ("STOR", "501 An argument is missing."),
        ("CDUP x", "501 No argument is expected."),
        ("DELE day.dat", "550 Nothing is removed here."),
        ("RNFR day.dat", "550 Nothing is renamed here but what was stored over this connection."),
        ("RNTO day.dat", "503 Send RNFR first."),
        ("RMD x", "550 Nothing is removed here."),
        ("SITE CHMOD 777 x", "550 There are no SITE commands here."),
        ("MFMT 20260101000000 x", "550 No time is changed here."),
        ("RETR day.dat", "550 Nothing is read back here."),
        ("STOR day.dat", "425 Use PASV or PORT first."),
        ("BLAH", "500 This command is not understood."),
        ("AUTH TLS", "500 This command is not understood."),
        ("x" * 5000, "500 A command has at most 4096 bytes."),
        ("MODE C", "504 Unimplemented MODE type."),
        ("STRU R", "504 Unimplemented STRU type."),
        ("TYPE E", "504 There is no TYPE E here; TYPE I or TYPE A."),
        ("TYPE A C", "504 There is no TYPE A C here; TYPE I or TYPE A."),
        ("TYPE L 9", "504 There is no TYPE L 9 here; TYPE I or TYPE A."),
        ("TYPE X", "501 TYPE I or TYPE A."),
        ("PORT 1,2,3", "501 Invalid PORT format."),
        ("USER", "501 An argument is missing."),
        ("PASS x", "503 Logged in already."),
    ],
)
def test_what_cannot_be_done_is_said_and_the_connection_goes_on(tmp_path: Path, command: str, reply: str) -> None:
    with hall(tmp_path, TERMS) as place:
        client = place.logged_in()
        assert client.say(command) == reply
        assert client.say("NOOP") == "200 OK."
        assert place.files() == []


def test_nothing_but_logging_in_is_done_before_it(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = greeted(place)
        for verb, command in COMMANDS.items():
            if command.login:
                assert client.say(f"{verb} x" if command.argument else verb) == "530 Log in with USER and PASS first."
        assert client.say("PASS x") == "503 Send USER first."
        assert client.say("DELE x") == "500 This command is not understood."


def test_login_that_is_no_utf8_is_refused_as_any_other_and_kept_readable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with hall(tmp_path, replace(TERMS, failed_login_delay=0.0)) as place:
        client = place.raw()
        client.reply()
        client.send("USER Счётчик\r\n".encode("cp1251"))
        assert client.reply() == "331 Send the password."
        client.send(b"PASS \xff\xfe\r\n")
        assert client.reply() == "530 Login incorrect."
        client.hang_up()
        (session,) = place.ended()
        assert session.caller == "Счётчик"
        assert session.detail == "login failed: no meter has the route ftp:Счётчик"
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


def test_names_keep_their_bytes_whatever_their_encoding(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = place.logged_in()
        for raw in ("сутки.dat".encode(), "сутки.dat".encode("cp1251")):
            client.passive().close()
            client.send(b"STOR " + raw + b"\r\n")
            assert client.reply()[:3] in ("125", "150")
            assert client.reply() == "226 Stored."
        first, second = place.files()
        assert (first.name, first.raw_name) == ("сутки.dat", b"")
        assert (second.name, second.raw_name) == ("сутки.dat", "сутки.dat".encode("cp1251"))


def test_lines_end_as_clients_will(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = place.logged_in()
        client.send(b"NOOP\nNOOP\rNOOP\r\r\n\r\nno")
        client.send(b"op\n")
        assert [client.reply() for _ in range(4)] == ["200 OK."] * 4


def test_client_that_makes_no_sense_is_sent_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hall(tmp_path, TERMS) as place, caplog.at_level(logging.WARNING):
        client = greeted(place)
        replies = [client.say("\x7f\x80 GET / HTTP/1.1") for _ in range(100)]
        assert all(reply.startswith("500") for reply in replies)
        assert client.reply().startswith("421")
        assert client.reply() == ""
        (session,) = place.ended()
        assert session.outcome is Outcome.REFUSED
    assert "too many commands that cannot be followed" in caplog.text


def test_client_that_sends_ahead_without_end_is_sent_away(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = place.logged_in()
        client.begin("STOR a")
        client.send(b"PWD\r\n" * 100)
        assert client.reply() == "421 Too many commands were sent ahead."


def test_another_login_begins_anew(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS) as place:
        client = place.logged_in()
        assert client.say("CWD x") == '250 "/x" is the current folder.'
        assert logs_in(client, "m2", PASSWORD) == "230 Logged in."
        assert client.say("PWD") == '257 "/" is the current folder.'
        assert client.say("REIN") == "220 Ready for a new user."
        assert client.say("PWD").startswith("530")
