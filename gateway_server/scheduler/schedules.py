"""When a meter is to be read: cron text in its own time zone, a window, days on which nothing is called.

A night begins when its cron text says so and has the window around it, or the next one; over midnight too. What is due
follows from the clock alone, so a planner that was away makes up for the night that is still on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from gateway_server.errors import OperatorError
from gateway_server.scheduler.grid import local, utc
from gateway_server.store.records import MeterRecord

_MINUTE = timedelta(minutes=1)
_LONGEST_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day from ``start`` to ``end``; over midnight where the end is the earlier one."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """From ``HH:MM-HH:MM``. Raises `OperatorError`."""
        start, dash, end = text.partition("-")
        try:
            if not dash:
                raise ValueError(text)
            window = cls(time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
        except ValueError:
            raise OperatorError(f"{text!r} is no window; write HH:MM-HH:MM, such as 22:30-05:00") from None
        if window.start == window.end:
            raise OperatorError(f"the window {text!r} is empty; leave it out for the whole day")
        return window

    def around(self, at_ms: int, zone: ZoneInfo) -> tuple[int, int]:
        """When the window that is open at this time, or the next one, opens and ends."""
        day = local(at_ms, zone).date()
        for start in (day - timedelta(days=1), day, day + timedelta(days=1), day + timedelta(days=2)):
            opens = utc(datetime.combine(start, self.start), zone)
            ends = utc(datetime.combine(start + timedelta(days=int(self.end <= self.start)), self.end), zone)
            if ends > at_ms:
                return opens, ends
        raise AssertionError("a window of a day opens within two days")

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Night:
    """One time that a schedule is due: from ``due_ms`` to ``end_ms``. ``key`` names it, in the meter's own clock."""

    key: str
    due_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to be read of whom, and when.

    ``meters`` and ``groups`` (with what is below them) say of whom; neither means of all. ``transports`` are the kinds
    of routes it may use, in the order of the meter's own routes; none means any.
    """

    name: str
    cron: str
    meters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    window: Window | None = None
    what: frozenset[str] = frozenset({"archive"})
    archives: tuple[str, ...] = ()
    priority: int = 0
    attempts: int = 4
    black_out: frozenset[date] = frozenset()
    transports: tuple[str, ...] = ()

    def wants(self, meter: MeterRecord) -> bool:
        """Whether this meter is one of the schedule's."""
        if not self.meters and not self.groups:
            return True
        return meter.serial in self.meters or in_groups(meter.group, self.groups)

    def route(self, meter: MeterRecord) -> str:
        """The first of the meter's routes that the schedule may use; empty if there is none."""
        for route in meter.routes:
            kind = route.partition(":")[0]
            if kind != "ftp" and (not self.transports or kind in self.transports):
                return route
        return ""

    def night_at(self, at_ms: int, zone: ZoneInfo) -> Night | None:
        """The night that is on, or still to come of the last time the schedule was due."""
        now = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        minute = now.replace(second=0, microsecond=0)
        due = next(CronSim(self.cron, minute + _MINUTE, reverse=True), None)
        return None if due is None else self._night(due, at_ms, zone)

    def next_night(self, at_ms: int, zone: ZoneInfo) -> Night | None:
        """The first night that begins behind this time; black-outs are passed over."""
        now = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        times = CronSim(self.cron, now)
        for _ in range(len(self.black_out) * 24 + 2):
            due = next(times, None)
            if due is None:
                return None
            night = self._night(due, 0, zone)
            if night is not None:
                return night
        return None

    def nights(self, at_ms: int, zone: ZoneInfo) -> list[Night]:
        """The night that is on, and those that begin within a day."""
        found = [self.night_at(at_ms, zone)]
        following = self.next_night(at_ms, zone)
        while following is not None and following.due_ms < at_ms + _LONGEST_MS:
            found.append(following)
            later = self.next_night(utc(datetime.fromisoformat(following.key), zone), zone)
            following = later if later is not None and later.key != following.key else None
        return list({night.key: night for night in found if night is not None}.values())

    def nights_of(self, day: date, zone: ZoneInfo) -> list[Night]:
        """The nights that begin on this day by a clock in the zone."""
        start = utc(datetime.combine(day, time()), zone)
        return [night for night in self.nights(start - 1, zone) if datetime.fromisoformat(night.key).date() == day]

    def _night(self, due: datetime, at_ms: int, zone: ZoneInfo) -> Night | None:
        due_ms = int(due.timestamp()) * 1000
        key = f"{due.replace(tzinfo=None):%Y-%m-%dT%H:%M}"
        if self.window is None:
            following = next(CronSim(self.cron, due), None)
            end_ms = due_ms + _LONGEST_MS if following is None else int(following.timestamp()) * 1000
            end_ms = min(end_ms, due_ms + _LONGEST_MS)
        else:
            opens, end_ms = self.window.around(due_ms, zone)
            due_ms = max(due_ms, opens)
        if end_ms <= at_ms or local(due_ms, zone).date() in self.black_out or due.date() in self.black_out:
            return None
        return Night(key, due_ms, end_ms)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """When meters answer calls at all: their modem is powered, or their call windows are open (lis200.md 2.4, 3.2)."""

    windows: tuple[Window, ...]
    meters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def holds_for(self, meter: MeterRecord) -> bool:
        """Whether it is said of this meter."""
        if not self.meters and not self.groups:
            return True
        return meter.serial in self.meters or in_groups(meter.group, self.groups)


def accepts(
    meter: MeterRecord, acceptances: Sequence[Acceptance], from_ms: int, until_ms: int
) -> list[tuple[int, int]]:
    """When a meter answers calls within these bounds: always, where nothing is said of it."""
    windows = [window for one in acceptances if one.holds_for(meter) for window in one.windows]
    if not windows:
        return [(from_ms, until_ms)]
    zone = ZoneInfo(meter.time_zone)
    times = []
    for window in windows:
        at = from_ms
        while at < until_ms:
            opens, ends = window.around(at, zone)
            if opens < until_ms:
                times.append((max(opens, from_ms), min(ends, until_ms)))
            at = ends
    return sorted(times)


def in_groups(group: str, groups: Iterable[str]) -> bool:
    """Whether a group is one of these, or lies below one."""
    return any(group == one or group.startswith(one.rstrip("/") + "/") for one in groups)


def check_cron(text: str) -> str:
    """The text itself. Raises `OperatorError` for one that is no cron text."""
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as wrong:
        raise OperatorError(
            f"{text!r} is no cron text ({wrong}); write minute, hour, day, month, weekday, such as '0 1 * * *'"
        ) from None
    return text
