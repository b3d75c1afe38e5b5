"""The store's thread: it takes whatever is pending as soon as it is free, and commits it together."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol

from gateway_server.errors import StoreBroken, StoreBusy, StoreError, StoreFull
from gateway_server.store.batch import Answer, Batch, Other, Pending
from gateway_server.store.inbox import FOLD_AT
from gateway_server.store.sql import SqlStore

logger = logging.getLogger(__name__)


class Answering(Protocol):
    """The way back to the thread that asks."""

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> Any: ...


def _unheard(_: object) -> None:
    """Whether there is room is told by the whole batch."""


class StoreThread:
    """Writes what is ``pending`` in one transaction at a time, sleeping while nothing is ``wanted``.

    Behind each commit it lets ``answered`` be called, on the thread of those who asked: with whom to tell what, how
    many bytes of memory are free again, and what is wrong with the store, if anything. ``ended`` is called behind all
    of that, when the store is closed.
    """

    def __init__(
        self,
        reactor: Answering,
        open_store: Callable[[], SqlStore],
        pending: Pending,
        answered: Callable[[list[Answer], int, StoreError | None], None],
        ended: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._open_store = open_store
        self._pending = pending
        self._answered = answered
        self._ended = ended
        self._thread: threading.Thread | None = None
        self._opened: SimpleQueue[BaseException | None] = SimpleQueue()
        self._tokens: SimpleQueue[None] = SimpleQueue()  # one wakes the thread
        self._ending = False
        self._kept = Batch()  # to be written when there is room
        self.idle = False  # the thread sleeps, or is about to look once more whether it is wanted
        self.wanted = False  # something is pending that shall be written now

    # what others call

    def start(self) -> None:
        """Opens the store on the thread; raises whatever that raises, and may then be tried again."""
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()
        if (failure := self._opened.get()) is not None:
            self._thread.join()
            self._thread = None
            raise failure

    def wake(self) -> None:
        """It is wanted. It sleeps only after it has said that it is idle and then seen that it is not wanted, so none
        is missed; woken once too often it looks once more."""
        if self.idle:
            self.idle = False
            self._tokens.put(None)

    def end(self) -> bool:
        """Writes what is pending and ends. Tells whether there is anything to wait for."""
        self._ending = True
        self._tokens.put(None)
        return self._thread is not None and self._thread.is_alive()

    # on the thread

    def _run(self) -> None:
        try:
            store = self._open_store()
            with suppress(StoreFull, StoreBusy):  # then commits take their time, or say so themselves
                store.reserve()
        except BaseException as error:  # noqa: BLE001  # whoever starts us gets it
            self._opened.put(error)
            return
        self._opened.put(None)
        broken: StoreBroken | None = None
        no_room = False
        fold_at = FOLD_AT
        while batch := self._take():
            weight = batch.weight
            if self._kept:
                batch, self._kept = batch.behind(self._kept), Batch()
                weight = batch.weight
            trouble: StoreError | None = broken
            if broken is not None:
                answers = batch.refused(broken)
            else:
                if no_room:  # only something that writes shows that there is room again
                    batch.calls.append((SqlStore.probe, _unheard))
                answers, trouble = self._commit(store, batch)
                broken = trouble if isinstance(trouble, StoreBroken) else None
                no_room = isinstance(trouble, StoreFull)
                weight -= self._kept.weight
            answers = Other.answered(answers)
            if answers or weight or trouble is not None:
                self._reactor.callFromThread(self._answered, answers, weight, trouble)
            if store.waiting >= fold_at and trouble is None:
                broken = self._fold(store)
                fold_at = store.waiting + FOLD_AT
        if self._kept:
            logger.error("the store had no room for %d entries of session logs; they are lost", len(self._kept))
        store.close()
        self._reactor.callFromThread(self._over)

    def _over(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._ended()

    def _fold(self, store: SqlStore) -> StoreBroken | None:
        """Folds the inbox into the archive while those who were just answered go on. What cannot be folded now is
        as safe where it is."""
        try:
            store.fold()
        except StoreBroken as error:
            self._reactor.callFromThread(self._answered, [], 0, error)
            return error
        except StoreError as error:
            logger.warning("new rows wait in the store's inbox: %s", error)
        return None

    def _take(self) -> Batch:
        """What is pending; waits until some of it shall be written. Nothing when we are to stop."""
        pending = self._pending
        while True:
            if self.wanted or self._ending:
                self.wanted = False
                if pending:
                    return pending.take()
                if self._ending:
                    return Batch()
            self.idle = True
            if not self.wanted and not self._ending:
                self._tokens.get()
            self.idle = False

    def _commit(self, store: SqlStore, batch: Batch) -> tuple[list[Answer], StoreError | None]:
        try:
            return batch.commit(store), None
        except (StoreFull, StoreBusy) as error:
            self._kept = batch.unheard()
            return batch.refused(error), error
        except StoreBroken as error:
            return batch.refused(error), error
        except StoreError as error:
            if len(batch) == 1:
                logger.error("not stored: %s", error)
                return batch.refused(error), None
        answers: list[Answer] = []
        parts = deque(batch.one_by_one())
        while parts:
            part = parts.popleft()
            given, trouble = self._commit(store, part)
            answers += given
            if trouble is not None:
                for rest in parts:
                    answers += rest.refused(trouble)
                    self._kept = rest.unheard().behind(self._kept)
                return answers, trouble
        return answers, None
