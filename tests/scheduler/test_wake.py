"""The socket beside the store."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock, StringTransport

from gateway_server.errors import OperatorError
from gateway_server.scheduler.wake import LOCK, WAKE, WakeProtocol, _own_folder, listen_for_wakes, socket_path, wake


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


class LockedReactor(MemoryReactorClock):
    """Whose sockets can be had when their lock is not there, or its process has ended."""

    def __init__(self, ends_after: float = 1e9) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.ends_after = ends_after

    def listenUNIX(self, address: str, *arguments: Any, **options: Any) -> Any:
        if os.path.lexists(address + LOCK) and self.seconds() < self.ends_after:
            raise CannotListenError(None, address, "Cannot acquire lock")
        if not os.path.lexists(address + LOCK) and os.path.lexists(address):
            raise CannotListenError(None, address, "Address already in use")
        return super().listenUNIX(address, *arguments, **options)  # type: ignore[no-untyped-call]  # Twisted's


def opened(reactor: LockedReactor, store: Path) -> Deferred[Any]:
    return Deferred.fromCoroutine(listen_for_wakes(reactor, store, lambda: None))


def is_open(port: Deferred[Any]) -> bool:
    return bool(port.called)


def locked(folder: Path, holder: str, *, nobody_listens: bool = True) -> Path:
    store = folder / "gateway.db"
    if nobody_listens:
        socket_path(store).touch()  # to connect to it is refused, as to a dead socket
    os.symlink(holder, f"{socket_path(store)}{LOCK}")
    return store


def test_killed_gateway_that_still_ends_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reactor = LockedReactor(ends_after=2)
    port = opened(reactor, locked(tmp_path, "1"))
    assert not is_open(port)
    reactor.pump([0.25] * 10)
    assert is_open(port)
    assert len(reactor.unixServers) == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_gateway_that_holds_its_lock_on_is_not_thrown_out(tmp_path: Path) -> None:
    reactor = LockedReactor()
    port = opened(reactor, locked(tmp_path, "1", nobody_listens=False))
    reactor.pump([0.25] * 19)
    assert not is_open(port)
    reactor.pump([0.25] * 3)
    failed: list[Any] = []
    port.addErrback(failed.append)
    said = str(failed[0].value)
    assert "another gateway runs on the store" in said
    assert "(process 1); a store has one gateway" in said
    assert "add yours to its configuration" in said
    assert reactor.unixServers == []


def test_lock_whose_process_number_is_another_programs_by_now_is_taken_over(tmp_path: Path) -> None:
    reactor = LockedReactor()
    port = opened(reactor, locked(tmp_path, "1"))
    reactor.pump([0.25] * 19)
    assert not is_open(port)
    reactor.pump([0.25] * 3)
    assert is_open(port)
    assert len(reactor.unixServers) == 1


def test_lock_of_a_gateway_that_ended_and_was_not_fetched_by_its_parent_holds_nobody_up(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        reactor = LockedReactor()
        port = opened(reactor, locked(tmp_path, str(ended.pid)))
        reactor.pump([0.25])
        assert is_open(port)


def test_lock_that_bears_our_own_process_number_keeps_a_container_waiting_for_a_moment_only(tmp_path: Path) -> None:
    reactor = LockedReactor()
    port = opened(reactor, locked(tmp_path, str(os.getpid())))
    reactor.pump([0.25])
    assert is_open(port)
    assert len(reactor.unixServers) == 1
