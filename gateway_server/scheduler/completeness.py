"""How whole a meter's archives are: the rows that must be there by now against those that are.

What must be there follows from the device's own period (learnt from its rows), the gas day, and the first row known (or
the day the operator says the meter was put into service). A hole is left out of the account of what is still to be had
when the device was asked and had none, or when its order numbers say that it recorded nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from gateway_server.model import DAILY, INTERVAL, MONTHLY
from gateway_server.scheduler.grid import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    DayGrid,
    EvenGrid,
    Grid,
    joined,
    learnt_period,
    learnt_start,
    local,
    missing,
    phase,
    utc,
    without,
)
from gateway_server.store.gaps import Gap
from gateway_server.store.meter_rows import gas_day
from gateway_server.store.plan_records import Settled, Span
from gateway_server.store.records import MeterRecord
from gateway_server.store.store import Store

_LEARN_ROWS = 200
_FULL_LOOK_MS = 7 * DAY_MS
_HORIZON_STEP_MS = 32 * DAY_MS
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator says of completeness.

    ``archives`` are those every meter must have; others count where a meter has rows of them. A row may be late by
    ``grace_ms``. Of a meter without a row nothing older than ``first_days`` is wanted, of any other nothing older than
    ``most_days``; ``commissioned`` says since when a meter has been in service.
    """

    archives: tuple[str, ...] = (INTERVAL,)
    grace_ms: int = 10 * MINUTE_MS
    first_days: int = 35
    most_days: int = 400
    commissioned: Mapping[str, date] | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """One archive of a meter. ``holes`` are the rows still to be had, ``lost`` those that will not come; oldest first.

    ``learnt``: the period was seen in the meter's rows, not assumed.
    """

    archive: str
    grid: Grid
    first_ms: int
    until_ms: int
    expected: int
    stored: int
    holes: tuple[Span, ...]
    lost: tuple[Span, ...] = ()
    learnt: bool = True

    @property
    def percent(self) -> Decimal:
        """How much of what is expected is stored; rounded down, so that 100 means all."""
        if not self.expected:
            return _HUNDRED
        return (_HUNDRED * self.stored / self.expected).quantize(Decimal("0.01"), ROUND_DOWN)

    @property
    def missing(self) -> int:
        """How many rows are still to be had."""
        return sum(map(self.grid.count, self.holes))

    @property
    def oldest_ms(self) -> int | None:
        """The time of the oldest row still to be had."""
        return self.holes[0].first_ms if self.holes else None


def archives_expected(store: Store, meter: MeterRecord, terms: Terms) -> tuple[str, ...]:
    """The archives a meter must have: those of the terms, and what it has rows of and can be told the grid of."""
    known = (archive for archive in store.archives_of(meter.serial) if _kind(archive))
    return tuple(dict.fromkeys((*terms.archives, *known)))


def assess_all(
    store: Store, meter: MeterRecord, terms: Terms, now_ms: int, *, full: bool = False
) -> list[Completeness]:
    """Every archive a meter must have."""
    return [
        assess(store, meter, archive, terms, now_ms, full=full) for archive in archives_expected(store, meter, terms)
    ]


def assess(
    store: Store, meter: MeterRecord, archive: str, terms: Terms, now_ms: int, *, full: bool = False
) -> Completeness:
    """One archive of a meter; what was looked through within the last week is not looked through again unless ``full``.

    Keeps in the store up to where nothing is open any more.
    """
    zone = ZoneInfo(meter.time_zone)
    bounds = store.row_bounds(meter.serial, archive)
    grid, learnt = _grid(store, meter, archive, zone, bounds, now_ms)
    until_ms = grid.at_or_before(now_ms - terms.grace_ms)
    first_ms = _first(meter, terms, grid, zone, bounds, now_ms)
    whole = Span(first_ms, until_ms)
    if first_ms > until_ms:
        return Completeness(archive, grid, first_ms, until_ms, 0, 0, (), (), learnt)
    before = None if full else store.settled(meter.serial, archive)
    if before is not None and (
        before.period_ms != grid.period_ms
        or before.first_ms != first_ms
        or before.checked_ms < now_ms - _FULL_LOOK_MS
        or before.until_ms > until_ms
    ):
        before = None
    look = whole if before is None else Span(grid.step(before.until_ms, 1), until_ms)
    gaps = _gaps(store, meter.serial, archive, grid, look)
    unrecorded = [
        span for span, gap in gaps if gap is not None and _nothing_recorded(store, meter.serial, archive, gap)
    ]
    open_spans = [span for span, _ in gaps if not _doubled_hour(store, meter.serial, archive, grid, zone, span)]
    lost = without(grid, open_spans, without(grid, open_spans, [*store.lost(meter.serial, archive), *unrecorded]))
    holes = joined(grid, without(grid, open_spans, lost))
    absent = sum(map(grid.count, open_spans))
    expected = grid.count(look) + (before.expected if before else 0)
    stored = grid.count(look) - absent + (before.stored if before else 0)
    done = Completeness(archive, grid, first_ms, until_ms, expected, stored, tuple(holes), tuple(lost), learnt)
    if learnt:
        _settle(store, meter.serial, done, look, open_spans, before, now_ms)
    return done


