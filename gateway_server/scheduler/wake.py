"""A socket beside the store: by it the command line sees that a gateway runs, and tells it that there is work."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from gateway_server.errors import OperatorError
from gateway_server.store.owner import runs

logger = logging.getLogger(__name__)

SUFFIX = ".socket"
LOCK = ".lock"
WAKE = b"wake\n"
_LONGEST_PATH = 100
_ANSWER_SECONDS = 2.0
_DYING_SECONDS = 5.0
_AGAIN_SECONDS = 0.25


def socket_path(store: Path) -> Path:
    """Where the socket of a store's gateway is: beside it, or in a folder of our own where that path is too long."""
    store = Path(store).absolute()
    beside = store.with_name(store.name + SUFFIX)
    if len(os.fsencode(beside)) <= _LONGEST_PATH:
        return beside
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"gateway-server-{os.getuid()}" / f"{name}{SUFFIX}"


def wake(store: Path) -> bool:
    """Tells the gateway that runs on this store to look for work. False when none runs."""
    path = socket_path(store)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_SECONDS)
        try:
            line.connect(os.fsencode(path))
            line.sendall(WAKE)
            return line.recv(64).startswith(b"awake")
        except OSError:
            return False


class WakeProtocol(Protocol):
    """One caller of the socket."""

    def __init__(self, woken: Callable[[], None]) -> None:
        self._woken = woken
        self._came = b""

    def dataReceived(self, data: bytes) -> None:
        """What the command line says."""
        self._came += data
        assert self.transport is not None
        if self._came == WAKE:
            self.transport.write(b"awake %d\n" % os.getpid())
            self.transport.loseConnection()
            self._woken()
        elif not WAKE.startswith(self._came):
            self.transport.loseConnection()


async def listen_for_wakes(reactor: Any, store: Path, woken: Callable[[], None]) -> IListeningPort:
    """Opens the socket. Raises `OperatorError` if another gateway runs on this store.

    One that was killed may still be ending, and is waited for. A lock is worth nothing when its process number is
    another program's by now: after the machine, or a container, was started again.
    """
    path = _place_for(store)
    factory = Factory.forProtocol(lambda: WakeProtocol(woken))
    factory.noisy = False
    until = reactor.seconds() + _DYING_SECONDS
    holder = ""
    while True:
        try:
            port: IListeningPort = reactor.listenUNIX(str(path), factory, mode=0o600, wantPID=True)
        except CannotListenError:
            before, holder = holder, _holder(path)
            over = reactor.seconds() >= until
            if holder and (_is_gone(holder) or (over and holder == before)) and _nobody_listens(path):
                logger.warning("the lock of the store %s was left behind by a gateway that is gone; taken over", store)
                for left in (f"{path}{LOCK}", path):
                    with suppress(FileNotFoundError):
                        os.unlink(left)
            elif over or wake(store):
                who = f" (process {holder})" if holder.isdecimal() else ""
                raise OperatorError(
                    f"another gateway runs on the store {store} already{who}; a store has one gateway, which may have"
                    " all modems and listeners, far ones over serial servers: add yours to its configuration and start"
                    " it anew, stop it, or use another store"
                ) from None
            elif not before:
                logger.warning("the gateway that ran on the store %s has not ended yet; waits for it", store)
            await deferLater(reactor, _AGAIN_SECONDS)
        else:
            return port


def _holder(path: Path) -> str:
    """The process number in a socket's lock; empty if there is none."""
    try:
        return os.readlink(f"{path}{LOCK}")
    except OSError:
        return ""


def _is_gone(holder: str) -> bool:
    """Whether a process that had the lock runs no more. Our own number was a former one's: we have no lock yet."""
    return holder.isdecimal() and (int(holder) == os.getpid() or not runs(int(holder)))


def _nobody_listens(path: Path) -> bool:
    """Whether the socket is there, but nobody's any more: a process lets go of it when it ends, however it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_SECONDS)
        try:
            line.connect(os.fsencode(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _place_for(store: Path) -> Path:
    path = socket_path(store)
    if path.parent != Path(store).absolute().parent:
        _own_folder(path.parent)
    return path


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OperatorError(f"{folder} must be a folder of ours alone (mode 0700); remove it")
