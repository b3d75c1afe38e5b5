"""The two bare Twisted servers of the ingest, connection and storm benchmarks, run as a process of their own.

``null`` checks the frame and acknowledges it: nothing is stored; no server on this reactor can be faster.
``naive`` does what a first version would: one transaction per frame, with the row and the raw bytes, committed with
``synchronous=FULL`` before the acknowledgement. It has no sessions, no dialogue, no duplicate report, no directions.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.internet.protocol import Protocol, ServerFactory

from benchmarks.frames import SIZE, WELCOME, acknowledgement, is_sound, row

SCHEMA = """
CREATE TABLE reading(meter INTEGER, ts INTEGER, seq INTEGER, vb TEXT, vm TEXT, p TEXT, t TEXT, status TEXT,
                     PRIMARY KEY(meter, ts, seq)) WITHOUT ROWID;
CREATE TABLE raw(id INTEGER PRIMARY KEY, meter INTEGER, data BLOB);
"""
Sink = Callable[[bytes], int]


def null_sink(data: bytes) -> int:
    """Understands as much of the frame as the acknowledgement needs."""
    return int(data[19:25])


def naive_sink(path: Path) -> Sink:
    """One transaction per frame, durable when it returns."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(SCHEMA)
    execute = connection.execute

    def sink(data: bytes) -> int:
        columns = row(data)
        execute("BEGIN IMMEDIATE")
        execute("INSERT OR IGNORE INTO reading VALUES(?,?,?,?,?,?,?,?)", columns)
        execute("INSERT INTO raw(meter, data) VALUES(?,?)", (columns[0], data))
        execute("COMMIT")
        return columns[2]

    return sink


class Caller(Protocol):
    """One meter's connection: a registration packet, then frames."""

    __slots__ = ("buffer", "registered", "sink")

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = b""
        self.registered = False

    def dataReceived(self, data: bytes) -> None:
        buffer = self.buffer + data
        answers = []
        if not self.registered:
            _, end, rest = buffer.partition(b"\n")
            if not end:
                self.buffer = buffer
                return
            self.registered = True
            buffer = rest
            answers.append(WELCOME)
        while len(buffer) >= SIZE:
            whole, buffer = buffer[:SIZE], buffer[SIZE:]
            if is_sound(whole):
                answers.append(acknowledgement(self.sink(whole)))
        self.buffer = buffer
        if answers:
            self.transport.write(b"".join(answers))  # type: ignore[union-attr]


class Callers(ServerFactory):
    """Builds `Caller`."""

    noisy = False

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def buildProtocol(self, addr: object) -> Caller:
        return Caller(self.sink)


def main() -> None:
    """Listens on a free port of loopback, prints it, serves until SIGTERM."""
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=["null", "naive"])
    options.add_argument("--store", type=Path)
    options.add_argument("--backlog", type=int, default=4096)
    chosen = options.parse_args()
    from twisted.internet import reactor as running

    reactor = cast(Any, running)  # the module is replaced by the reactor it installs, which types cannot say

    sink = null_sink if chosen.kind == "null" else naive_sink(chosen.store)
    port = reactor.listenTCP(0, Callers(sink), backlog=chosen.backlog, interface="127.0.0.1")
    print(f"ready 127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