def _settle(
    store: Store, serial: str, done: Completeness, look: Span, absent: list[Span], before: Settled | None, now_ms: int
) -> None:
    grid = done.grid
    until = grid.step(done.holes[0].first_ms, -1) if done.holes else done.until_ms
    if until < look.first_ms or (before is not None and until <= before.until_ms):
        return
    part = Span(look.first_ms, until)
    gone = sum(grid.count(Span(one.first_ms, min(one.last_ms, until))) for one in absent if one.first_ms <= until)
    expected = grid.count(part) + (before.expected if before else 0)
    stored = grid.count(part) - gone + (before.stored if before else 0)
    checked = before.checked_ms if before else now_ms
    store.settle(serial, done.archive, Settled(grid.period_ms, done.first_ms, until, expected, stored, checked))


def _kind(archive: str) -> str:
    """Which grid an archive has; empty for logs and live values, which have none."""
    for kind in (INTERVAL, DAILY, MONTHLY):
        if archive == kind or archive.rstrip("0123456789") == kind:
            return kind
    return ""


def _grid(
    store: Store, meter: MeterRecord, archive: str, zone: ZoneInfo, bounds: tuple[int, int] | None, now_ms: int
) -> tuple[Grid, bool]:
    kind = _kind(archive)
    last = bounds[1] if bounds else 0
    if kind in (DAILY, MONTHLY):
        times = store.row_times(meter.serial, archive, 0, last, 60) if bounds else []
        starts = learnt_start(times, zone)
        return DayGrid(zone, starts or time.fromisoformat(gas_day(meter)[0]), kind == MONTHLY), starts is not None
    times = store.row_times(meter.serial, archive, 0, last, _LEARN_ROWS) if bounds else []
    period = learnt_period(times)
    if period == DAY_MS:  # a TC215 may keep days where others keep hours
        return DayGrid(zone, learnt_start(times, zone) or time.fromisoformat(gas_day(meter)[0])), True
    chosen = period or HOUR_MS
    return EvenGrid(chosen, phase(chosen, zone, now_ms)), period is not None


def _first(
    meter: MeterRecord, terms: Terms, grid: Grid, zone: ZoneInfo, bounds: tuple[int, int] | None, now_ms: int
) -> int:
    oldest = now_ms - terms.most_days * DAY_MS
    since = (terms.commissioned or {}).get(meter.serial)
    if since is not None:
        return grid.at_or_after(max(oldest, utc(datetime.combine(since, time()), zone)))
    if bounds is not None:
        # In steps of a month, so that what is settled is not begun anew with every hour that passes.
        return grid.at_or_after(max(oldest - oldest % _HORIZON_STEP_MS, bounds[0]))
    return grid.at_or_after(now_ms - terms.first_days * DAY_MS)


def _gaps(store: Store, serial: str, archive: str, grid: Grid, look: Span) -> list[tuple[Span, Gap | None]]:
    """The spans without rows, each with the rows around it where both are known."""
    if look.first_ms > look.last_ms:
        return []
    if not isinstance(grid, EvenGrid):
        times = store.row_times(serial, archive, look.first_ms, look.last_ms)
        return [(span, None) for span in missing(grid, look, times)]
    # One row before, so that a hole at the beginning of the look has both its ends.
    found, first, last = store.row_gaps(
        serial, archive, grid.step(look.first_ms, -1), look.last_ms, grid.period_ms, grid.phase_ms
    )
    if first is None or last is None:
        return [(look, None)]
    gaps: list[tuple[Span, Gap | None]] = []
    if first > look.first_ms:
        gaps.append((Span(look.first_ms, grid.step(first, -1)), None))
    gaps += [(Span(grid.step(gap.before_ms, 1), grid.step(gap.after_ms, -1)), gap) for gap in found]
    if last < look.last_ms:
        gaps.append((Span(grid.step(last, 1), look.last_ms), None))
    return gaps


def _nothing_recorded(store: Store, serial: str, archive: str, gap: Gap) -> bool:
    """Whether the device's own numbers leave no room for a row in a gap: it was off, or its clock was set."""
    if gap.before_order < 0 or gap.after_order <= gap.before_order:
        return False
    between = store.rows_between(serial, archive, gap.before_ms, gap.after_ms)
    return gap.after_order - gap.before_order == between + 1


def _doubled_hour(store: Store, serial: str, archive: str, grid: Grid, zone: ZoneInfo, span: Span) -> bool:
    """Whether a hole is the second of two equal autumn hours, whose row was stored beside the first one's."""
    if not isinstance(grid, EvenGrid) or grid.count(span) * grid.period_ms > HOUR_MS:
        return False
    shown = local(span.first_ms, zone)
    first = utc(shown.replace(fold=0), zone)
    return bool(shown.fold) and store.rows_at(serial, archive, first) > 1


def total(parts: Iterable[Completeness]) -> tuple[int, int]:
    """Rows expected and stored over all archives."""
    expected = stored = 0
    for part in parts:
        expected, stored = expected + part.expected, stored + part.stored
    return expected, stored
