"""What is asked of a meter in a session of the plan: exactly the rows that are missing, the newest first.

Holes with few rows between them are asked for together: a request costs a round trip, a row of a LIS-200 device 142
bytes, 0.15 s over a CSD line (lis200.md 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from gateway_server.model import EVENTS, ArchiveRange, Outcome, ReadOrder
from gateway_server.scheduler.completeness import Completeness, Terms, archives_expected, assess
from gateway_server.scheduler.grid import DAY_MS, joined, local, without
from gateway_server.store.plan_records import Span
from gateway_server.store.records import JobRecord, MeterRecord, Origin
from gateway_server.store.store import Store

APART = 8
"""So many rows between two holes cost about what another request does: 1.2 s against 0.15 s each."""
ROW_BYTES = 150


@dataclass(frozen=True, slots=True)
class Fitted:
    """A job's order as it is carried out, and the grid's rows it asks for, by archive.

    It is broken off after ``seconds``; 0 lets it take its time. ``nothing``: no row is missing and nothing else is
    wanted, so that no line need be opened.
    """

    order: ReadOrder
    asked: tuple[tuple[str, tuple[Span, ...]], ...] = ()
    seconds: float = 0.0
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is taken of a meter that called in by itself."""

    traffic_bytes: int
    seconds: float
    seconds_per_row: float = 0.15

    @property
    def rows(self) -> int:
        """So many rows, at most."""
        return max(0, min(self.traffic_bytes // ROW_BYTES, int(self.seconds / self.seconds_per_row)))


class Obligations:
    """Fits orders to what is missing, and notes what a session could not bring."""

    def __init__(self, terms: Terms, budget: Budget) -> None:
        self._terms = terms
        self._budget = budget

    @property
    def terms(self) -> Terms:
        """What the operator says of completeness."""
        return self._terms

    def fit(self, store: Store, job: JobRecord, meter: MeterRecord, now_ms: int) -> Fitted:
        """The order of a job with the holes of this moment. What a person ordered stays as it is.

        A meter that called in by itself is asked within a budget, and only for what lies in front of its newest row:
        what lies behind is read whenever it is read.
        """
        order = ReadOrder.from_json(job.order)
        if job.origin is Origin.PERSON or "archive" not in order.what:
            return Fitted(order)
        parts = self.assess(store, meter, order.archives, now_ms)
        if job.origin is Origin.COMPLETENESS:
            parts = [_in_front(store, meter, part) for part in parts]
        if job.origin is not Origin.COMPLETENESS:
            return fitted(order, parts, ZoneInfo(meter.time_zone))
        budget = self._budget
        return replace(fitted(order, parts, ZoneInfo(meter.time_zone), budget.rows), seconds=budget.seconds)

    def overdue(self, store: Store, meter: MeterRecord, now_ms: int) -> bool:
        """Whether rows in front of the newest one are still to be had."""
        return any(_in_front(store, meter, part).holes for part in self.assess(store, meter, (), now_ms))

    def assess(self, store: Store, meter: MeterRecord, archives: Sequence[str], now_ms: int) -> list[Completeness]:
        """These archives of a meter, all it must have when none are named."""
        wanted = archives or archives_expected(store, meter, self._terms)
        return [assess(store, meter, archive, self._terms, now_ms) for archive in wanted]

    def settle(self, store: Store, job: JobRecord, asked: Fitted, outcome: Outcome, now_ms: int) -> int:
        """After a session: what it was asked for and did not bring is noted; gives how many rows are still missing.

        A session that came to its end has asked for everything: what did not come, the device does not have (of the
        last day it may still get it: its clock may be behind). One that broke off has asked for what it went past, and
        may have left out a damaged row; after a few of these it is lost too.
        """
        meter = store.meter(job.serial)
        if meter is None or outcome not in (Outcome.READ, Outcome.PARTIAL):
            return sum(len(spans) for _, spans in asked.asked)
        whole = outcome is Outcome.READ
        left = 0
        for archive, spans in asked.asked:
            part = assess(store, meter, archive, self._terms, now_ms)
            gone = _common(part, spans)
            left += 0 if whole else sum(map(part.grid.count, gone))
            if not whole:
                bounds = min(one.first_ms for one in spans), max(one.last_ms for one in spans)
                came = store.brought(job.session, meter.serial, archive, *bounds)
                gone = [one for one in gone if _gone_past(one, spans, came)]
            recent = Span(part.grid.at_or_before(now_ms - DAY_MS), part.until_ms)
            gone = without(part.grid, gone, [recent])
            if gone:
                store.note_asked(meter.serial, archive, gone, now_ms, none_there=whole)
        return left


def fitted(order: ReadOrder, parts: Iterable[Completeness], zone: ZoneInfo, most_rows: int | None = None) -> Fitted:
    """An order for the holes of these archives, the newest first, of so many rows at most."""
    wanted: list[tuple[int, str, Span]] = []
    kept: list[tuple[str, tuple[Span, ...]]] = []
    left = most_rows
    newest = sorted(
        ((span.last_ms, part.archive, span, part) for part in parts for span in joined(part.grid, part.holes, APART)),
        key=lambda one: (-one[0], one[1]),
    )
    for _, archive, span, part in newest:
        if left is not None:
            if left <= 0:
                break
            rows = part.grid.count(span)
            if rows > left:
                span = Span(part.grid.step(span.last_ms, 1 - left), span.last_ms)
            left -= rows
        wanted.append((span.last_ms, archive, span))
        kept.append((archive, (span,)))
    ranges = tuple(
        ArchiveRange(archive, local(span.first_ms, zone), local(span.last_ms, zone)) for _, archive, span in wanted
    )
    named = tuple(dict.fromkeys(archive for _, archive, _ in wanted))
    what = order.what if named else order.what - {"archive"}
    archives = named if named else ()
    if EVENTS in what and archives:
        archives = (*archives, EVENTS)
    return Fitted(replace(order, what=what, archives=archives, ranges=ranges), _by(kept), nothing=not what)


def _by(kept: Iterable[tuple[str, tuple[Span, ...]]]) -> tuple[tuple[str, tuple[Span, ...]], ...]:
    spans: dict[str, tuple[Span, ...]] = {}
    for archive, some in kept:
        spans[archive] = spans.get(archive, ()) + some
    return tuple(spans.items())


def _common(part: Completeness, spans: Iterable[Span]) -> list[Span]:
    """The holes of an archive that lie in these spans."""
    grid = part.grid
    return without(grid, part.holes, without(grid, part.holes, sorted(spans)))


def _gone_past(hole: Span, spans: Iterable[Span], came: Sequence[int]) -> bool:
    """Whether a session has read on behind a hole: within a stretch rows come upwards, the stretches downwards."""
    return any(
        (hole.last_ms < at_ms <= span.last_ms or at_ms < span.first_ms)
        for span in spans
        if span.first_ms <= hole.first_ms <= span.last_ms
        for at_ms in came
    )


def _in_front(store: Store, meter: MeterRecord, part: Completeness) -> Completeness:
    bounds = store.row_bounds(meter.serial, part.archive)
    last = bounds[1] if bounds else part.first_ms - 1
    holes = tuple(Span(one.first_ms, min(one.last_ms, last)) for one in part.holes if one.first_ms <= last)
    return replace(part, holes=holes)
