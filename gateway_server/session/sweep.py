"""Long waits of thousands of sessions on one timer."""

from __future__ import annotations

from math import inf
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Waiter(Protocol):
    """Somebody who waits until ``deadline`` (seconds of the clock); ``bucket`` belongs to the sweep, 0 at first."""

    deadline: float
    bucket: int

    def overdue(self) -> None:
        """The deadline has passed."""


class Sweep:
    """Calls waiters whose deadline has passed, up to a second late.

    A waiter may move its deadline back without telling anybody, which costs nothing; it is looked at when its old
    deadline comes, and put off. Only an earlier deadline needs another `watch`.
    """

    __slots__ = ("_buckets", "_clock", "_timer")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._buckets: dict[int, set[Waiter]] = {}
        self._timer: IDelayedCall | None = None

    def watch(self, waiter: Waiter) -> None:
        """Sees to it that ``waiter`` is called when its deadline has passed; one without any is not watched."""
        if waiter.deadline == inf:
            return
        bucket = int(waiter.deadline) + 1
        if waiter.bucket:
            if waiter.bucket <= bucket:
                return
            self.forget(waiter)
        waiter.bucket = bucket
        waiting = self._buckets.get(bucket)
        if waiting is None:
            self._buckets[bucket] = {waiter}
            if self._timer is None:
                self._arm()
        else:
            waiting.add(waiter)

    def forget(self, waiter: Waiter) -> None:
        """``waiter`` waits for nothing any more."""
        if waiter.bucket:
            waiting = self._buckets.get(waiter.bucket)
            if waiting is not None:
                waiting.discard(waiter)
            waiter.bucket = 0

    def stop(self) -> None:
        """Nobody is called any more."""
        self._buckets.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._timer = self._clock.callLater(1.0, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for bucket in sorted(bucket for bucket in self._buckets if bucket <= now):
            for waiter in self._buckets.pop(bucket):
                if waiter.bucket != bucket:
                    continue
                waiter.bucket = 0
                if waiter.deadline > now:
                    self.watch(waiter)
                else:
                    waiter.overdue()
        if self._buckets and self._timer is None:
            self._arm()
