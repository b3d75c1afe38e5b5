"""When a meter is to be read: cron text in its own time zone, a window, days on which nothing is called.

A night begins when its cron text says so and has the window around it, or the next one; over midnight too. What is due
follows from the clock alone, so a planner that was away makes up for the night that is still on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from gateway_server.errors import OperatorError
from gateway_server.scheduler.grid import local, utc
from gateway_server.store.records import MeterRecord

_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1)  # beside what clocks show
_LONGEST_MS = 24 * 3_600_000
_MOST_A_DAY = 25 * 60


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
        """When the window that is open at this time, or the next one, opens and ends.

        A time that the change to summer time leaves out is when that hour would have been over; a window that lies in
        it whole is as long behind it.
        """
        day = local(at_ms, zone).date()
        for start in (day - timedelta(days=1), day, day + timedelta(days=1), day + timedelta(days=2)):
            last = start + timedelta(days=int(self.end <= self.start))
            opens, ends = moment(start, self.start, zone), moment(last, self.end, zone)
            if ends <= opens:
                ends = opens + (datetime.combine(last, self.end) - datetime.combine(start, self.start)) // _MILLISECOND
            if ends > at_ms:
                return opens, ends
        raise AssertionError("a window of a day opens within two days")

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Night:
    """One time that a schedule is due: from ``due_ms`` to ``end_ms``.

    ``key`` names it, in the meter's own clock; in the hour that autumn has twice with its offset, the second time.
    """

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
        minute = datetime.fromtimestamp(at_ms // 60_000 * 60, UTC)
        due = next(CronSim(self.cron, (minute + _MINUTE).astimezone(zone), reverse=True), None)
        return None if due is None else self._night(due, at_ms, zone)

    def next_night(self, at_ms: int, zone: ZoneInfo) -> Night | None:
        """The first night that begins behind this time; black-outs are passed over."""
        return next(self._following(at_ms, zone), None)

    def nights(self, at_ms: int, zone: ZoneInfo) -> list[Night]:
        """The night that is on, and those that begin within a day."""
        on = self.night_at(at_ms, zone)
        coming = takewhile(lambda night: night.due_ms < at_ms + _LONGEST_MS, self._following(at_ms, zone))
        return list({night.key: night for night in chain([on] if on is not None else [], coming)}.values())

    def nights_of(self, day: date, zone: ZoneInfo) -> list[Night]:
        """The nights that begin on this day by a clock in the zone."""
        before_ms = moment(day, time(), zone) - 1
        return list(takewhile(lambda night: night.key.startswith(f"{day}T"), self._following(before_ms, zone)))

    def _following(self, at_ms: int, zone: ZoneInfo) -> Iterator[Night]:
        """The nights that begin behind this time, without end."""
        passed_over = 0
        for due in CronSim(self.cron, datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)):
            night = self._night(due, 0, zone)
            if night is not None:
                yield night
            else:
                passed_over += 1
                if passed_over > (len(self.black_out) + 1) * _MOST_A_DAY:
                    return

    def _night(self, due: datetime, at_ms: int, zone: ZoneInfo) -> Night | None:
        due_ms = int(due.timestamp()) * 1000
        shown = due.replace(tzinfo=None, fold=0)
        key = (shown if utc(shown, zone) == due_ms else due).isoformat(timespec="minutes")
        if self.window is None:
            following = next(CronSim(self.cron, due), None)
            end_ms = due_ms + _LONGEST_MS if following is None else int(following.timestamp()) * 1000
            end_ms = min(end_ms, due_ms + _LONGEST_MS)
        else:
            opens, end_ms = self.window.around(due_ms, zone)
            due_ms = max(due_ms, opens)
        if local(due_ms, zone).date() in self.black_out or due.date() in self.black_out:
            return None
        end_ms = min([end_ms, *(at for day in self.black_out if due_ms < (at := moment(day, time(), zone)))])
        if end_ms <= at_ms:
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
    """When a meter of which something is said answers calls: the windows that are open within these bounds, whole, and
    those that touch one another as one."""
    windows = [window for one in acceptances if one.holds_for(meter) for window in one.windows]
    zone = ZoneInfo(meter.time_zone)
    times = []
    for window in windows:
        at = from_ms
        while at < until_ms:
            opens, ends = window.around(at, zone)
            if opens < until_ms:
                times.append((opens, ends))
            at = ends
    joined: list[tuple[int, int]] = []
    for opens, ends in sorted(times):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((opens, ends))
    return joined


def moment(day: date, at: time, zone: ZoneInfo) -> int:
    """When a clock in the zone shows this; of a time that it leaves out, when it has been put forward."""
    shown = datetime.combine(day, at)
    late = utc(shown, zone)
    if local(late, zone) == shown:
        return late
    early = utc(shown.replace(fold=1), zone)
    before = local(early, zone) - _EPOCH - early * _MILLISECOND  # the zone's offset
    while late - early > 1:
        middle = (early + late) // 2
        if local(middle, zone) - _EPOCH - middle * _MILLISECOND == before:
            early = middle
        else:
            late = middle
    return late


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
