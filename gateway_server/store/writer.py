"""The two writers: `DirectWriter` commits each thing at once, `ThreadWriter` everything that is pending together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Saved
from gateway_server.store.batch import CALL, CLOSE, LOG, OPEN, SAVE, Batch, Item
from gateway_server.store.records import EventToSave, RowToSave, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store

T = TypeVar("T")


class DirectWriter:
    """A `Writer` without a thread: commits before it returns. For the command line without reactor, and for tests."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        key = SessionKey()
        self._write((OPEN, key, opening))
        return key

    def log(self, key: SessionKey, at_ms: int, direction: Direction, data: bytes) -> None:
        """Appends to a session's log."""
        self._write((LOG, key, at_ms, direction, data))

    def save(
        self,
        key: SessionKey,
        serial: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        done: Callable[[Saved | StoreError], None],
    ) -> None:
        """Saves what a meter reported."""
        self._write((SAVE, key, serial, rows, events, done))

    def close_session(
        self, key: SessionKey, closing: SessionClosing, done: Callable[[StoreError | None], None] | None = None
    ) -> None:
        """Ends a session's record."""
        self._write((CLOSE, key, closing, done))

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """Runs ``work`` in a transaction."""
        self._write((CALL, work, done))

    def _write(self, item: Item) -> None:
        batch = Batch.of([item])
        try:
            answers = batch.commit(self._store)
        except StoreError as error:
            answers = batch.refused(error)
        for done, answer in answers:
            done(answer)
