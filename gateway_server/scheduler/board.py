"""The calls that are being made, and what the limits say of the next one."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway_server.scheduler.night import ANY_TIME, LEAST_CALL_S, Candidate, Limits, Modem


class Kind(NamedTuple):
    """What the limits look at: jobs alike in this may be called by the same modems at the same time."""

    group: str
    operator: str
    modem: str
    avoid: str

    @classmethod
    def of(cls, one: Candidate) -> Kind:
        """The kind of a job."""
        return cls(one.group, one.operator, one.modem, one.avoid)


class Obstacle(enum.Enum):
    """Why a modem that is ready does not call: the modem is not the right one, or a limit is in the way."""

    OTHER_MODEM = enum.auto()
    OTHER_OPERATOR = enum.auto()
    MODEM_DAY = enum.auto()
    OPERATOR_FULL = enum.auto()
    GROUP_FULL = enum.auto()
    TOO_SOON = enum.auto()

    def said(self, kind: Kind, modem: Modem, limits: Limits) -> str:
        """In words, with the limit's name in the configuration and its value."""
        match self:
            case Obstacle.OTHER_MODEM:
                return f"it is not called by modem {modem.name}"
            case Obstacle.OTHER_OPERATOR:
                return f"no modem in service has a SIM card of {kind.operator}"
            case Obstacle.MODEM_DAY:
                return f"the modems' air time of 24 hours is used up (per_modem_and_day = {limits.modem_day_s:g})"
            case Obstacle.OPERATOR_FULL:
                most = limits.operator_at_once
                return f"no more calls at once over SIM cards of {modem.operator} (at_once_per_operator = {most})"
            case Obstacle.GROUP_FULL:
                return f"no more calls at once in group {kind.group} (at_once_per_group = {limits.group_at_once})"
            case Obstacle.TOO_SOON:
                return f"calls of one operator or in one group keep their distance (spread = {limits.spread_s:g})"


@dataclass(frozen=True, slots=True)
class _Held:
    """A call that is being made, and when the last one before it began in the same places."""

    serial: str
    before: dict[str, int | None]


@dataclass(slots=True)
class Board:
    """The calls that are being made."""

    limits: Limits
    modems: tuple[str, ...] = ()
    _calls: dict[str, _Held] = field(default_factory=dict)  # by modem
    _serials: set[str] = field(default_factory=set)
    _at_once: Counter[str] = field(default_factory=Counter)  # by place: an operator or a group
    _began: dict[str, int] = field(default_factory=dict)  # by place

    def begin(self, candidate: Candidate, modem: Modem, at_ms: int) -> None:
        """A call begins."""
        places = _places(modem.operator, candidate.group)
        self._calls[modem.name] = _Held(candidate.serial, {place: self._began.get(place) for place in places})
        self._serials.add(candidate.serial)
        self._at_once.update(places)
        self._began.update(dict.fromkeys(places, at_ms))

    def end(self, modem: str) -> None:
        """The modem's call is over."""
        self._end(modem)

    def undo(self, modem: str) -> None:
        """The call did not begin: nobody else has to keep a distance from it."""
        for place, at_ms in self._end(modem).items():
            if at_ms is None:
                self._began.pop(place, None)
            else:
                self._began[place] = at_ms

    def _end(self, modem: str) -> dict[str, int | None]:
        held = self._calls.pop(modem, None)
        if held is None:
            return {}
        self._serials.discard(held.serial)
        self._at_once.subtract(held.before.keys())
        return held.before

    def calls(self, serial: str) -> bool:
        """Whether this meter is in a call: it can have no second one."""
        return serial in self._serials

    def obstacle(self, kind: Kind, modem: Modem, at_ms: int) -> Obstacle | None:
        """What keeps this modem from calling jobs of a kind now; None if nothing does."""
        limits = self.limits
        if limits.modem_day_s and limits.modem_day_s - modem.used_s < LEAST_CALL_S:
            return Obstacle.MODEM_DAY
        if kind.modem not in ("", modem.name):
            return Obstacle.OTHER_MODEM
        if kind.avoid == modem.name and len(self.modems) > 1 and not kind.modem:
            return Obstacle.OTHER_MODEM
        if kind.operator not in ("", modem.operator):
            return Obstacle.OTHER_OPERATOR
        if modem.operator and 0 < limits.operator_at_once <= self._at_once[f"operator:{modem.operator}"]:
            return Obstacle.OPERATOR_FULL
        if kind.group and 0 < limits.group_at_once <= self._at_once[f"group:{kind.group}"]:
            return Obstacle.GROUP_FULL
        return Obstacle.TOO_SOON if self._far_enough(kind, modem) > at_ms else None

    def fits(self, candidate: Candidate, modem: Modem, at_ms: int) -> bool:
        """Whether this modem may call this meter now."""
        return self.obstacle(Kind.of(candidate), modem, at_ms) is None and self.suits(candidate, modem, at_ms)

    def suits(self, candidate: Candidate, modem: Modem, at_ms: int) -> bool:
        """Whether the meter may be called now by a modem that may call jobs of its kind."""
        if candidate.blocked or candidate.opens_at(at_ms) != at_ms or self.calls(candidate.serial):
            return False
        least = min(LEAST_CALL_S, self.limits.call_s or LEAST_CALL_S)
        return self.budget(candidate, modem, at_ms) >= least

    def budget(self, candidate: Candidate, modem: Modem, at_ms: int) -> float:
        """How long a call that begins now may take."""
        limits = self.limits
        left = [limits.call_s or float(ANY_TIME), candidate.answers_for(at_ms)]
        if limits.meter_day_s:
            left.append(limits.meter_day_s - candidate.used_s)
        if limits.modem_day_s:
            left.append(limits.modem_day_s - modem.used_s)
        return min(left)

    def next_change(self, kinds: Iterable[Kind], modems: Iterable[Modem], at_ms: int) -> int | None:
        """When a modem may call jobs of one of these kinds that it may not call now, if time alone decides it."""
        ready = list(modems)
        return min(
            (
                self._far_enough(kind, modem)
                for kind in kinds
                for modem in ready
                if self.obstacle(kind, modem, at_ms) is Obstacle.TOO_SOON
            ),
            default=None,
        )

    def _far_enough(self, kind: Kind, modem: Modem) -> int:
        spread = int(self.limits.spread_s * 1000)
        return max(
            (self._began[one] + spread for one in _places(modem.operator, kind.group) if one in self._began), default=0
        )


def _places(operator: str, group: str) -> list[str]:
    return [f"{kind}:{name}" for kind, name in (("operator", operator), ("group", group)) if name]
