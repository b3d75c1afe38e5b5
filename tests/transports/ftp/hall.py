"""A place for uploads on loopback with a store of its own, and how tests look at what came of it."""

from __future__ import annotations

import ftplib
import io
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gateway_server.errors import StoreError
from gateway_server.model import Direction
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.file_records import FileRecord
from gateway_server.store.open import open_store
from gateway_server.store.passwords import hashed
from gateway_server.store.records import Filter, MeterRecord, SessionRecord
from gateway_server.store.store import Store
from gateway_server.store.writer import ThreadWriter
from gateway_server.transports.ftp.drop import FtpDrop
from gateway_server.transports.ftp.terms import Terms

T = TypeVar("T")

PASSWORD = "correct horse"
HASH = hashed(PASSWORD)  # once: it is dear
PATIENCE = 60.0  # longer than a busy machine needs; only what fails waits so long


class TurningReactor(Clock):
    """A thread that runs what others hand over, as the reactor's does; its clock goes on by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> None:
        self._calls.put((f, args))

    def _run(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=0.01)
            except Empty:
                self.advance(0.01)
                continue
            if call is None:
                return
            f, args = call
            f(*args)
            self.advance(0)

    def ask(self, work: Callable[[], T]) -> T:
        """Runs something there and waits for what it says."""
        answer: SimpleQueue[Any] = SimpleQueue()
        self.callFromThread(lambda: answer.put(work()))
        said: T = answer.get(timeout=PATIENCE)
        return said

    def close(self) -> None:
        self._calls.put(None)
        self._thread.join(PATIENCE)


class Hall:
    """A drop with meter 41203377 (login ``m1``), meter 41203378 (``m2``), and all that came."""

    def __init__(self, folder: Path, *terms: Terms) -> None:
        self.reactor = TurningReactor()
        self.stored: list[int] = []
        self.troubles: list[object] = []
        self.clients: list[ftplib.FTP | RawClient] = []
        url = f"sqlite:///{folder / 'drop.db'}"
        store = open_store(url)
        for number, login in ((41203377, "m1"), (41203378, "m2")):
            store.put_meter(MeterRecord(str(number), routes=(f"ftp:{login}",)))
            store.set_upload_secret(login, HASH)
        store.close()
        self.writer = self.reactor.ask(
            lambda: ThreadWriter(self.reactor, lambda: open_store(url), on_fatal=self.troubles.append)
        )
        self.writer.start()
        self._ms = 1_790_000_000_000
        self._telling = threading.Lock()  # three threads ask what time it is
        facilities = Facilities(self.writer, self.reactor, self._now_ms, Sweep(self.reactor))
        self.drop = FtpDrop(self.reactor, facilities, self.stored.extend)
        self.places = [self.drop.listen(one) for one in terms or (Terms("drop"),)]
        self.drop.start()

    def _now_ms(self) -> int:
        return self.passes(1)

    def passes(self, ms: int) -> int:
        """Lets time go by, or back; gives what time it is then."""
        with self._telling:
            self._ms += ms
            return self._ms

    @property
    def port(self) -> int:
        return self.places[0][1]

    def client(self, login: str = "m1", password: str = PASSWORD, *, port: int = 0) -> ftplib.FTP:
        """A client that has logged in."""
        client = ftplib.FTP(timeout=PATIENCE)
        self.clients.append(client)
        client.connect("127.0.0.1", port or self.port)
        client.login(login, password)
        return client

    def raw(self, port: int = 0) -> RawClient:
        """A client that says what it likes."""
        client = RawClient(port or self.port)
        self.clients.append(client)
        return client

    def logged_in(self, login: str = "m1") -> RawClient:
        """The same, with its login behind it."""
        client = self.raw()
        assert client.reply().startswith("220")
        assert client.say(f"USER {login}").startswith("331")
        assert client.say(f"PASS {PASSWORD}").startswith("230")
        assert client.say("TYPE I").startswith("200")
        return client

    def ask(self, work: Callable[[Store], T]) -> T:
        """Asks the store, behind everything that is under way."""
        answer: SimpleQueue[Any] = SimpleQueue()
        self.reactor.callFromThread(lambda: self.writer.call(work, answer.put))
        said = answer.get(timeout=PATIENCE)
        assert not isinstance(said, StoreError), said
        result: T = said
        return result

    def files(self, *states: str) -> list[FileRecord]:
        return self.ask(lambda store: list(store.files(Filter(states=states))))

    def content(self, file: FileRecord) -> bytes:
        return self.ask(lambda store: b"".join(store.file_bytes(file.id)))

    def sessions(self) -> list[SessionRecord]:
        return self.ask(lambda store: list(store.sessions(Filter())))

    def ended(self) -> list[SessionRecord]:
        """The sessions, once there are some and all of them are over."""
        return self.until(lambda: [one for one in self.sessions() if one.outcome] if self._all_over() else [])

    def _all_over(self) -> bool:
        return all(one.outcome for one in self.sessions())

    def dialogue(self, session: int) -> list[str]:
        """A session's log: what was said, and received bytes as their number."""
        lines: list[str] = []
        for entry in self.ask(lambda store: list(store.session_log(session))):
            if entry.direction is Direction.NOTE:
                lines += entry.data.decode().split("\n")
            else:
                lines.append(f"{entry.direction.value}{len(entry.data)}")
        return lines

    def until(self, condition: Callable[[], T]) -> T:
        """Waits for what other threads do; gives what it came to."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := condition():
                return found
            threading.Event().wait(0.005)
        raise AssertionError("it did not come to that")

    def stop(self) -> None:
        """Stops the drop, then the store."""
        over: SimpleQueue[None] = SimpleQueue()

        async def ended() -> None:
            await self.drop.stop()
            await self.writer.stop()
            over.put(None)

        self.reactor.callFromThread(lambda: Deferred.fromCoroutine(ended()))
        over.get(timeout=PATIENCE)

    def close(self) -> None:
        """Stops everything, if that has not happened."""
        self.stop()
        self.reactor.close()
        for client in self.clients:
            client.close()
        assert not self.troubles


class RawClient:
    """A control connection byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._buffer = b""
        self._data: list[socket.socket] = []

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> str:
        """The next line, empty at the end."""
        while b"\r\n" not in self._buffer:
            data = self.socket.recv(4096)
            if not data:
                return ""
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def say(self, command: str) -> str:
        """Sends a command, gives its reply."""
        self.send(command.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def passive(self) -> socket.socket:
        """Opens the data connection of PASV."""
        reply = self.say("PASV")
        assert reply.startswith("227"), reply
        numbers = reply[reply.index("(") + 1 : reply.index(")")].split(",")
        data = socket.create_connection((".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])), PATIENCE)
        self._data.append(data)
        return data

    def begin(self, command: str) -> socket.socket:
        """Begins an upload in passive mode; its data connection."""
        data = self.passive()
        reply = self.say(command)
        assert reply[:3] in ("150", "125"), reply
        return data

    def upload(self, command: str, content: bytes) -> str:
        """A whole upload; its last reply."""
        data = self.begin(command)
        data.sendall(content)
        data.close()
        return self.reply()

    def close(self) -> None:
        for connection in (self.socket, *self._data):
            connection.close()

    def hang_up(self) -> None:
        """Ends the control connection, by FIN."""
        self.socket.close()

    def reset(self) -> None:
        reset(self.socket)


def free_ports(count: int) -> range:
    """So many ports in a row that nobody has, below those that the system gives to clients; at random, because other
    tests look for some at the same time."""
    for _ in range(100):
        ports = range(first := random.SystemRandom().randrange(21_000, 32_000), first + count)
        with ExitStack() as found:
            try:
                for port in ports:
                    found.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return ports
    raise AssertionError("no ports are free")


def reset(connection: socket.socket) -> None:
    """Ends a connection as a power cut with a NAT behind it does: by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


@contextmanager
def hall(folder: Path, *terms: Terms) -> Iterator[Hall]:
    """A hall for the time of a test."""
    place = Hall(folder, *terms)
    try:
        yield place
    finally:
        place.close()


def upload(client: ftplib.FTP, name: str, content: bytes) -> str:
    """A whole upload by ftplib; its last reply."""
    return client.storbinary(f"STOR {name}", io.BytesIO(content))
