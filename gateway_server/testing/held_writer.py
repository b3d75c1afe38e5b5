"""A writer whose commits happen when the test says so, or fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Saved
from gateway_server.store.callers import KnownCaller
from gateway_server.store.records import EventToSave, RowToSave, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.store import Store, Writer

T = TypeVar("T")


class HeldWriter:
    """A `Writer` before another one: saves wait for `commit` or `fail`; everything else goes through at once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._held: deque[tuple[Callable[[], None], Callable[[StoreError], None]]] = deque()

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        return self._writer.open_session(opening)

    def log(self, key: SessionKey, at_ms: int, direction: Direction, data: bytes) -> None:
        """Appends to a session's log."""
        self._writer.log(key, at_ms, direction, data)

    def save(
        self,
        key: SessionKey,
        serial: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        done: Callable[[Saved | StoreError], None],
    ) -> None:
        """Holds what a meter reported."""
        self._held.append((lambda: self._writer.save(key, serial, rows, events, done), done))

    def contact(
        self, key: SessionKey, caller: str, at_ms: int, done: Callable[[KnownCaller | StoreError], None]
    ) -> None:
        """Finds the caller at once."""
        self._writer.contact(key, caller, at_ms, done)

    def close_session(
        self, key: SessionKey, closing: SessionClosing, done: Callable[[StoreError | None], None] | None = None
    ) -> None:
        """Ends a session's record."""
        self._writer.close_session(key, closing, done)

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """Runs ``work`` at once."""
        self._writer.call(work, done)

    def call_from_thread(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """The same."""
        self._writer.call_from_thread(work, done)

    @property
    def held(self) -> int:
        """How many saves wait."""
        return len(self._held)

    def commit(self) -> None:
        """Lets the oldest save through."""
        self._held.popleft()[0]()

    def fail(self, error: StoreError) -> None:
        """Refuses the oldest save."""
        self._held.popleft()[1](error)
