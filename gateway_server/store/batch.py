"""One transaction of everything that is pending: the group commit both writers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_server.errors import GatewayError, StoreBroken, StoreError, StoreFull
from gateway_server.store.archive import Submission
from gateway_server.store.records import SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sessions import LoggedChunk
from gateway_server.store.sql import SqlStore

OPEN, LOG, SAVE, CLOSE, CALL = range(5)

Item = tuple[Any, ...]  # a kind from above, then what `Writer` was given
Answer = tuple[Callable[[Any], None], Any]


@dataclass(slots=True)
class Batch:
    """What is written together, sorted by kind.

    Within a transaction come openings, log, readings, calls, closings. That keeps the order promised to each session,
    because a save for a meter that a call has yet to register registers it itself.
    """

    openings: list[tuple[SessionKey, SessionOpening]] = field(default_factory=list)
    log: list[LoggedChunk] = field(default_factory=list)
    saves: list[Submission] = field(default_factory=list)
    saved: list[Callable[[Any], None]] = field(default_factory=list)
    calls: list[tuple[Callable[[SqlStore], Any], Callable[[Any], None]]] = field(default_factory=list)
    closings: list[tuple[SessionKey, SessionClosing, Callable[[Any], None] | None]] = field(default_factory=list)

    @classmethod
    def of(cls, items: Sequence[Item]) -> Batch:
        """Sorts what is pending."""
        batch = cls()
        for item in items:
            kind = item[0]
            if kind == LOG:
                batch.log.append(item[1:])
            elif kind == SAVE:
                batch.saves.append(item[1:5])
                batch.saved.append(item[5])
            elif kind == CALL:
                batch.calls.append(item[1:])
            elif kind == OPEN:
                batch.openings.append(item[1:])
            else:
                batch.closings.append(item[1:])
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
                for work, done in self.calls:
                    answers.append((done, _call(store, work)))
                for key, closing, ended in self.closings:
                    store.close_session(key, closing)
                    if ended is not None:
                        answers.append((ended, None))
        except BaseException:
            for key, _ in self.openings:
                key.id = 0
            raise
        return answers

    def refused(self, error: StoreError) -> list[Answer]:
        """Whom to tell that nothing of it was written."""
        ended = [done for _, _, done in self.closings if done is not None]
        return [(done, error) for done in (*self.saved, *(done for _, done in self.calls), *ended)]

    def unheard(self) -> list[Item]:
        """What nobody would be told that it was not written: to be written when the store can again."""
        return [
            *((OPEN, *opening) for opening in self.openings),
            *((LOG, *chunk) for chunk in self.log),
            *((CLOSE, *closing) for closing in self.closings if closing[2] is None),
        ]


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
