"""One transaction of everything that is pending: the group commit both writers share."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

from gateway_server.errors import GatewayError, StoreBroken, StoreError, StoreFull
from gateway_server.store.archive import Submission
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.records import SessionClosing, SessionKey, SessionOpening
from gateway_server.store.segments import LoggedChunk
from gateway_server.store.sql import SqlStore

logger = logging.getLogger(__name__)

_DATA = itemgetter(3)
Call = tuple[Callable[[SqlStore], Any], Callable[[Any], None]]
Closing = tuple[SessionKey, SessionClosing, Callable[[Any], None] | None]
ITEM_WEIGHT = 256  # bytes of memory that one pending thing takes beside its own, about

Answer = tuple[Callable[[Any], None], Any]
T = TypeVar("T")


class Other:
    """Who waits in another thread than the reactor's, and is answered without it."""

    __slots__ = ("_done",)

    def __init__(self, done: Callable[[Any], None]) -> None:
        self._done = done

    def __call__(self, answer: Any) -> None:
        try:
            self._done(answer)
        except Exception:  # one's mistake must not keep the answer from the others
            logger.exception("a thread failed over the store's answer")

    @classmethod
    def answered(cls, answers: list[Answer]) -> list[Answer]:
        """Answers those in other threads; gives back whom the reactor's thread has to answer."""
        for done, answer in answers:
            if type(done) is cls:
                done(answer)
        return [one for one in answers if type(one[0]) is not cls]


