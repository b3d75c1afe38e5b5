"""Where uploads reach the store: what the FTP thread hands over goes in, and the answers go back.

An upload is a session in which only the meter speaks. One that comes in one go is one request to the store; of a long
one the bytes go to the session's log as they come, and its end is one transaction with whatever of it was still
pending. Only behind that commit the answer is 226.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from gateway_server.errors import StoreError, StoreFull
from gateway_server.model import Direction, Outcome
from gateway_server.session.endings import ending
from gateway_server.session.plan import Facilities
from gateway_server.store.records import (
    FileRecord,
    FileState,
    SessionClosing,
    SessionOpening,
    UploadEnd,
)
from gateway_server.store.store import Store
from gateway_server.transports.ftp.delivery import Delivery, Entry
from gateway_server.transports.ftp.thread import FtpThread

logger = logging.getLogger(__name__)

T = TypeVar("T")

UNHEARD = "the client was gone before it could be told that the file is safe; it may send it again"

Answer = Callable[[FileRecord | StoreError], None]


class Landing:
    """Takes uploads into the store. `take` belongs to the FTP thread, all else here to the reactor's.

    ``stored`` is called with the numbers of files that came whole, some time after they were acknowledged.
    """

    def __init__(self, facilities: Facilities, thread: FtpThread, stored: Callable[[Sequence[int]], None]) -> None:
        self._facilities = facilities
        self._thread = thread
        self._stored = stored
        self._running = True
        self.taken = 0  # bytes of uploads in parts; the FTP thread compares it with what it has handed over

    def take(self, delivery: Delivery, entries: Sequence[Entry], why: str, answer: Answer) -> None:
        """A whole upload of which nothing was handed over before; ``why`` and ``answer`` as in `end`.

        From the FTP thread to the store's and back: that the reactor need not turn for it is what a lone client's
        226 is quick by.
        """
        facilities = self._facilities
        opening, closing, end = delivery.opening(), _closing(delivery, why, facilities.now_ms()), _end(delivery, why)
        log = entries if why else [*entries, _stored_note(closing)]
        by_rule = delivery.shared
        facilities.writer.call_from_thread(
            lambda store: store.take_upload(opening, log, end, closing, by_rule=by_rule),
            lambda result: self._thread.call(answer, result),
        )

    def refused(self, delivery: Delivery, entries: Sequence[Entry], why: str, error: StoreError) -> None:
        """The store did not take an upload: its session says so. What came stays in its log, if there is room."""
        writer = self._facilities.writer
        opening = delivery.opening()
        if isinstance(error, StoreFull):
            opening = opening._replace(upload=None)
            entries = [entry for entry in entries if entry[1] is Direction.NOTE]
        key = writer.open_session(opening)
        for entry in entries:
            writer.log(key, *entry)
        writer.close_session(key, _failed(_closing(delivery, why, self._facilities.now_ms()), error))

    def part(self, delivery: Delivery, entries: Sequence[Entry]) -> None:
        """More of an upload that goes on."""
        writer = self._facilities.writer
        key = delivery.key
        if key is None:
            key = delivery.key = writer.open_session(delivery.opening())
        for at_ms, direction, data in entries:
            writer.log(key, at_ms, direction, data)
            if direction is Direction.FROM_METER:
                self.taken += len(data)

    def end(self, delivery: Delivery, entries: Sequence[Entry], why: str, answer: Answer) -> None:
        """The last of an upload that came in parts. ``why`` says what cut it off, empty if it is whole; ``answer`` is
        called in the FTP thread after the commit."""
        self.part(delivery, entries)
        key = delivery.key
        assert key is not None  # `part` opened it
        closing, end = _closing(delivery, why, self._facilities.now_ms()), _end(delivery, why)
        note = [] if why else [_stored_note(closing)]
        by_rule = delivery.shared

        def finish(store: Store) -> FileRecord:
            return store.finish_upload(key, end, closing, log=note, by_rule=by_rule)

        def done(result: FileRecord | StoreError) -> None:
            if isinstance(result, StoreError):
                self._facilities.writer.close_session(key, _failed(closing, result))
            self._thread.call(answer, result)

        self._facilities.writer.call(finish, done)

    def arrived(self, numbers: Sequence[int]) -> None:
        """These files came whole; their clients know it."""
        if self._running:
            self._stored(numbers)

    def unheard(self, file: FileRecord) -> None:
        """The client was gone when it should be told that its file is safe: nobody knows whether that was all of it."""
        if file.state is FileState.STORED:
            self._facilities.writer.call(
                lambda store: store.set_file_state(file.id, FileState.INCOMPLETE, UNHEARD), _log_failure
            )

    def remark(self, opening: SessionOpening, ended_ms: int, outcome: Outcome, why: str, said: Sequence[Entry]) -> None:
        """A control connection without an upload of which something is worth keeping."""
        writer = self._facilities.writer
        key = writer.open_session(opening)
        for entry in said:
            writer.log(key, *entry)
        writer.close_session(key, SessionClosing(ended_ms, outcome, why))

    def ask(self, work: Callable[[Store], T], answer: Callable[[T | StoreError], None]) -> None:
        """Asks the store something; ``answer`` is called in the FTP thread."""
        self._facilities.writer.call(work, lambda result: self._thread.call(answer, result))

    def stop(self) -> None:
        """Nothing is decoded any more; what waits for it waits in the store."""
        self._running = False


def _closing(delivery: Delivery, why: str, ended_ms: int) -> SessionClosing:
    return SessionClosing(ended_ms, _outcome(delivery, why), why, bytes_received=delivery.size, serial=delivery.serial)


def _end(delivery: Delivery, why: str) -> UploadEnd:
    return UploadEnd(complete=not why, size=delivery.size, sha256=delivery.sha256)


def _stored_note(closing: SessionClosing) -> Entry:
    """What the client is told behind the commit; it is in the log only if that succeeds."""
    return closing.ended_ms, Direction.NOTE, b"ftp< 226 Stored."


def _outcome(delivery: Delivery, why: str) -> Outcome:
    if not why:
        return Outcome.READ
    return Outcome.PARTIAL if delivery.size else Outcome.LINE_LOST


def _failed(closing: SessionClosing, error: StoreError) -> SessionClosing:
    how = ending(error, "", closing.serial, 0, unclaimed=False)
    return replace(closing, outcome=how.outcome, detail=how.detail)


def _log_failure(result: StoreError | None) -> None:
    if isinstance(result, StoreError):
        logger.warning("an upload nobody heard of could not be marked incomplete: %s", result)
