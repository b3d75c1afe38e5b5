"""The control connection itself: lines, replies and what one bad client can cost."""

from __future__ import annotations

import socket
from pathlib import Path

from gateway_server.transports.ftp.control import MOST_LINE
from tests.transports.ftp.hall import hall


def test_line_cut_anywhere_is_one_command(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"CWD data\r\n":
            client.send(bytes([byte]))
        assert client.reply() == '250 "/data" is the current folder.'


def test_line_without_end_is_dropped_and_what_follows_is_heard(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        client.send(b"A" * (3 * MOST_LINE))
        assert client.reply() == "500 A command has at most 4096 bytes."
        client.send(b"AAA\r\nNOOP\r\n")
        assert client.reply() == "200 OK."


def test_client_that_reads_no_replies_costs_a_bounded_amount(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        client.socket.settimeout(10)
        try:
            for _ in range(200_000):
                client.send(b"HELP\r\n" * 10)
        except OSError:
            return
        raise AssertionError("nobody ended it")


def test_passwords_stand_in_no_log(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.raw()
        client.reply()
        client.say("PASScorrect horse")
        client.say("ACCT correct horse")
        client.say("USER m1")
        client.say("correct horse")  # on a line of its own, because it was asked for
        assert client.say("pass correct horse") == "230 Logged in."
        client.upload("STOR day.dat", b"x")
        (session,) = place.ended()
        assert "ftp> pass ********" in place.dialogue(session.id)
        assert "horse" not in "\n".join(place.dialogue(session.id)).lower()


def test_blanks_and_controls_before_a_command_change_nothing_and_betray_nothing(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.raw()
        client.reply()
        for before in (b" ", b"\0", b"\t\xff\xf4"):
            client.send(before + b"USER m1\r\n" + before + b"PASS correct horse\r\n")
            assert client.reply() == "331 Send the password."
            assert client.reply() == "230 Logged in."
        client.send(b" TYPE I\r\n")
        assert client.reply().startswith("200")
        client.upload("STOR day.dat", b"x")
        (session,) = place.ended()
        said = place.dialogue(session.id)
        assert said.count("ftp> PASS ********") == 3
        assert "horse" not in "\n".join(said)


def test_lines_of_the_dialogue_keep_their_times(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        place.passes(3_000)
        client.upload("STOR day.dat", b"x")
        (session,) = place.ended()
        first, *_, last = place.ask(lambda store: list(store.session_log(session.id)))
        assert first.data.startswith(b"ftp< 220 ready")
        assert b"STOR" not in first.data
        assert 3_000 <= last.at_ms - first.at_ms < 3_200
        assert session.started_ms == first.at_ms


def test_conversation_goes_on_in_the_next_session(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        client.upload("STOR a", b"a")
        client.upload("STOR b", b"b")
        first, second = place.ended()
        assert place.dialogue(first.id)[0] == "ftp< 220 ready"
        assert place.dialogue(second.id)[0] == "ftp> PASV"


def test_client_that_only_looks_leaves_no_session(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say("QUIT") == "221 Goodbye."
        assert client.reply() == ""
        assert place.sessions() == []