@dataclass(slots=True)
class Batch:
    """What is written together, sorted by kind.

    Within a transaction come openings with contacts, log, readings, calls, closings. That keeps the order promised to
    each session, because a save for a meter that a call has yet to register registers it itself.
    """

    openings: list[tuple[SessionKey, SessionOpening]] = field(default_factory=list)
    log: list[LoggedChunk] = field(default_factory=list)
    saves: list[Submission] = field(default_factory=list)
    saved: list[Callable[[Any], None]] = field(default_factory=list)
    contacts: list[CallerContact] = field(default_factory=list)
    contacted: list[Callable[[Any], None]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """How many bytes of memory this takes, about."""
        others = sum([type(done) is Other for _, done in self.calls])  # whoever waits there bounds it himself
        things = len(self) - others + sum([len(rows) + len(events) for _, _, rows, events in self.saves])
        return ITEM_WEIGHT * things + sum(map(len, map(_DATA, self.log)))

    def behind(self, earlier: Batch) -> Batch:
        """The same behind what could not be written earlier, of which nobody waits for anything."""
        return replace(
            self,
            openings=earlier.openings + self.openings,
            log=earlier.log + self.log,
            closings=earlier.closings + self.closings,
        )

    def commit(self, store: SqlStore) -> list[Answer]:
        """Writes it all, durably, or nothing. Gives whom to tell what. Raises `StoreError`."""
        answers: list[Answer] = []
        try:
            with store.connection.transaction("group commit"):
                if self.contacts:
                    answers.extend(zip(self.contacted, self._met(store), strict=True))
                elif self.openings:
                    store.open_sessions(self.openings)
                if self.log:
                    store.log(self.log)
                if self.saves:
                    answers.extend(zip(self.saved, store.save_all(self.saves), strict=True))
                answers.extend(self._called(store))
                for key, closing, ended in self.closings:
                    store.close_session(key, closing)
                    if ended is not None:
                        answers.append((ended, None))
        except BaseException as error:
            for key, _ in self.openings:
                key.id = 0
            if isinstance(error, Exception) and not isinstance(error, StoreError):
                raise StoreError(f"the store was given what it cannot keep: {type(error).__name__}: {error}") from error
            raise
        return answers

    def _met(self, store: SqlStore) -> list[KnownCaller]:
        """Begins sessions, with who calls in them where that has been said: so their records are written once."""
        contacts = self.contacts
        known, numbers = store.callers(contacts)
        said = {key: (number, caller) for (key, caller, _), number in zip(contacts, numbers, strict=True)}
        store.open_sessions(self.openings, said)
        for key, _ in self.openings:
            said.pop(key, None)
        if said:
            store.note_callers(said)
        return known

    def _called(self, store: SqlStore) -> list[Answer]:
        """Does the calls under one savepoint; if any fails, again and each under its own, so that it fails alone."""
        if len(self.calls) > 1:
            try:
                with store.connection.attempt("calls"):
                    return [(done, work(store)) for work, done in self.calls]
            except (StoreFull, StoreBroken):
                raise
            except Exception as error:  # noqa: BLE001  # whose it was shows below, and it is told there
                logger.debug("one of %d calls failed, each is tried alone: %s", len(self.calls), error)
        return [(done, _call(store, work)) for work, done in self.calls]

    def one_by_one(self) -> list[Batch]:
        """The same as batches of one thing each, to find out which of them cannot be written."""
        return [
            *(Batch(openings=[opening]) for opening in self.openings),
            *(Batch(log=[chunk]) for chunk in self.log),
            *(Batch(saves=[save], saved=[done]) for save, done in zip(self.saves, self.saved, strict=True)),
            *(
                Batch(contacts=[contact], contacted=[done])
                for contact, done in zip(self.contacts, self.contacted, strict=True)
            ),
            *(Batch(calls=[call]) for call in self.calls),
            *(Batch(closings=[closing]) for closing in self.closings),
        ]

    def refused(self, error: StoreError) -> list[Answer]:
        """Whom to tell that nothing of it was written."""
        ended = [done for _, _, done in self.closings if done is not None]
        called = [done for _, done in self.calls]
        return [(done, error) for done in (*self.saved, *self.contacted, *called, *ended)]

    def unheard(self) -> Batch:
        """What nobody would be told that it was not written: to be written when the store can again."""
        closings = [closing for closing in self.closings if closing[2] is None]
        return Batch(openings=self.openings, log=self.log, closings=closings)

    def __len__(self) -> int:
        asked = len(self.contacts) + len(self.calls)
        return len(self.openings) + len(self.log) + len(self.saves) + asked + len(self.closings)


class Pending:
    """What sessions have handed over on the reactor's thread and the store's thread has not taken yet.

    Each kind has a queue of its own; what belongs together is appended in the order of the attributes. The other
    thread takes at any moment: first of the kind that comes last, so that whatever a thing it took depends on (a
    session's opening, the log that a reading was found in) is there when its own kind's turn comes.
    """

    __slots__ = ("calls", "closings", "contacted", "contacts", "log", "openings", "saved", "saves")

    def __init__(self) -> None:
        self.openings: deque[tuple[SessionKey, SessionOpening]] = deque()
        self.log: deque[LoggedChunk] = deque()
        self.saves: deque[Submission] = deque()
        self.saved: deque[Callable[[Any], None]] = deque()
        self.contacts: deque[CallerContact] = deque()
        self.contacted: deque[Callable[[Any], None]] = deque()
        self.calls: deque[Call] = deque()
        self.closings: deque[Closing] = deque()

    def take(self) -> Batch:
        """Everything that is pending."""
        closings = _taken(self.closings, len(self.closings))
        calls = _taken(self.calls, len(self.calls))
        contacted = _taken(self.contacted, len(self.contacted))
        contacts = _taken(self.contacts, len(contacted))
        saved = _taken(self.saved, len(self.saved))
        saves = _taken(self.saves, len(saved))
        log = _taken(self.log, len(self.log))
        openings = _taken(self.openings, len(self.openings))
        return Batch(openings, log, saves, saved, contacts, contacted, calls, closings)

    def __bool__(self) -> bool:
        return bool(self.log or self.saved or self.calls or self.contacted or self.openings or self.closings)


def _taken(queue: deque[T], count: int) -> list[T]:
    take = queue.popleft
    return [take() for _ in range(count)]


def _call(store: SqlStore, work: Callable[[SqlStore], Any]) -> Any:
    """Does one piece of work so that its failure stays its own, and gives its result or its `GatewayError`."""
    try:
        with store.connection.attempt("call"):
            return work(store)
    except (StoreFull, StoreBroken):
        raise
    except GatewayError as error:
        return error
    except Exception as error:  # noqa: BLE001  # somebody else's work; whoever asked for it is told
        return StoreError(f"work in the store failed: {type(error).__name__}: {error}")
