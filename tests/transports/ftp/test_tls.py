"""Encrypted uploads beside those in clear, with a certificate made here."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.store.file_records import FileState
from gateway_server.transports.ftp.terms import Terms
from tests.transports.certificates import certificate
from tests.transports.ftp.hall import PASSWORD, PATIENCE, Hall, hall, reset, upload


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def encrypted(place: Hall) -> ftplib.FTP_TLS:
    client = ftplib.FTP_TLS(context=trusting(), timeout=PATIENCE)
    place.clients.append(client)
    client.connect("127.0.0.1", place.port)
    client.login("m1", PASSWORD)
    return client


def test_encrypted_and_clear_uploads_share_a_port(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        client = encrypted(place)
        client.prot_p()
        assert client.storbinary("STOR private", io.BytesIO(content)) == "226 Stored."
        assert client.nlst() == ["private"]
        client.prot_c()
        assert client.storbinary("STOR half", io.BytesIO(content[:100])) == "226 Stored."
        assert client.quit() == "221 Goodbye."
        assert upload(place.client(), "clear", content[:50]) == "226 Stored."
        assert {file.name: place.content(file) for file in place.files()} == {
            "private": content, "half": content[:100], "clear": content[:50],
        }  # fmt: skip


def cut(place: Hall, end: Callable[[socket.socket], None]) -> str:
    """An upload whose data connection ends below TLS; the server's word on it."""
    client = encrypted(place)
    client.prot_p()
    before = len(place.sessions())
    data = client.transfercmd("STOR day.dat")
    data.sendall(b"x" * 1000)
    place.until(lambda: place.sessions()[before:])  # the bytes have come: a reset would take them away with it
    end(socket.socket(fileno=data.detach()))
    return client.getmultiline()


def test_encrypted_file_that_ends_without_goodbye_is_incomplete(tmp_path: Path) -> None:
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        assert cut(place, socket.socket.close) == (
            "426 Transfer aborted: the encrypted data connection broke off: it ended without TLS's goodbye."
        )
        assert cut(place, reset).startswith("426 Transfer aborted: the encrypted data connection broke off: ")
        files = place.until(lambda: [one for one in place.files() if one.sha256][1:] and place.files())
        assert [(file.state, file.size) for file in files] == [(FileState.INCOMPLETE, 1000)] * 2


def test_units_that_never_say_goodbye_can_be_let_off_but_a_reset_is_a_loss(tmp_path: Path) -> None:
    with hall(tmp_path, Terms("drop", tls=replace(certificate(tmp_path), goodbye=False))) as place:
        assert cut(place, socket.socket.close) == "226 Stored."
        assert cut(place, reset).startswith("426 Transfer aborted: the encrypted data connection broke off: ")
        assert [file.size for file in place.files("stored")] == [1000]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_that_closes_without_reading_anything_loses_nothing(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """What lftp does. Anything unread in its connection would make its close a reset, and the rest of its file void."""
    content = bytes(range(256)) * 1000  # more than the server's kernel takes at once, less than the client's
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        client = encrypted(place)
        client.prot_p()
        client.voidcmd("TYPE I")
        host, port = client.makepasv()
        client.putcmd("STOR day.dat")
        line = socket.create_connection((host, port), PATIENCE)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        assert client.getresp()[:3] in ("125", "150")
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = trusting()
        context.maximum_version = version
        tls = context.wrap_bio(heard, said)
        while not shaken(tls):
            line.sendall(said.read())
            heard.write(line.recv(65536))
        place.drop.hold()
        tls.write(content)
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        line.sendall(said.read())
        line.close()
        place.drop.go_on()
        assert client.voidresp() == "226 Stored."
        assert [place.content(file) for file in place.files()] == [content]


def shaken(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def test_clear_connections_can_be_refused(tmp_path: Path) -> None:
    tls = replace(certificate(tmp_path), required=True)
    with hall(tmp_path, Terms("drop", tls=tls)) as place:
        client = place.raw()
        client.reply()
        assert client.say("USER m1") == "530 Encrypt first: AUTH TLS."
        assert client.say("PROT P") == "503 AUTH TLS first."
        assert client.say("AUTH KERBEROS") == "504 AUTH TLS is what there is."
        secure = encrypted(place)
        with pytest.raises(ftplib.error_perm, match="522 Encrypt data connections: PROT P"):
            upload(secure, "a", b"x")
        secure.prot_p()
        assert upload(secure, "a", b"x") == "226 Stored."


def test_commands_put_behind_auth_in_clear_are_not_obeyed(tmp_path: Path) -> None:
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        client = place.raw()
        client.reply()
        client.send(b"AUTH TLS\r\nUSER m1\r\nPASS correct horse\r\n")
        assert client.reply() == "234 Go on with TLS."
        with trusting().wrap_socket(client.socket) as secure:
            secure.sendall(b"PWD\r\n")
            assert secure.recv(100) == b"530 Log in with USER and PASS first.\r\n"


def test_client_that_speaks_no_tls_after_auth_loses_only_its_own_connection(tmp_path: Path) -> None:
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        client = place.raw()
        client.reply()
        assert client.say("AUTH TLS").startswith("234")
        client.send(b"USER m1\r\n" * 10)
        with suppress(ConnectionError):
            while client.socket.recv(100):
                pass
        assert upload(place.client(), "a", b"x") == "226 Stored."


@pytest.mark.parametrize("command", ["NLST", "STOR day.dat"])
def test_data_connection_on_which_no_tls_is_spoken_is_426(tmp_path: Path, command: str) -> None:
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        client = encrypted(place)
        client.prot_p()
        with socket.create_connection(client.makepasv(), PATIENCE) as data:
            assert client.sendcmd(command)[:3] in ("125", "150")
            data.sendall(b"in clear\r\n")
            with pytest.raises(ftplib.error_temp, match=r"426 .*TLS was not agreed on: "):
                client.voidresp()
        assert client.sendcmd("NOOP") == "200 OK."
        assert place.files() == []
