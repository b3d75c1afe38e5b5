"""The running gateway's writer with a reactor turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gateway_server.errors import StoreBroken
from gateway_server.model import Outcome
from gateway_server.store.open import open_store
from gateway_server.store.records import SessionClosing
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import ThreadWriter
from tests.store.fake_reactor import FakeReactor
from tests.store.samples import NOON

METER = "41203377"


NOTHING: dict[str, str] = {}


READ = SessionClosing(NOON + 9, Outcome.READ, "30 rows", 100, 20, METER, "lis200", "1")


class Gateway:
    """A thread writer with a reactor turned by hand, and everything it said."""

    def __init__(self, path: Path, **limits: int) -> None:
        self.reactor = FakeReactor()
        self.fatal: list[StoreBroken] = []
        self.full: list[bool] = []
        self.crowded: list[bool] = []
        self.commits = 0
        self.writer = ThreadWriter(
            self.reactor,
            partial(self._open, path),
            on_fatal=self.fatal.append,
            on_full=self.full.append,
            on_backlog=self.crowded.append,
            **limits,
        )
        self.writer.start()

    def _open(self, path: Path) -> SqlStore:
        self.store = open_store(f"sqlite:///{path}")
        self.store.connection.raw.set_trace_callback(self._traced)
        return self.store

    def _traced(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def wait(self, answers: list[Any], count: int) -> None:
        self.reactor.until(lambda: len(answers) >= count)

    def call(self, work: Callable[[Store], Any]) -> Any:
        answers: list[Any] = []
        self.writer.call(work, answers.append)
        self.wait(answers, 1)
        return answers[0]

    def stop(self) -> None:
        stopped: list[None] = []
        self.writer.stop().addCallback(stopped.append)
        self.wait(stopped, 1)


@contextmanager
def running(path: Path, **limits: int) -> Iterator[Gateway]:
    gateway = Gateway(path, **limits)
    try:
        yield gateway
    finally:
        gateway.stop()
