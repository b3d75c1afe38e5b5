"""Encrypted uploads beside those in clear, with a certificate made here."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.store.records import FileState
from gateway_server.transports.ftp.terms import Terms
from tests.transports.certificates import certificate
from tests.transports.ftp.hall import PASSWORD, Hall, hall, reset, upload


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def encrypted(place: Hall) -> ftplib.FTP_TLS:
    client = ftplib.FTP_TLS(context=trusting(), timeout=10)
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


def test_encrypted_file_that_ends_without_goodbye_is_incomplete(tmp_path: Path) -> None:
    with hall(tmp_path, Terms("drop", tls=certificate(tmp_path))) as place:
        for end in (socket.socket.close, reset):
            client = encrypted(place)
            client.prot_p()
            data = client.transfercmd("STOR day.dat")
            data.sendall(b"x" * 1000)
            place.until(lambda: [one for one in place.sessions() if one.ended_ms is None])
            plain = socket.socket(fileno=data.detach())
            end(plain)
            with pytest.raises(
                ftplib.error_temp, match="426 Transfer aborted: the encrypted data connection broke off"
            ):
                client.voidresp()
        files = place.until(lambda: [one for one in place.files() if one.sha256][1:] and place.files())
        assert [(file.state, file.size) for file in files] == [(FileState.INCOMPLETE, 1000)] * 2


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
