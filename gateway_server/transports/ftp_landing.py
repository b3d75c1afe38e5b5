"""The reactor's side of the FTP drop: what the FTP thread hands over goes into the store, and the answers go back.

An upload is a session in which only the meter speaks. Its bytes go to the session's log as they come; its end is one
transaction with whatever of it was still pending, and only behind that one the answer is 226.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from twisted.internet.interfaces import IDelayedCall

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Identify, Outcome
from gateway_server.session.endings import ending
from gateway_server.session.plan import Facilities
from gateway_server.store.records import (
    FileRecord,
    FileState,
    SessionClosing,
    SessionKey,
    SessionOpening,
    UploadEnd,
)
from gateway_server.store.store import Store
from gateway_server.transports.ftp_delivery import Delivery, Entry
from gateway_server.transports.ftp_thread import FtpThread

logger = logging.getLogger(__name__)

T = TypeVar("T")

UNHEARD = "the client was gone before it could be told that the file is safe; it may send it again"

_DECODE_AFTER_SECONDS = 0.2


class Landing:
    """Takes uploads into the store. Everything here runs on the reactor's thread.

    ``stored`` is called with the numbers of files that came whole, some time after they were acknowledged.
    """

    def __init__(self, facilities: Facilities, thread: FtpThread, stored: Callable[[Sequence[int]], None]) -> None:
        self._facilities = facilities
        self._thread = thread
        self._stored = stored
        self._new: deque[int] = deque()
        self._decoding: IDelayedCall | None = None
        self.taken = 0  # bytes of uploads; the FTP thread compares it with what it has handed over

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

    def end(
        self,
        delivery: Delivery,
        entries: Sequence[Entry],
        why: str,
        answer: Callable[[FileRecord | StoreError], None] | None,
    ) -> None:
        """The last of an upload. ``why`` says what cut it off, empty if it is whole; ``answer`` is called in the FTP
        thread after the commit."""
        self.part(delivery, entries)
        key = delivery.key
        assert key is not None  # `part` opened it
        closing = SessionClosing(
            self._facilities.now_ms(),
            _outcome(delivery, why),
            why,
            bytes_received=delivery.size,
            serial=delivery.serial,
        )
        end = UploadEnd(complete=not why, size=delivery.size, sha256=delivery.sha256)
        shared = delivery.shared

        def finish(store: Store) -> FileRecord:
            return store.finish_upload(key, end, _identified(store, key, closing) if shared else closing)

        def done(result: FileRecord | StoreError) -> None:
            if isinstance(result, StoreError):
                self._facilities.writer.close_session(key, _failed(closing, result))
            elif result.state is FileState.STORED:
                self._to_decode(result.id)
            if answer is not None:
                self._thread.call(answer, result)

        self._facilities.writer.call(finish, done)

    def unheard(self, file: FileRecord) -> None:
        """The client was gone when it should be told that its file is safe: nobody knows whether that was all of it."""
        if file.state is not FileState.STORED:
            return
        if file.id in self._new:
            self._new.remove(file.id)
        self._facilities.writer.call(
            lambda store: store.set_file_state(file.id, FileState.INCOMPLETE, UNHEARD), _log_failure
        )

    def remark(self, opening: SessionOpening, ended_ms: int, outcome: Outcome, why: str, said: str) -> None:
        """A control connection without an upload of which something is worth keeping."""
        writer = self._facilities.writer
        key = writer.open_session(opening)
        writer.log(key, ended_ms, Direction.NOTE, said.encode("utf-8", "replace"))
        writer.close_session(key, SessionClosing(ended_ms, outcome, why))

    def ask(self, work: Callable[[Store], T], answer: Callable[[T | StoreError], None]) -> None:
        """Asks the store something; ``answer`` is called in the FTP thread."""
        self._facilities.writer.call(work, lambda result: self._thread.call(answer, result))

    def stop(self) -> None:
        """Nothing is decoded any more; what waits for it waits in the store."""
        if self._decoding is not None:
            self._decoding.cancel()
            self._decoding = None

    def _to_decode(self, number: int) -> None:
        # Not at once: the client is told first, and may turn out to be gone.
        self._new.append(number)
        if self._decoding is None:
            self._decoding = self._facilities.clock.callLater(_DECODE_AFTER_SECONDS, self._decode)

    def _decode(self) -> None:
        self._decoding = None
        numbers = tuple(self._new)
        self._new.clear()
        if numbers:
            self._stored(numbers)


def _outcome(delivery: Delivery, why: str) -> Outcome:
    if not why:
        return Outcome.READ
    return Outcome.PARTIAL if delivery.size else Outcome.LINE_LOST


def _failed(closing: SessionClosing, error: StoreError) -> SessionClosing:
    how = ending(error, "", closing.serial, 0, unclaimed=False)
    return SessionClosing(
        closing.ended_ms, how.outcome, how.detail, bytes_received=closing.bytes_received, serial=closing.serial
    )


def _identified(store: Store, key: SessionKey, closing: SessionClosing) -> SessionClosing:
    """The closing with the register's serial number for what a shared account's rule found."""
    said = closing.serial
    if not said:
        return closing
    record = store.meter(said) or store.meter_at(f"ftp:{said}")
    if record is None:
        record = store.identify(key, Identify(said), closing.ended_ms)
    return SessionClosing(
        closing.ended_ms,
        closing.outcome,
        closing.detail,
        bytes_received=closing.bytes_received,
        serial=record.serial,
    )


def _log_failure(result: StoreError | None) -> None:
    if isinstance(result, StoreError):
        logger.warning("an upload nobody heard of could not be marked incomplete: %s", result)
