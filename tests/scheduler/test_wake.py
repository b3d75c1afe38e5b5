"""The socket beside the store."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from gateway_server.errors import OperatorError
from gateway_server.scheduler.wake import WAKE, WakeProtocol, _own_folder, socket_path, wake


def test_socket_lies_beside_the_store() -> None:
    assert socket_path(Path("/var/lib/gateway/gateway.db")) == Path("/var/lib/gateway/gateway.db.socket")


def test_socket_of_a_store_deep_down_lies_in_a_folder_of_our_own() -> None:
    deep = Path("/") / ("x" * 90) / "gateway.db"
    path = socket_path(deep)
    assert len(str(path)) <= 100
    assert path.is_relative_to(tempfile.gettempdir())
    assert path != socket_path(deep.with_name("other.db"))


def test_nobody_is_awake_where_no_gateway_runs(tmp_path: Path) -> None:
    assert not wake(tmp_path / "gateway.db")


def woken_by(*pieces: bytes) -> tuple[int, bytes, bool]:
    calls: list[None] = []
    protocol: Any = WakeProtocol(lambda: calls.append(None))
    transport: Any = StringTransport()
    protocol.makeConnection(transport)
    for piece in pieces:
        protocol.dataReceived(piece)
    return len(calls), transport.io.getvalue(), transport.disconnecting


def test_gateway_is_woken_and_says_so() -> None:
    calls, said, over = woken_by(WAKE[:2], WAKE[2:])
    assert calls == 1
    assert said.startswith(b"awake ")
    assert over


def test_stranger_on_the_socket_wakes_nobody() -> None:
    assert woken_by(b"GET / HTTP/1.1\r\n") == (0, b"", True)


def test_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    _own_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    _own_folder(folder)
    folder.chmod(0o777)
    with pytest.raises(OperatorError, match="of ours alone"):
        _own_folder(folder)
