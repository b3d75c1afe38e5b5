"""A clock that goes faster than the one it hangs on: set-up times, pace and latency of lines shrink with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IReactorTime)
class ScaledClock:
    """``factor`` seconds pass here in each second of ``clock``, counted from its making."""

    def __init__(self, clock: IReactorTime, factor: float) -> None:
        if factor <= 0:
            raise ValueError(f"time cannot go {factor} times as fast")
        self._clock = clock
        self._factor = factor
        self._start = clock.seconds()

    def seconds(self) -> float:
        """The time here."""
        return self._start + (self._clock.seconds() - self._start) * self._factor

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> IDelayedCall:
        """Calls something when so much time has passed here."""
        return self._clock.callLater(delay / self._factor, callable, *args, **kw)

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """What is still to be called, in the time of the clock behind."""
        return list(self._clock.getDelayedCalls())
