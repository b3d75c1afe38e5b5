"""The uploaders of the FTP benchmark: each connects, logs in, stores one file and leaves, over and over (closed loop).

Runs as a process of its own and prints one JSON document. Plain sockets and epoll, because on a machine of two cores
whatever the generator uses is missing from what it measures. Every file has other bytes and another name, as the files
of meters have; a session counts when 226 and 221 came, and is failed when anything else came or nothing for a while.
"""

from __future__ import annotations

import argparse
import errno
import json
import select
import socket
from time import perf_counter

from benchmarks.generator import percentile
from benchmarks.processes import cpu_s, many_files

PATIENCE = 10.0  # seconds a session may take until it is failed
PASSWORD = "secret"


def login(number: int) -> str:
    """The account of an uploader, counted from 1."""
    return f"meter{number:04d}"


class Uploader:
    """One meter's block: one session at a time."""

    def __init__(self, number: int, size: int, folder: str, account: str) -> None:
        self.name = login(number).encode()
        self.login = account.encode() or self.name
        self.folder = folder.encode()
        self.size = size
        self.files = 0
        self.socket: socket.socket | None = None

    def connect(self, port: int) -> socket.socket:
        """Begins a session."""
        self.files += 1
        self.step = 0
        self.buffer = b""
        self.began = perf_counter()
        name = b"%b%b-%06d.dat" % (self.folder, self.name, self.files)
        head = b"%b %d\r\n" % (name, self.files)
        self.content = head + b"0123456789ABCDEF" * ((self.size - len(head)) // 16 + 1)
        self.content = self.content[: self.size]
        # What is said upon the reply with this code; the reply to PASV and the one before the data are looked at.
        self.script = (
            (b"220", b"USER %b\r\n" % self.login),
            (b"331", b"PASS %b\r\n" % PASSWORD.encode()),
            (b"230", b"TYPE I\r\n"),
            (b"200", b"PASV\r\n"),
            (b"227", b"STOR %b\r\n" % name),
            (b"1", b""),
            (b"226", b"QUIT\r\n"),
            (b"221", b""),
        )
        self.socket = line = socket.socket()
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if line.connect_ex(("127.0.0.1", port)) not in {0, errno.EINPROGRESS}:
            raise ConnectionError("cannot connect")
        return line

    def readable(self) -> bool:
        """Takes what arrived; whether the session is done. Raises ConnectionError if it went wrong."""
        assert self.socket is not None
        self.buffer += (data := self.socket.recv(4096))
        if not data:
            raise ConnectionError(f"the server hung up in step {self.step}")
        while b"\r\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            if line[3:4] != b" " or not line[:3].isdigit():
                continue
            awaited, answer = self.script[self.step]
            if not line.startswith(awaited):
                raise ConnectionError(f"awaited {awaited!r}, got {line!r}")
            if awaited == b"227":
                numbers = line[line.index(b"(") + 1 : line.index(b")")].split(b",")
                self.data = socket.create_connection(("127.0.0.1", int(numbers[4]) * 256 + int(numbers[5])), 5)
            elif awaited == b"1":
                self.data.sendall(self.content)
                self.data.close()
            self.step += 1
            if answer:
                self.socket.send(answer)
            elif self.step == len(self.script):
                return True
        return False

    def close(self) -> None:
        """Hangs up."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class Uploads:
    """All uploaders of one run."""

    def __init__(self, port: int, clients: int, size: int, folder: str, account: str) -> None:
        self.port = port
        self.poll = select.epoll()
        self.live: dict[int, Uploader] = {}
        self.waiting = [Uploader(number, size, folder, account) for number in range(1, clients + 1)]
        self.took: list[float] = []
        self.failures: list[str] = []

    def begin(self, uploader: Uploader) -> None:
        """The uploader's next session."""
        line = uploader.connect(self.port)
        self.live[line.fileno()] = uploader
        self.poll.register(line, select.EPOLLIN)

    def run(self, end: float) -> None:
        """Sessions one after the other until the end; those under way are finished."""
        for uploader in self.waiting:
            self.begin(uploader)
        self.waiting = []
        looked = perf_counter()
        while self.live:
            for fd, _ in self.poll.poll(0.5):
                self._advance(fd, end)
            now = perf_counter()
            if now > looked + 0.5:
                looked = now
                for fd, uploader in list(self.live.items()):
                    if now > uploader.began + PATIENCE:
                        self._ended(fd, uploader, end, "nothing came for too long")

    def _advance(self, fd: int, end: float) -> None:
        uploader = self.live.get(fd)
        if uploader is None:
            return
        try:
            if not uploader.readable():
                return
        except OSError as error:
            self._ended(fd, uploader, end, str(error))
            return
        self.took.append(perf_counter() - uploader.began)
        self._ended(fd, uploader, end)

    def _ended(self, fd: int, uploader: Uploader, end: float, failure: str = "") -> None:
        if failure:
            self.failures.append(failure)
        self.poll.unregister(fd)
        del self.live[fd]
        uploader.close()
        if perf_counter() < end:
            self.begin(uploader)
        else:
            self.waiting.append(uploader)


def main() -> None:
    """Measures and prints. The first login of every account comes before, and is told apart."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--clients", type=int, required=True)
    options.add_argument("--size", type=int, default=4096)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--folder", default="", help="where in the server's tree, with a / at its end")
    options.add_argument("--pid", type=int, required=True, help="the server's process, whose processor time is told")
    options.add_argument("--account", default="", help="one login for all of them, instead of one each")
    chosen = options.parse_args()
    many_files()
    uploads = Uploads(chosen.port, chosen.clients, chosen.size, chosen.folder, chosen.account)
    began = perf_counter()
    uploads.run(began)
    first = perf_counter() - began
    first_failures = len(uploads.failures)
    uploads.took.clear()
    uploads.failures.clear()
    began, cpu = perf_counter(), cpu_s(chosen.pid)
    uploads.run(began + chosen.seconds)
    lasted = perf_counter() - began
    figures = {
        "uploads_per_s": len(uploads.took) / lasted,
        "p50_ms": 1000 * percentile(uploads.took, 0.5),
        "p99_ms": 1000 * percentile(uploads.took, 0.99),
        "failed": float(len(uploads.failures)),
        "first_per_s": chosen.clients / first,
        "first_failed": float(first_failures),
        "cpu_us": 1e6 * (cpu_s(chosen.pid) - cpu) / max(1, len(uploads.took)),
        "files": float(len(uploads.took)),
    }
    print(json.dumps({"figures": figures, "why": sorted(set(uploads.failures))[:5]}), flush=True)


if __name__ == "__main__":
    main()
