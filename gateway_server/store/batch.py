"""One transaction of everything that is pending: the group commit both writers share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_server.errors import GatewayError, StoreBroken, StoreError, StoreFull
from gateway_server.store.archive import Submission
from gateway_server.store.records import CallerContact, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sessions import LoggedChunk
from gateway_server.store.sql import SqlStore

logger = logging.getLogger(__name__)

OPEN, LOG, SAVE, CLOSE, CALL, CONTACT = range(6)

ITEM_WEIGHT = 256  # bytes of memory that one pending thing takes beside its own, about

Item = tuple[int, Any, int]  # a kind from above, what `Writer` was given, how many bytes of memory that takes
Answer = tuple[Callable[[Any], None], Any]


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

    Within a transaction come openings, log, readings, contacts, calls, closings. That keeps the order promised to each
    session, because a save for a meter that a call has yet to register registers it itself.
    """

    openings: list[tuple[SessionKey, SessionOpening]] = field(default_factory=list)
    log: list[LoggedChunk] = field(default_factory=list)
    saves: list[Submission] = field(default_factory=list)
    saved: list[Callable[[Any], None]] = field(default_factory=list)
    contacts: list[CallerContact] = field(default_factory=list)
    contacted: list[Callable[[Any], None]] = field(default_factory=list)
    calls: list[tuple[Callable[[SqlStore], Any], Callable[[Any], None]]] = field(default_factory=list)
    closings: list[tuple[SessionKey, SessionClosing, Callable[[Any], None] | None]] = field(default_factory=list)

    @classmethod
    def of(cls, items: Sequence[Item]) -> Batch:
        """Sorts what is pending."""
        batch = cls()
        for item in items:
            kind, payload, _ = item
            if kind == LOG:
                batch.log.append(payload)
            elif kind == SAVE:
                submission, done = payload
                batch.saves.append(submission)
                batch.saved.append(done)
            elif kind == CALL:
                batch.calls.append(payload)
            elif kind == OPEN:
                batch.openings.append(payload)
            elif kind == CONTACT:
                contact, done = payload
                batch.contacts.append(contact)
                batch.contacted.append(done)
            else:
                batch.closings.append(payload)
        return batch

    def commit(self, store: SqlStore) -> list[Answer]:
        """Writes it all, durably, or nothing. Gives whom to tell what. Raises `StoreError`."""
        answers: list[Answer] = []
        try:
            with store.connection.transaction("group commit"):
                if self.openings:
                    store.open_sessions(self.openings)
                if self.log:
                    store.log(self.log)
                if self.saves:
                    answers.extend(zip(self.saved, store.save_all(self.saves), strict=True))
                if self.contacts:
                    answers.extend(zip(self.contacted, store.caller_contacts(self.contacts), strict=True))
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

    def unheard(self) -> list[Item]:
        """What nobody would be told that it was not written: to be written when the store can again."""
        return [
            *((OPEN, opening, ITEM_WEIGHT) for opening in self.openings),
            *((LOG, chunk, ITEM_WEIGHT + len(chunk[3])) for chunk in self.log),
            *((CLOSE, closing, ITEM_WEIGHT) for closing in self.closings if closing[2] is None),
        ]

    def __len__(self) -> int:
        asked = len(self.contacts) + len(self.calls)
        return len(self.openings) + len(self.log) + len(self.saves) + asked + len(self.closings)


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
