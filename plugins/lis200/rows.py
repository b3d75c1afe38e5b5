"""Archive rows, from the text of a block to typed rows: `(18484)(640)(2014-05-02,10:00:00)(882066.6309)...(CRC Ok)`.

The usual row takes a short way with a handful of calls; whatever is odd about a block or a row takes the careful one,
with the same result. A reader lives as long as its session and sees an archive's rows in the order they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from operator import lt
from typing import Any

from gateway_server.model import (
    CHANGES,
    DAILY,
    EVENTS,
    INTERVAL,
    MOST_ORDER_NUMBER,
    Event,
    Quality,
    Row,
    Span,
    Value,
)

from . import periods, values
from .described import Sources, completed
from .events import EVENT, in_words, regular
from .layouts import Layout, fitting
from .models import CALIBRATION

_HOUR = timedelta(hours=1)
_ODD = ("_", "\\", "n", "N", "i", "I", "e", "E", "\0")
"""Characters a usual block has none of: `Decimal` and `int` take NaN, infinity, 1E5 and 1_0 for numbers."""
_LOGS = (EVENTS, CHANGES, CALIBRATION)
_SHOWN = 60
_ENOUGH = 3  # regular rows, to tell a period from a gap


@dataclass(slots=True)
class Rows:
    """What one block held. ``gaps`` are pairs of order numbers between which rows are missing."""

    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    repeated: int = 0  # rows that came before in this session
    unread: int = 0  # rows that could not be understood


class RowReader:
    """Reads one archive's rows. ``layout`` is what the device said of it, None if it did not."""

    def __init__(self, archive: str, layout: Layout | None = None, model: str = "") -> None:
        self.archive = archive
        self.layout = layout
        self.first_order: int | None = None  # since whoever asks has set it to None
        self.seen = 0  # rows, since whoever asks has set it to 0
        self.last_order: int | None = None
        self.last_time: datetime | None = None
        self.period: timedelta | None = None  # as its regular rows show it
        self._regular: list[datetime] = []  # the last ones
        self._model = model
        self._told: Sources | None = None
        self._fixed: dict[tuple[int, int], Layout | None] = {}
        self._last_line = ""
        self._last_extra = False
        self._counters: Sequence[Any] = ()
        self._columns: object = None
        self._summit: datetime | None = None  # the latest time before the clock went back to winter time

    def describe(self, told: Sources | None) -> None:
        """What the device says of its columns although it does not name them."""
        if told != self._told:
            self._told = told
            self._fixed.clear()

    def elsewhere(self) -> None:
        """What comes next is of another stretch: no row to compare with, and nowhere to go on from."""
        self.last_order = self.last_time = self._summit = None
        self._regular = []

    def read(self, body: str, offset: int) -> Rows:
        """The rows in a block's text, whose first character stands at ``offset`` in the stream."""
        found = Rows()
        odd = not body.isascii() or any(char in body for char in _ODD)
        breaks = body.count("\r\n")
        if odd or breaks != body.count("\n") or breaks != body.count("\r"):
            at = offset
            for line in body.splitlines(keepends=True):
                self._row(line, at, found, careful=True)
                at += len(line)
        else:
            self._read_usual(body, offset, found)
        self.seen += len(found.rows) + len(found.events) + found.repeated
        if found.rows and self.archive in (INTERVAL, DAILY):
            self._keep_pace(found)
        return found

    def _keep_pace(self, found: Rows) -> None:
        """Learns the period. Where no order numbers tell of lost rows, the time between two regular ones has to."""
        layout = self.layout or self._layout_of_last()
        by_time = layout is not None and not layout.has_archive_order
        rows = found.rows if by_time else found.rows[-_ENOUGH:]
        regular = [row.measured_at for row in rows if row.measured_at and Quality.EXTRA_ROW not in row.quality]
        times = [*self._regular, *regular]
        self.period = periods.shown(times) or self.period
        period = self.period
        if by_time and period is not None:
            for before, after in pairwise(times[max(0, len(self._regular) - 1) :]):
                if (missing := (after - before) // period - 1) > 0:
                    found.notes.append(
                        f"{self.archive}: {missing} rows are missing between {before} and {after}: the device has lost "
                        "or overwritten them, or its clock was put forward"
                    )
        self._regular = times[-_ENOUGH:]

    def _layout_of_last(self) -> Layout | None:
        return self._layout_of(self._last_line) if self._last_line else None

    def _read_usual(self, body: str, at: int, found: Rows) -> None:
        """Rows that follow one another as they should are read here, every other one by `_row`, to the same end."""
        lines = body.split("\r\n")
        layout = self._layout_of(lines[0])
        if layout is None or self.archive == EVENTS or layout.order < 0 or layout.address >= 0:
            for line in lines:
                if line:
                    self._row(line, at, found, careful=False)
                at += len(line) + 2
            return
        size, time, order_at, event_at, check_at = layout.size, layout.time, layout.order, layout.event, layout.check
        columns, pick, pick_counters = layout.columns, layout.pick, layout.pick_counters
        pick_statuses, calm = layout.pick_statuses, layout.calm
        archive, rows = self.archive, found.rows
        messages, status = calm, ""  # they stay the same for days
        for line in lines:
            cells = line[1:-1].split(")(")
            if len(cells) == size and self.last_time is not None and self._columns is columns:
                try:
                    stamp = cells[time]
                    moment = datetime.fromisoformat(stamp)
                    order = int(cells[order_at])
                    taken = tuple(map(Decimal, pick(cells)))
                    counters = pick_counters(taken)
                    usual = (
                        order - 1 == self.last_order
                        and moment > self.last_time
                        and stamp[10] == ","
                        and len(stamp) == 19
                        and line[0] == "("
                        and line[-1] == ")"
                        and (event_at < 0 or cells[event_at][:4] == "0x81")
                        and (check_at < 0 or cells[check_at] == "CRC Ok")
                        and self._summit is None
                        and True not in map(lt, counters, self._counters)
                    )
                except (ValueError, TypeError, InvalidOperation):
                    usual = False
                if usual:
                    if pick_statuses(cells) != messages:
                        messages, status = pick_statuses(cells), layout.status(cells)
                    rows.append(
                        Row(
                            columns,
                            taken,
                            archive,
                            moment,
                            order,
                            status,
                            cells[event_at] if event_at >= 0 else "",
                            "",
                            Span(at, at + len(line)),
                        )
                    )
                    self.last_time = moment
                    self.last_order = order
                    self._counters = counters
                    self._last_line = line
                    self._last_extra = False
                    if self.first_order is None:
                        self.first_order = order
                    at += len(line) + 2
                    continue
            if line:
                self._row(line, at, found, careful=False)
            at += len(line) + 2

    def _layout_of(self, line: str) -> Layout | None:
        """The layout of a row's text, as `_row` would choose it."""
        cells = line[1:-1].split(")(")
        layout = self.layout
        return layout if layout is not None and layout.size == len(cells) else self._fitting(cells)

    def _row(self, line: str, at: int, found: Rows, *, careful: bool) -> None:
        bare = line
        if careful:
            bare = line.rstrip("\r\n ")
        if bare[:1] != "(":
            # The first row of an answer may carry the address that was asked.
            head = bare.find("(")
            if head < 0:
                if bare.strip("\0 "):
                    self._unread(line, "it is no row of cells", found)
                return
            at += head
            bare = bare[head:]
        cells = bare[1:-1].split(")(")
        layout = self.layout
        if layout is None or layout.size != len(cells):
            layout = self._fitting(cells)
        if layout is None or len(cells) < 3 or bare[-1] != ")":
            self._unread(line, f"{len(cells)} cells, and no time among the first three", found)
            return
        stamp = cells[layout.time]
        try:
            if len(stamp) != 19 or stamp[10] != "," or stamp[16] != ":":
                raise ValueError(stamp)
            moment = datetime.fromisoformat(stamp)
            order = int(cells[layout.order]) if layout.order >= 0 else None
            if order is not None and not 0 <= order <= MOST_ORDER_NUMBER:
                raise ValueError(order)
        except ValueError:
            number = cells[layout.order][:_SHOWN] if layout.order >= 0 else "none"
            why = f"its time or order number cannot be read: {stamp[:_SHOWN]}, number {number}"
            self._unread(line, why, found)
            return
        if self.first_order is None:
            self.first_order = order
        if order is not None and order == self.last_order and bare == self._last_line:
            found.repeated += 1
            return
        if careful:
            taken: tuple[Value, ...] = tuple(map(values.value, layout.pick(cells)))
        else:
            try:
                taken = tuple(map(Decimal, layout.pick(cells)))
            except InvalidOperation:
                taken = tuple(map(values.value, layout.pick(cells)))
        event = cells[layout.event] if layout.event >= 0 else ""
        extra = event[:4] != "0x81" and layout.event >= 0 and self.archive not in _LOGS and not regular(event)
        quality = Quality.EXTRA_ROW if extra else ""
        if layout.check >= 0 and cells[layout.check] != "CRC Ok" and not _check_ok(cells[layout.check]):
            quality = f"{quality} {Quality.CHECK_FAILED}".lstrip()
        moment, back = self._compare(layout, moment, order, taken, found, extra=extra, event=event)
        if back:
            quality = f"{quality} {Quality.COUNTER_BACK}".lstrip()
        self._last_line = bare
        span = Span(at, at + len(bare))
        if self.archive == EVENTS:
            code = event if EVENT.fullmatch(event) else values.plain(event or (cells[3] if len(cells) > 3 else ""))
            found.events.append(Event(code, in_words(code, self._model), moment, order, quality, span))
            return
        status = layout.status(cells)
        if layout.address >= 0:
            taken = layout.in_words(taken)
        found.rows.append(Row(layout.columns, taken, self.archive, moment, order, status, event, quality, span))

    def _compare(
        self,
        layout: Layout,
        moment: datetime,
        order: int | None,
        taken: tuple[Value, ...],
        found: Rows,
        *,
        extra: bool,
        event: str,
    ) -> tuple[datetime, bool]:
        """The row beside the one before: its time in the doubled autumn hour, and whether a counter went back."""
        last_time, last_order = self.last_time, self.last_order
        back = False
        if last_order is not None and order is not None and order <= last_order:
            # Rows are read again from further back: nothing to compare with.
            self._summit = None
        elif last_time is not None:
            if order is not None and last_order is not None and order > last_order + 1 and layout.has_archive_order:
                found.notes.append(
                    f"{self.archive}: {order - last_order - 1} rows are missing between order numbers {last_order} "
                    f"({last_time}) and {order} ({moment}): the device has lost or overwritten them"
                )
            if moment <= last_time and not (moment == last_time and (extra or self._last_extra)):
                # In ascending order numbers the time repeats or goes back by up to an hour: autumn, unless the
                # device says that its clock was set.
                if last_time - moment <= _HOUR and event != "0x8004":
                    self._summit = self._summit or last_time
                else:
                    self._summit = None
            if layout.columns is self._columns:
                back = any(map(_lower, layout.pick_counters(taken), self._counters))
        self.last_time = moment
        if self._summit is not None:
            if moment <= self._summit:
                moment = moment.replace(fold=1)
            else:
                self._summit = None
        self.last_order = order
        self._last_extra = extra
        self._counters = layout.pick_counters(taken)
        self._columns = layout.columns
        return moment, back

    def _fitting(self, cells: Sequence[str]) -> Layout | None:
        event = next((at for at, text in enumerate(cells) if EVENT.fullmatch(text)), -1)
        key = (len(cells), event)
        if len(cells) < 3:
            return None
        if self._fixed.get(key) is None:
            layout = fitting(self.archive, cells)
            self._fixed[key] = completed(layout, self._told) if layout is not None and self._told else layout
        return self._fixed[key]

    def _unread(self, line: str, why: str, found: Rows) -> None:
        found.unread += 1
        shown = line.strip()
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
        found.notes.append(f"{self.archive}: a row is not read ({why}): {shown}")


def _check_ok(text: str) -> bool:
    return text.strip().lower().endswith("ok")


def _lower(now: Value, before: Value) -> bool:
    return isinstance(now, Decimal) and isinstance(before, Decimal) and now < before
