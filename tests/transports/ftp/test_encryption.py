"""What connections are encrypted with, and that nothing is sent which nobody reads."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway_server.errors import OperatorError
from gateway_server.transports.ftp.encryption import VERSIONS, tls_context
from tests.transports.certificates import certificate


@pytest.mark.parametrize("version", list(VERSIONS))
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_server_sends_nothing_behind_the_handshake(tmp_path: Path, version: str) -> None:
    """A ticket there, unread when the client closes, would turn its FIN into a reset."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    trusting.set_ciphers("DEFAULT:@SECLEVEL=0")  # an old client asks nobody
    trusting.minimum_version = trusting.maximum_version = VERSIONS[version]
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    context = tls_context(replace(certificate(tmp_path), oldest=version))
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for one in (client, server, client, server, client):
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == server.version() == f"TLSv{version.removesuffix('.0')}"
    assert to_client.pending == 0
    client.write(b"all of it")
    with pytest.raises(ssl.SSLWantReadError):
        client.unwrap()
    assert server.read(100) == b"all of it"
    assert server.read(100) == b""
    assert to_client.pending == 0


def test_end_without_goodbye_is_no_goodbye(tmp_path: Path) -> None:
    assert not tls_context(certificate(tmp_path)).options & ssl.OP_IGNORE_UNEXPECTED_EOF


@pytest.mark.parametrize(("oldest", "least"), [("1.0", 0x0301), ("1.1", 0x0302), ("1.2", 0x0303), ("1.3", 0x0304)])
def test_oldest_version_is_the_operators(tmp_path: Path, oldest: str, least: int) -> None:
    context = tls_context(replace(certificate(tmp_path), oldest=oldest))
    assert context.minimum_version == least
    assert context.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED


def test_files_that_do_not_fit_are_told_by_name(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with pytest.raises(OperatorError, match=r"gone\.crt: there is no such file"):
        tls_context(replace(files, certificate=tmp_path / "gone.crt"))
    with pytest.raises(OperatorError, match="are not a certificate and its key"):
        tls_context(replace(files, key=files.certificate))


def test_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(OperatorError, match="needs a password: store it without one"):
        tls_context(files)
