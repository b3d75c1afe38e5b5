"""Uploads as ordinary clients make them: what stands in the store behind 226, and how the session reads."""

from __future__ import annotations

import errno
import ftplib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError
from gateway_server.model import Outcome
from gateway_server.store.records import FileState
from gateway_server.transports.ftp import drop
from gateway_server.transports.ftp.terms import SharedAccount, Terms, network_of
from tests.transports.ftp.hall import HASH, PASSWORD, hall, upload

TERMS = Terms("drop")


def test_uploaded_file_is_in_the_store_when_the_client_hears_226(tmp_path: Path) -> None:
    content = bytes(range(256)) * 16
    with hall(tmp_path) as place:
        client = place.client()
        assert upload(client, "day.dat", content) == "226 Stored."
        (file,) = place.files()
        assert (file.meter, file.login, file.name, file.size) == ("41203377", "m1", "day.dat", 4096)
        assert file.state is FileState.STORED
        assert place.content(file) == content
        (session,) = place.sessions()
        assert (session.meter, session.transport, session.outcome) == ("41203377", "ftp", Outcome.READ)
        assert session.bytes_received == 4096
        dialogue = place.dialogue(session.id)
        passive = [line for line in dialogue if line.startswith("ftp< 227 Entering passive mode (127,0,0,1,")]
        begins = [line for line in dialogue if line in ("ftp< 125 Ready for the file.", "ftp< 150 Ready for the file.")]
        assert dialogue == [
            "ftp< 220 ready",
            "ftp> USER m1",
            "ftp< 331 Send the password.",
            "ftp> PASS ********",
            "ftp< 230 Logged in.",
            "ftp> TYPE I",
            "ftp< 200 Type is I.",
            "ftp> PASV",
            *passive,
            "ftp> STOR day.dat",
            *begins,
            "<4096",
            "ftp< 226 Stored.",
        ]
        meter = place.ask(lambda store: store.meter("41203377"))
        assert meter is not None
        assert meter.last_contact_ms == session.ended_ms
        assert client.quit() == "221 Goodbye."
        assert place.until(lambda: place.stored) == [file.id]


def test_thousand_idle_connections_keep_nobody_from_uploading(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, connections=1100, connections_per_address=1100)) as place:
        idle = [place.raw() for _ in range(1000)]
        assert all(client.reply() == "220 ready" for client in idle)
        assert upload(place.client(), "day.dat", b"x") == "226 Stored."
        assert idle[999].say("NOOP") == "200 OK."


def test_connections_over_the_limit_are_refused_with_421(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    terms = (replace(TERMS, connections=2), replace(TERMS, name="other", connections_per_address=1))
    with hall(tmp_path, *terms) as place:
        for (_, port), most in zip(place.places, (2, 1), strict=True):
            taken = [place.raw(port) for _ in range(most)]
            assert [client.reply() for client in taken] == ["220 ready"] * most
            refused = place.raw(port)
            assert refused.reply() == "421 Not now. Try again later."
            assert refused.reply() == ""
            taken[0].hang_up()
            place.until(lambda port=port: place.raw(port).reply() == "220 ready")  # type: ignore[misc]  # a default binds it
    assert "all 2 connections are taken (connections)" in caplog.text
    assert "the address has 1 connections already (connections_per_address)" in caplog.text


def test_only_the_operators_networks_may_connect(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, networks=(network_of("10.0.0.0/8"),))) as place:
        assert place.raw().reply() == "421 Not now. Try again later."


def test_client_without_a_word_is_sent_away(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, login_timeout=0.2), Terms("other", idle_timeout=0.3)) as place:
        client = place.raw()
        assert client.reply() == "220 ready"
        assert client.reply() == "421 Nothing was said for too long."
        assert client.reply() == ""
        known = place.raw(place.places[1][1])
        known.send(f"USER m1\r\nPASS {PASSWORD}\r\n".encode())
        assert [known.reply()[:3] for _ in range(3)] == ["220", "331", "230"]
        assert known.reply() == "421 Nothing was said for too long."
        (session,) = place.ended()
        assert (session.outcome, session.detail) == (Outcome.REFUSED, "nobody logged in")


def test_port_that_is_taken_is_told_by_the_listeners_name(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        drop = place.drop
        with pytest.raises(OperatorError, match=rf'ftp "again": 127\.0\.0\.1:{place.port} cannot be opened: .* in use'):
            drop.listen(Terms("again", port=place.port))


def test_address_of_another_machine_is_told_as_such(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        drop = place.drop
        with pytest.raises(OperatorError, match=r'ftp "far": 192\.0\.2\.1:2121 .* this machine has no such address'):
            drop.listen(Terms("far", "192.0.2.1", 2121))


def test_meter_with_the_login_of_a_shared_account_is_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SharedAccount("m1", HASH), SharedAccount("bpek", HASH)))) as place:
        place.until(lambda: caplog.records)
        place.logged_in().upload("STOR a", b"1")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("meter 41203377 has the route ftp:m1, but that is an account that meters")


def test_listener_takes_a_burst_of_connections(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        clients = [place.raw() for _ in range(200)]
        for client in clients:
            client.send(b"USER m1\r\nPASS correct horse\r\nQUIT\r\n")
        for client in clients:
            assert [client.reply()[:3] for _ in range(5)] == ["220", "331", "230", "221", ""]


def test_drop_listens_on_ipv6_too(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with hall(tmp_path, replace(TERMS, host="::1")) as place:
        client = ftplib.FTP(timeout=60)
        place.clients.append(client)
        client.connect("::1", place.port)
        client.login("m1", PASSWORD)
        assert upload(client, "day.dat", b"x") == "226 Stored."
        with pytest.raises(ftplib.error_perm, match="PASV"):
            client.sendcmd("PASV")


def test_listener_rests_when_no_descriptor_is_free_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(drop, "_FULL_SECONDS", 0.1)
    with hall(tmp_path) as place:
        listener = place.drop._listeners[0]
        accept = socket.socket.accept
        refusals = [OSError(errno.EMFILE, "Too many open files")] * 3

        def full(this: socket.socket) -> object:
            if this is listener.socket and refusals:
                raise refusals.pop()
            return accept(this)

        monkeypatch.setattr(socket.socket, "accept", full)
        assert place.raw().reply() == "220 ready"
    assert caplog.text.count("a connection could not be taken in") == 3
