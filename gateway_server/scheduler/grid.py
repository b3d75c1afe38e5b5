"""Which rows an archive must have: points in time, evenly or at the gas day's start in the meter's own zone.

A row stands at the end of its period (lis200.md 2.6). Times are UTC milliseconds; a day of a zone with a seasonal
clock change has 23 or 25 hours, and its gas day starts at the same time by the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway_server.store.plan_records import Span
from gateway_server.store.zones import moment

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PERIODS_MS = tuple(minutes * MINUTE_MS for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 1440))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Grid(Protocol):
    """The points in time at which an archive has regular rows."""

    @property
    def period_ms(self) -> int:
        """How far points are apart, about."""

    def at_or_before(self, at_ms: int) -> int:
        """The last point not behind this time."""

    def at_or_after(self, at_ms: int) -> int:
        """The first point not before this time."""

    def step(self, point_ms: int, steps: int) -> int:
        """The point so many steps on (or back)."""

    def count(self, span: Span) -> int:
        """How many points a span has."""


@dataclass(frozen=True, slots=True)
class EvenGrid:
    """A point every ``period_ms``; ``phase_ms`` is what a zone's offset leaves of a period."""

    period_ms: int
    phase_ms: int = 0

    def at_or_before(self, at_ms: int) -> int:
        """The last point not behind this time."""
        return at_ms - (at_ms - self.phase_ms) % self.period_ms

    def at_or_after(self, at_ms: int) -> int:
        """The first point not before this time."""
        return at_ms + (self.phase_ms - at_ms) % self.period_ms

    def step(self, point_ms: int, steps: int) -> int:
        """The point so many periods on."""
        return point_ms + steps * self.period_ms

    def count(self, span: Span) -> int:
        """How many points a span has."""
        return max(0, (span.last_ms - span.first_ms) // self.period_ms + 1)


@dataclass(frozen=True, slots=True)
class DayGrid:
    """A point every day (or on the first of every month) when the gas day starts by the meter's clock."""

    zone: ZoneInfo
    starts: time
    monthly: bool = False

    @property
    def period_ms(self) -> int:
        """A day, or the shortest month."""
        return 28 * DAY_MS if self.monthly else DAY_MS

    def at_or_before(self, at_ms: int) -> int:
        """The last point not behind this time."""
        number = self._number(at_ms)
        while self._point(number) > at_ms:
            number -= 1
        return self._point(number)

    def at_or_after(self, at_ms: int) -> int:
        """The first point not before this time."""
        point = self.at_or_before(at_ms)
        return point if point == at_ms else self.step(point, 1)

    def step(self, point_ms: int, steps: int) -> int:
        """The point so many days or months on."""
        return self._point(self._number(point_ms) + steps)

    def count(self, span: Span) -> int:
        """How many points a span has."""
        return max(0, self._number(span.last_ms) - self._number(span.first_ms) + 1)

    def _number(self, at_ms: int) -> int:
        day = local(at_ms, self.zone).date()
        return day.year * 12 + day.month - 1 if self.monthly else day.toordinal()

    def _point(self, number: int) -> int:
        day = date(number // 12, number % 12 + 1, 1) if self.monthly else date.fromordinal(number)
        return utc(datetime.combine(day, self.starts), self.zone)


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """What a clock in the zone shows, naive."""
    return moment(at_ms).astimezone(zone).replace(tzinfo=None)


def utc(shown: datetime, zone: ZoneInfo) -> int:
    """The time at which a clock in the zone shows this."""
    return (shown.replace(tzinfo=zone) - _EPOCH) // _MILLISECOND


def phase(period_ms: int, zone: ZoneInfo, at_ms: int) -> int:
    """What the zone's offset leaves of a period: 30 minutes of an hour in India."""
    offset = local(at_ms, zone).replace(tzinfo=zone).utcoffset()
    return -(offset or timedelta()) // _MILLISECOND % period_ms


def learnt_period(times: Sequence[int]) -> int | None:
    """The measurement period of rows with these times: the commonest distance that a device can be set to."""
    ordered = sorted(set(times))
    apart = Counter(after - before for before, after in pairwise(ordered))
    for distance, _ in apart.most_common():
        if distance in PERIODS_MS:
            return distance
    return None


def learnt_start(times: Sequence[int], zone: ZoneInfo) -> time | None:
    """When the gas day starts, by the rows of a daily or monthly archive: the commonest time of day."""
    shown = Counter(local(at_ms, zone).time() for at_ms in times)
    return shown.most_common(1)[0][0] if shown else None


def missing(grid: Grid, span: Span, stored: Iterable[int]) -> list[Span]:
    """The holes in a span, given the times of the rows that are there; the oldest first."""
    there = set(stored)
    points: list[int] = []
    at = span.first_ms
    while at <= span.last_ms:
        if at not in there:
            points.append(at)
        at = grid.step(at, 1)
    return joined(grid, (Span(point, point) for point in points))


def joined(grid: Grid, spans: Iterable[Span], apart: int = 0) -> list[Span]:
    """The spans in order, those joined that have at most ``apart`` points between them."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.first_ms <= grid.step(out[-1].last_ms, apart + 1):
            out[-1] = Span(out[-1].first_ms, max(out[-1].last_ms, span.last_ms))
        else:
            out.append(span)
    return out


def without(grid: Grid, spans: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """The spans without the points that others hold."""
    return list(_without(grid, spans, sorted(taken)))


def _without(grid: Grid, spans: Iterable[Span], taken: Sequence[Span]) -> Iterator[Span]:
    for first, last in spans:
        for away in taken:
            if away.last_ms < first or away.first_ms > last:
                continue
            before = grid.step(grid.at_or_after(away.first_ms), -1)
            if first <= before:
                yield Span(first, before)
            first = grid.step(grid.at_or_before(away.last_ms), 1)
        if first <= last:
            yield Span(first, last)
