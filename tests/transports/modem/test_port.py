"""Where a modem hangs, and what a serial server says in its place."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from gateway_server.transports.modem.port import ServerWords, remote_port


def test_port_is_local_or_a_serial_servers() -> None:
    assert remote_port("/dev/ttyUSB0") is None
    assert remote_port("socket://10.0.0.5:4001") == ("socket", "10.0.0.5", 4001)
    assert remote_port("rfc2217://[fd00::5]:7") == ("rfc2217", "fd00::5", 7)


@pytest.mark.parametrize(
    "text", ["socket://10.0.0.5", "rfc2217://:1", "socket://a:70000", "http://a:1", "socket://a:0"]
)
def test_what_is_no_port_is_refused_in_words(text: str) -> None:
    with pytest.raises(OperatorError, match="socket://HOST:PORT"):
        remote_port(text)


# As ser2net 4.3.11 says them.
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"Port already in use\r\n", "another program has the port"),
        (b"Device open failure: Connection refused\r\n", "cannot open the modem's port"),
        (b"\r\nOK\r\n", ""),
        (b"", ""),
    ],
)
def test_servers_own_words_are_recognised(said: bytes, why: str) -> None:
    words = ServerWords()
    answers = [words.heard(bytes((byte,))) for byte in said]
    assert why in (answers[-1] if answers else "")
    assert any(answers) is bool(why)
