"""A gateway that takes uploads, for tests with real clients; and a router between them, as an operator has one."""

from __future__ import annotations

import json
import random
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway_server.model import MeterState
from gateway_server.store.file_records import FileRecord
from gateway_server.store.open import open_store
from gateway_server.store.passwords import hashed
from gateway_server.store.records import Filter, MeterRecord
from tests.end_to_end.programs import first_line, program, said_by

INNER, OUTER = "127.0.0.1", "127.0.0.9"
LOGIN = "41203377"
PASSWORD = "secret"

CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[ftp]]
name = "drop"
listen = "127.0.0.1:{port}"
passive_ports = "{first}-{last}"
{more}
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A received file as the store has it. ``sha256`` is of the bytes it gives, not the one it says."""

    record: FileRecord
    sha256: str


def passive_ports(count: int) -> range:
    """So many ports in a row that nobody has at either loopback address, as far as can be seen now."""
    for _ in range(100):
        ports = range(start := random.SystemRandom().randrange(20_000, 32_000), start + count)
        with ExitStack() as found:
            try:
                for port in ports[:20]:
                    for host in (INNER, OUTER):
                        found.enter_context(socket.create_server((host, port)))
            except OSError:
                continue
            return ports
    raise AssertionError("no ports are free")


class Drop:
    """A folder with a gateway's configuration and store. ``more`` are lines of its ``[[ftp]]`` table.

    Passive ports are some hundred below those that the system gives to clients.
    """

    def __init__(self, folder: Path, *, port: int = 0, passive: range | None = None, more: str = "") -> None:
        passive = passive or passive_ports(200)
        self.folder = folder
        self.config = folder / "gateway.toml"
        self.config.write_text(CONFIG.format(port=port, first=passive[0], last=passive[-1], more=more))

    def accounts(self, *logins: str) -> None:
        """Meters with upload accounts, all with the same password."""
        secret = hashed(PASSWORD)
        with closing(open_store(f"sqlite:///{self.folder / 'gateway.db'}")) as store:
            store.put_meters(
                (MeterRecord(login, "", "lis200", "", (f"ftp:{login}",), state=MeterState.ACTIVE), None)
                for login in logins
            )
            for login in logins:
                store.set_upload_secret(login, secret)

    @contextmanager
    def gateway(self) -> Iterator[tuple[int, int]]:
        """The running gateway; gives its port and its process."""
        with self.running() as running:
            yield int(first_line(running).rpartition(":")[2]), running.pid

    def running(self, *, under: Sequence[str] = ()) -> AbstractContextManager[subprocess.Popen[str]]:
        """The gateway, which may not come up; its log is in the folder."""
        return program("run", "--only", "ftp", "-c", str(self.config), log=self.folder / "log", under=under)

    def stored(self) -> list[Stored]:
        """Every file in the store, the oldest first."""
        with closing(open_store(f"sqlite:///{self.folder / 'gateway.db'}", create=False)) as store:
            return [Stored(one, _hash(store.file_bytes(one.id))) for one in store.files(Filter(newest_first=False))]

    def lists(self, *arguments: str) -> list[dict[str, Any]]:
        """What a listing verb says."""
        document: list[dict[str, Any]] = json.loads(said_by(*arguments, "--json", "-c", str(self.config)))
        return document


def _hash(pieces: Iterator[bytes]) -> str:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def wait_until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for something that another program does."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)  # noqa: TID251 - real programs take real time


class Router:
    """Carries connections from an outer address to the same ports of 127.0.0.1; ``carried`` are those it carried.

    Whoever is told an inner address, or a port that is not forwarded, does not get through.
    """

    def __init__(self, outer: str, ports: list[int]) -> None:
        self.outer = outer
        self.carried: list[int] = []
        self._selector = selectors.DefaultSelector()
        self._ours, self._stop = socket.socketpair()
        self._selector.register(self._ours, selectors.EVENT_READ)
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listening: list[socket.socket] = []
        for port in ports:
            listening = socket.create_server((outer, port))
            self._listening.append(listening)
            self._selector.register(listening, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> Router:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join(10)
        for one in (self._ours, *self._listening, *self._pairs):
            one.close()
        self._selector.close()

    def _carry(self) -> None:
        while True:
            for key, _ in self._selector.select():
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if one is self._ours:
                    return
                if one in self._listening:
                    self._accept(one)
                elif one in self._pairs:
                    self._pass_on(one)

    def _accept(self, listening: socket.socket) -> None:
        near, _ = listening.accept()
        port = listening.getsockname()[1]
        self.carried.append(port)
        try:
            far = socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            near.close()
            return
        self._pairs |= {near: far, far: near}
        for one in (near, far):
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        other = self._pairs[one]
        try:
            if data := one.recv(65536):
                other.sendall(data)
                return
        except OSError:
            pass
        for end in (one, other):
            del self._pairs[end]
            self._selector.unregister(end)
            end.close()
