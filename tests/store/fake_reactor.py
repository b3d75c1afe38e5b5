"""A reactor's turn by hand: what the store's thread sends waits in a queue until the test takes it."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from twisted.internet.task import Clock

from gateway_server.store.writer import UNHURRIED_S

PATIENCE_S = 30


class FakeReactor(Clock):
    """Twisted's test clock, with a door for the store's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._from_thread: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()

    def callFromThread(self, f: Callable[..., Any], *args: Any) -> None:
        self._from_thread.put((f, args))

    def turn(self) -> None:
        """What is due within a moment, then the next thing that comes from the thread."""
        self.advance(UNHURRIED_S)
        f, args = self._from_thread.get(timeout=PATIENCE_S)
        f(*args)

    def until(self, done: Callable[[], object]) -> None:
        """Turns until something is so."""
        while not done():
            self.turn()
