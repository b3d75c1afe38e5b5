"""The night as a plan: which job is called when, by which modem, and what cannot be called and why.

Pure: from jobs, modems and limits, by a clock that is an argument. `Board.pick` is what the gateway asks when a modem
is ready; `planned` plays the same rules through to the end of the night, for people who want to see it beforehand.

First comes what a person ordered and the higher priority; then the window that closes sooner; then a meter whose call
failed before, because its gaps are what a night ends with; then the longest call: long ones first is what packs a
pool of modems tightly (Graham's bound for longest processing time: 4/3 of the best, and near 1 for many short calls).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

ANY_TIME = 1 << 62
LEAST_CALL_S = 30.0
"""With less air time left a call is not worth its set-up."""


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
    any), ``accepts`` when the meter answers, ``used_s`` its air time of the last 24 hours, ``blocked`` why it must not
    be called.
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
        for opens, ends in self.accepts or ((at, self.until_ms),):
            if max(opens, at) < min(ends, self.until_ms):
                return max(opens, at)
        return None

    def ends_at(self, at_ms: int) -> int:
        """When the time in which it may be called, and which is open now, is over."""
        return min([self.until_ms, *(ends for opens, ends in self.accepts if opens <= at_ms < ends)])


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


@dataclass(frozen=True, slots=True)
class _Held:
    """A call that is being made, and when the last one before it began in the same places."""

    serial: str
    operator: str
    group: str
    before: tuple[tuple[str, int | None], ...]


@dataclass(slots=True)
class Board:
    """The calls that are being made, and what the limits say of the next one."""

    limits: Limits
    modems: tuple[str, ...] = ()
    _calls: dict[str, _Held] = field(default_factory=dict)  # by modem
    _began: dict[str, int] = field(default_factory=dict)

    def begin(self, candidate: Candidate, modem: Modem, at_ms: int) -> None:
        """A call begins."""
        places = _places(modem.operator, candidate.group)
        before = tuple((place, self._began.get(place)) for place in places)
        self._calls[modem.name] = _Held(candidate.serial, modem.operator, candidate.group, before)
        for place in places:
            self._began[place] = at_ms

    def undo(self, modem: str) -> None:
        """The call did not begin: nobody else has to keep a distance from it."""
        held = self._calls.pop(modem, None)
        for place, at_ms in held.before if held is not None else ():
            if at_ms is None:
                self._began.pop(place, None)
            else:
                self._began[place] = at_ms

    def end(self, modem: str) -> None:
        """The modem's call is over."""
        self._calls.pop(modem, None)

    def calls(self, serial: str) -> bool:
        """Whether this meter is in a call: it can have no second one."""
        return any(held.serial == serial for held in self._calls.values())

    def pick(self, candidates: Iterable[Candidate], modem: Modem, at_ms: int) -> Candidate | None:
        """The job that this modem calls now, of those in the order of their rank."""
        if self.limits.modem_day_s and self.limits.modem_day_s - modem.used_s < LEAST_CALL_S:
            return None
        for candidate in candidates:
            if self.fits(candidate, modem, at_ms):
                return candidate
        return None

    def fits(self, candidate: Candidate, modem: Modem, at_ms: int) -> bool:
        """Whether this modem may call this meter now."""
        if candidate.blocked or candidate.opens_at(at_ms) != at_ms or self.calls(candidate.serial):
            return False
        if candidate.modem not in ("", modem.name):
            return False
        if candidate.avoid == modem.name and len(self.modems) > 1 and not candidate.modem:
            return False
        if candidate.operator and candidate.operator != modem.operator:
            return False
        least = min(LEAST_CALL_S, self.limits.call_s or LEAST_CALL_S)
        return self.budget(candidate, modem) >= least and self.waits_until(candidate, modem, at_ms) <= at_ms

    def budget(self, candidate: Candidate, modem: Modem) -> float:
        """How long this call may take."""
        limits = self.limits
        left = [limits.call_s or float(ANY_TIME)]
        if limits.meter_day_s:
            left.append(limits.meter_day_s - candidate.used_s)
        if limits.modem_day_s:
            left.append(limits.modem_day_s - modem.used_s)
        return min(left)

    def waits_until(self, candidate: Candidate, modem: Modem, at_ms: int) -> int:
        """When the limits of operator and group let this call begin; `ANY_TIME` while too many are being made."""
        limits = self.limits
        calls = self._calls.values()
        on_operator = sum(held.operator == modem.operator for held in calls) if modem.operator else 0
        in_group = sum(held.group == candidate.group for held in calls) if candidate.group else 0
        if 0 < limits.operator_at_once <= on_operator or 0 < limits.group_at_once <= in_group:
            return ANY_TIME
        spread = int(limits.spread_s * 1000)
        began = [self._began[one] for one in _places(modem.operator, candidate.group) if one in self._began]
        return max([at_ms, *(at + spread for at in began)])

    def next_change(self, candidates: Iterable[Candidate], modems: Iterable[Modem], at_ms: int) -> int | None:
        """When a job may be called that may not be called now, as far as time alone decides it; None if none."""
        times = []
        ready = list(modems)
        for candidate in candidates:
            opens = None if candidate.blocked else candidate.opens_at(at_ms)
            if opens is None:
                continue
            if opens > at_ms:
                times.append(opens)
            else:
                times += [at for modem in ready if at_ms < (at := self.waits_until(candidate, modem, at_ms)) < ANY_TIME]
        return min(times, default=None)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The jobs in the order in which they are to be called."""
    return sorted(candidates, key=lambda one: one.rank)


def planned(candidates: Iterable[Candidate], modems: Sequence[Modem], limits: Limits, now_ms: int) -> Plan:
    """The night played through: every call takes as long as expected, and succeeds."""
    waiting = ranked(one for one in candidates if not one.blocked)
    left = [Left(one, one.blocked) for one in candidates if one.blocked]
    board = Board(limits, tuple(modem.name for modem in modems))
    # least recently used first, as the pool does it
    free = [(max(modem.free_ms, now_ms), place, modem) for place, modem in enumerate(modems)]
    heapq.heapify(free)
    running: list[tuple[int, str]] = []
    calls: list[Planned] = []
    while waiting and free:
        at_ms, place, modem = heapq.heappop(free)
        while running and running[0][0] <= at_ms:
            board.end(heapq.heappop(running)[1])
        chosen = board.pick(waiting, modem, at_ms)
        if chosen is None:
            changes = [board.next_change(waiting, [modem], at_ms), *(end for end, _ in running[:1])]
            after = min((at for at in changes if at is not None and at > at_ms), default=None)
            if after is not None:
                heapq.heappush(free, (after, place, modem))
            continue
        waiting.remove(chosen)
        length_s = min(chosen.expected_s, board.budget(chosen, modem))
        end_ms = at_ms + int(length_s * 1000)
        board.begin(chosen, modem, at_ms)
        heapq.heappush(running, (end_ms, modem.name))
        heapq.heappush(free, (end_ms, place, replace(modem, used_s=modem.used_s + length_s)))
        calls.append(Planned(chosen, modem.name, at_ms, end_ms))
    left += [Left(one, _why(one, modems, limits, now_ms)) for one in waiting]
    return Plan(tuple(calls), tuple(left))


def _why(candidate: Candidate, modems: Sequence[Modem], limits: Limits, now_ms: int) -> str:
    """What keeps a job from being called."""
    if not modems:
        return "no modem is in service"
    if limits.meter_day_s and limits.meter_day_s - candidate.used_s < LEAST_CALL_S:
        return f"its air time of 24 hours is used up ({candidate.used_s:.0f} of {limits.meter_day_s:.0f} s)"
    if candidate.modem and all(modem.name != candidate.modem for modem in modems):
        return f"its route names modem {candidate.modem}, which is not in service"
    if candidate.operator and all(modem.operator != candidate.operator for modem in modems):
        return f"no modem in service has a SIM card of {candidate.operator}"
    if candidate.opens_at(now_ms) is None:
        if candidate.accepts and candidate.until_ms > now_ms:
            return "it answers no calls within the window of its schedule"
        return "its window is over"
    if limits.modem_day_s and all(limits.modem_day_s - modem.used_s < LEAST_CALL_S for modem in modems):
        return "the modems' air time of 24 hours is used up"
    return "all modems are busy until its window ends"


def _places(operator: str, group: str) -> list[str]:
    return [f"{kind}:{name}" for kind, name in (("operator", operator), ("group", group)) if name]
