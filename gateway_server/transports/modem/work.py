"""One piece of work at a time, dropped with its timers when a modem's state is left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from gateway_server.errors import LineError

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Work:
    """What a modem is doing now, and what it will do later unless its state is left before."""

    def __init__(self, clock: IReactorTime, name: str) -> None:
        self._clock = clock
        self._name = name
        self._doing: Deferred[Any] | None = None
        self._timers: list[IDelayedCall] = []

    def do(
        self, work: Coroutine[Any, Any, T], done: Callable[[T], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Begins it; one of the two hears how it went, none if it is dropped."""
        self._doing = doing = Deferred.fromCoroutine(work)

        def fail(failure: Failure) -> None:
            if failure.check(CancelledError):
                return
            if not failure.check(LineError):
                logger.error("modem %s: %s", self._name, failure.getTraceback())
            failed(failure.value or LineError(str(failure)))

        doing.addCallbacks(done, fail)
        doing.addErrback(lambda failure: logger.error("modem %s: %s", self._name, failure.getTraceback()))

    def later(self, seconds: float, work: Callable[..., object], *arguments: object) -> None:
        """Does it in so many seconds."""
        self._timers.append(self._clock.callLater(seconds, work, *arguments))

    def drop(self) -> None:
        """Nothing of it is wanted any more."""
        doing, self._doing = self._doing, None
        if doing is not None:
            doing.cancel()
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()
