"""The night as a plan: which job is called when, by which modem, and what cannot be called and why.

Pure: from jobs, modems and limits, by a clock that is an argument. `queue.Queue.take` is what the gateway asks when a
modem is ready; `forecast.planned` plays the same rules through to the end of the night.

First comes what a person ordered and the higher priority; then the window that closes sooner; then a meter whose call
failed before, because its gaps are what a night ends with; then the longest call: long ones first is what packs a
pool of modems tightly (Graham's bound for longest processing time: 4/3 of the best, and near 1 for many short calls).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ANY_TIME = 1 << 62
LEAST_CALL_S = 30.0
"""With less air time left a call is not worth its set-up."""
LEAST_CALL_MS = int(LEAST_CALL_S * 1000)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is called.

    Seconds a call, a meter and a modem in 24 hours (0: no limit); calls at once on one SIM operator and in one group
    (0: any); at least ``spread_s`` between two calls that begin on one operator or in one group.
    """

    call_s: float = 1800.0
    meter_day_s: float = 3600.0
    modem_day_s: float = 0.0
    operator_at_once: int = 0
    group_at_once: int = 0
    spread_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that waits for a modem.

    ``group`` is what the limits of groups count, ``operator`` whose SIM must call and ``modem`` which modem (empty:
    any), ``used_s`` its air time of the last 24 hours, ``blocked`` why it must not be called. ``until_ms`` is the last
    moment at which a call may begin; ``accepts`` is when the meter answers (empty: always), and bounds the call itself.
    """

    job: int
    serial: str
    expected_s: float
    from_ms: int = 0
    until_ms: int = ANY_TIME
    priority: int = 0
    tries: int = 0
    group: str = ""
    operator: str = ""
    avoid: str = ""
    modem: str = ""
    accepts: tuple[tuple[int, int], ...] = ()
    used_s: float = 0.0
    blocked: str = ""

    @property
    def rank(self) -> tuple[float, ...]:
        """Who comes first."""
        return (-self.priority, self.until_ms, -min(self.tries, 1), -self.expected_s, self.job)

    def opens_at(self, now_ms: int) -> int | None:
        """When it may be called, from now on; None if it may not any more."""
        at = max(now_ms, self.from_ms)
        for opens, ends in self.accepts or ((at, ANY_TIME),):
            begins = max(opens, at)
            if begins < self.until_ms and begins + LEAST_CALL_MS <= ends:
                return begins
        return None

    def answers_for(self, at_ms: int) -> float:
        """For how many seconds from now on the meter answers."""
        until = [ends for opens, ends in self.accepts if opens <= at_ms < ends] or [at_ms if self.accepts else ANY_TIME]
        return (max(until) - at_ms) / 1000


@dataclass(frozen=True, slots=True)
class Modem:
    """A modem of the pool as the plan counts with it."""

    name: str
    operator: str = ""
    free_ms: int = 0
    used_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A call as it is to be expected."""

    candidate: Candidate
    modem: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Left:
    """A job that is not called this night, and why."""

    candidate: Candidate
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole night."""

    calls: tuple[Planned, ...] = ()
    left: tuple[Left, ...] = ()

    @property
    def end_ms(self) -> int:
        """When the last call is over."""
        return max((call.end_ms for call in self.calls), default=0)

    @property
    def busy_s(self) -> float:
        """What all calls take together."""
        return sum(call.end_ms - call.start_ms for call in self.calls) / 1000


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The jobs in the order in which they are to be called."""
    return sorted(candidates, key=lambda one: one.rank)
