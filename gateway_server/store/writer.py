"""The writer of the running gateway: everything that is pending is committed together."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from gateway_server.errors import StoreBroken, StoreBusy, StoreError, StoreFull
from gateway_server.model import Direction, Saved
from gateway_server.store.batch import ITEM_WEIGHT, Answer, Other, Pending
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.direct import DirectWriter
from gateway_server.store.records import EventToSave, RowToSave, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.store_thread import Answering, StoreThread

__all__ = ["DirectWriter", "ThreadWriter"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_S = 2  # how often a store without room is tried when nobody else tries it
UNHURRIED_S = 0.02  # seconds after which what nobody waits for is written by itself
SILENT_S = 0.5  # seconds after which a session is on record of which there is nothing to say
HIGH_WATER = 32 << 20  # bytes pending in memory, about: sessions should stop reading from their lines
LOW_WATER = 8 << 20


class WriterReactor(Answering, Protocol):
    """What `ThreadWriter` needs of the reactor."""

    def callLater(self, delay: float, f: Callable[..., Any], /, *args: Any) -> Any: ...


def _ignore(_: object) -> None:
    """For those who do not want to know."""


class ThreadWriter:
    """The `Writer` of the running gateway: one thread, one connection, group commit.

    What sessions hand over within one turn of the reactor goes to the thread together; the thread takes whatever is
    pending as soon as it is free and writes it in one transaction. There is no delay to collect more: while one batch
    is being synced the next one collects by itself. Only what nobody waits for (log, openings, endings) does not begin
    a transaction: it goes with the next one, `UNHURRIED_S` later at most. So the log of an acknowledgement does not
    stand in the way of the next frame. All answers of a batch come back in one call.

    A store without room refuses what somebody waits for, keeps what nobody would hear about (openings, log, endings)
    and is tried again; ``on_full(True)`` and ``on_full(False)`` say so. A store whose files fail is never tried again:
    every later thing is refused and ``on_fatal`` is called once, to end the program. ``on_backlog(True)`` asks that
    lines be paused, ``on_backlog(False)`` that they go on. All of them are called on the reactor's thread.
    """

    def __init__(
        self,
        reactor: WriterReactor,
        open_store: Callable[[], SqlStore],
        *,
        on_fatal: Callable[[StoreBroken], None],
        on_full: Callable[[bool], None] = _ignore,
        on_backlog: Callable[[bool], None] = _ignore,
        high_water: int = HIGH_WATER,
        low_water: int = LOW_WATER,
    ) -> None:
        self._reactor = reactor
        self._on_fatal = on_fatal
        self._on_full = on_full
        self._on_backlog = on_backlog
        self._high_water = high_water
        self._low_water = low_water
        self._pending = Pending()
        self._thread = StoreThread(reactor, open_store, self._pending, self._answered, self._ended)
        self._silent: deque[SessionKey] = deque()  # sessions of which nothing may have been said yet
        self._silent_due = False
        self._due = False
        self._look_due = False
        self._retry_due = False
        self._stopping: Deferred[None] | None = None
        self._given = self._written = 0
        self._crowded = False
        self.full = False
        self.broken: StoreBroken | None = None

    def start(self) -> None:
        """Opens the store on its thread; raises whatever that raises (`OperatorError`, `StoreFull`), and may then be
        tried again."""
        self._thread.start()

    async def begin(self) -> None:
        """`start`, as soon as there is room for the store on its disk."""
        waiting = False
        while True:
            try:
                self.start()
            except StoreFull as full:
                if not waiting:
                    logger.error("%s; free some: the gateway waits, and begins as soon as there is room", full)
                waiting = True
                await deferLater(cast(IReactorTime, self._reactor), RETRY_S)
            else:
                if waiting:
                    logger.info(_FULL_WORDS[False][1])
                return

    def stop(self) -> Deferred[None]:
        """Writes what is pending, closes the store, ends the thread. What comes later is refused."""
        if self._stopping is None:
            self._open_all()
            self._stopping = Deferred()
            if not self._thread.end():
                self._stopping.callback(None)
        return self._stopping

    @property
    def backlog(self) -> int:
        """Bytes that wait to be written, about."""
        return self._given - self._written

    # what sessions call

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record; the key can be used at once."""
        key = SessionKey(opening=opening)
        if self._stopping is not None:
            return key
        self._silent.append(key)
        if not self._silent_due:
            self._silent_due = True
            self._reactor.callLater(SILENT_S, self._open_silent)
        return key

    def log(self, key: SessionKey, at_ms: int, direction: Direction, data: bytes) -> None:
        """Appends to a session's log."""
        if self._stopping is None:
            if key.opening is not None:
                self._open(key, key.opening)
            self._pending.log.append((key, at_ms, direction, data))
            self._handed_over(ITEM_WEIGHT + len(data))

    def save(
        self,
        key: SessionKey,
        serial: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        done: Callable[[Saved | StoreError], None],
    ) -> None:
        """Saves what a meter reported; ``done`` is called after the commit."""
        if self._stopping is not None:
            self._refuse(done)
            return
        if key.opening is not None:
            self._open(key, key.opening)
        self._pending.saves.append((key, serial, rows, events))
        self._pending.saved.append(done)
        self._handed_over(ITEM_WEIGHT * (1 + len(rows) + len(events)), waited_for=True)

    def contact(
        self, key: SessionKey, caller: str, at_ms: int, done: Callable[[KnownCaller | StoreError], None]
    ) -> None:
        """The meter known by what a caller registered as."""
        if self._stopping is not None:
            self._refuse(done)
            return
        if key.opening is not None:
            self._open(key, key.opening)
        self._pending.contacts.append(CallerContact(key, caller, at_ms))
        self._pending.contacted.append(done)
        self._handed_over(ITEM_WEIGHT, waited_for=True)

    def close_session(
        self, key: SessionKey, closing: SessionClosing, done: Callable[[StoreError | None], None] | None = None
    ) -> None:
        """Ends a session's record."""
        if self._stopping is not None:
            self._refuse(done)
            return
        if key.opening is not None:
            self._open(key, key.opening)
        self._pending.closings.append((key, closing, done))
        self._handed_over(ITEM_WEIGHT, waited_for=done is not None)

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """Runs ``work`` on the store's thread within the next transaction, behind what is pending."""
        if self._stopping is not None:
            self._refuse(done)
            return
        self._open_all()  # whose key the work knows cannot be seen
        self._pending.calls.append((work, done))
        self._handed_over(ITEM_WEIGHT, waited_for=True)

    def call_from_thread(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """As `call`, for another thread than the reactor's, for which neither request nor answer waits: ``done`` is
        called on the store's. Whoever calls this bounds himself how much of his is pending. Not after `stop`."""
        self._pending.calls.append((work, Other(done)))
        self._thread.wanted = True
        self._thread.wake()

    # on the reactor's thread

    def _open(self, key: SessionKey, opening: SessionOpening) -> None:
        """A session's opening goes with the first that is said of it, in one transaction: so what is known by then is
        written once."""
        key.opening = None
        self._pending.openings.append((key, opening))
        self._given += ITEM_WEIGHT

    def _open_all(self) -> None:
        silent = self._silent
        while silent:
            key = silent.popleft()
            if key.opening is not None:
                self._open(key, key.opening)

    def _open_silent(self) -> None:
        """Lines on which nothing is said are on record too, a moment later."""
        self._silent_due = False
        self._open_all()
        if self._pending:
            self._handed_over(0)

    def _refuse(self, done: Callable[[Any], None] | None) -> None:
        if done is not None:
            error = StoreError("the gateway is stopping; nothing more is stored")
            self._reactor.callLater(0, done, error)

    def _handed_over(self, weight: int, *, waited_for: bool = False) -> None:
        """Something is pending; sees to it that it is written in time."""
        self._given = given = self._given + weight
        if waited_for:
            thread = self._thread
            thread.wanted = True
            if thread.idle and not self._due:
                self._due = True
                self._reactor.callLater(0, self._wake)
        elif not self._look_due:
            self._look_due = True
            self._reactor.callLater(UNHURRIED_S, self._look)
        if given - self._written > self._high_water and not self._crowded:
            self._crowded = True
            self._on_backlog(True)

    def _wake(self) -> None:
        self._due = False
        self._thread.wake()

    def _look(self) -> None:
        """What nobody waits for has waited long enough."""
        self._look_due = False
        if self._pending:
            self._thread.wanted = True
            self._thread.wake()

    def _answered(self, answers: list[Answer], weight: int, trouble: StoreError | None) -> None:
        """A batch is over: what it took in memory is free, those who wait are told, and how the store is."""
        self._written += weight
        if isinstance(trouble, StoreBroken):
            self._note_broken(trouble)
        elif isinstance(trouble, StoreFull) and not self.full:
            self._note_full(full=True)
        if isinstance(trouble, StoreFull | StoreBusy):
            self._retry_later()
        for done, answer in answers:
            try:
                done(answer)
            except Exception:  # one session's mistake must not keep the answer from the others
                logger.exception("a session failed over the store's answer")
        if self._crowded and self.backlog < self._low_water:
            self._crowded = False
            self._on_backlog(False)

    def _note_broken(self, trouble: StoreBroken) -> None:
        if self.broken is None:
            self.broken = trouble
            logger.critical("%s", trouble)
            self._on_fatal(trouble)

    def _note_full(self, *, full: bool) -> None:
        self.full = full
        logger.log(*_FULL_WORDS[full])
        self._on_full(full)

    def _retry_later(self) -> None:
        if not self._retry_due and self._stopping is None:
            self._retry_due = True
            self._reactor.callLater(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self._retry_due = False
        if self._stopping is None:
            self._pending.calls.append((SqlStore.probe, self._tried))
            self._handed_over(ITEM_WEIGHT, waited_for=True)

    def _tried(self, answer: StoreError | None) -> None:
        """Only now there is room: what fitted in between may have been a small thing in the last of it."""
        if isinstance(answer, StoreError):
            self._retry_later()
        elif self.full:
            self._note_full(full=False)

    def _ended(self) -> None:
        assert self._stopping is not None
        self._stopping.callback(None)


_FULL_WORDS = {
    True: (logging.ERROR, "the store's disk is full: nothing is acknowledged until there is room"),
    False: (logging.INFO, "the store's disk has room again"),
}
