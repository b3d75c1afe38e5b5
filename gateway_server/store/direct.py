"""The writer of a single thread: each thing is committed at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Saved
from gateway_server.store.batch import Batch
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.records import EventToSave, RowToSave, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store

T = TypeVar("T")


class DirectWriter:
    """A `Writer` without a thread: commits before it returns. For the command line without reactor, and for tests.

    Within a transaction of the store it joins that one, and raises the `StoreError` that ended it.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        key = SessionKey()
        self._write(Batch(openings=[(key, opening)]))
        return key

    def log(self, key: SessionKey, at_ms: int, direction: Direction, data: bytes) -> None:
        """Appends to a session's log."""
        self._write(Batch(log=[(key, at_ms, direction, data)]))

    def save(
        self,
        key: SessionKey,
        serial: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        done: Callable[[Saved | StoreError], None],
    ) -> None:
        """Saves what a meter reported."""
        self._write(Batch(saves=[(key, serial, rows, events)], saved=[done]))

    def contact(
        self, key: SessionKey, caller: str, at_ms: int, done: Callable[[KnownCaller | StoreError], None]
    ) -> None:
        """The meter known by what a caller registered as."""
        self._write(Batch(contacts=[CallerContact(key, caller, at_ms)], contacted=[done]))

    def close_session(
        self, key: SessionKey, closing: SessionClosing, done: Callable[[StoreError | None], None] | None = None
    ) -> None:
        """Ends a session's record."""
        self._write(Batch(closings=[(key, closing, done)]))

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """Runs ``work`` in a transaction."""
        self._write(Batch(calls=[(work, done)]))

    def call_from_thread(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """The same: there is no other thread."""
        self.call(work, done)

    def _write(self, batch: Batch) -> None:
        try:
            answers = batch.commit(self._store)
        except StoreError as error:
            if self._store.connection.in_transaction:
                raise  # it is not ours: whoever began it must not commit what is left
            answers = batch.refused(error)
        for done, answer in answers:
            done(answer)
