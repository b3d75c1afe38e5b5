"""Rows of one archive in a file: which archive they are of, and what their columns are.

On the wire an answer's archive is the one that was asked for; in a file it has to be told from the rows: by an address
in front of them, by their shape, by the time between them, or because they go on behind what is stored of the meter.
Rows that tell nothing of it are not guessed into an archive: they are kept in one called ``uploaded``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway_server.model import DAILY, EVENTS, INTERVAL, MONTHLY, KnownMeter, LastRow, Span

from . import layouts, models, periods, values
from .events import EVENT, regular
from .rows import RowReader, Rows

UPLOADED = "uploaded"

_DAY = timedelta(days=1)
_SHORTEST_MONTH = timedelta(days=27)
_TIME_NAMES = frozenset({"time", "zeit", "date", "время", "дата"})
_SOURCE = re.compile(r"(?:\d+-)?\d+:[0-9A-Fa-f_]+(?:\.\w+)?")


@dataclass(slots=True)
class Section:
    """Rows that stand together. ``number`` is their archive's in the device, None if nothing says so."""

    number: int | None = None
    inferred: bool = False
    rows: list[tuple[list[str], Span]] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _units: list[str] = field(default_factory=list)
    _sources: list[str] = field(default_factory=list)

    def add(self, cells: Sequence[str], span: Span) -> None:
        """One row more."""
        self.rows.append((list(cells), span))

    def head(self, cells: Sequence[str]) -> bool:
        """A line of cells above the rows; whether it says what the columns are: names, then units, sources."""
        if not self._names:
            if not any(cell.strip().lower() in _TIME_NAMES for cell in cells):
                return False
            if layouts.learnt(UPLOADED, [values.plain(cell) for cell in cells], (), ()) is None:
                return False
            self._names = [values.plain(cell) for cell in cells]
            self.inferred = True
            return True
        if len(cells) != len(self._names):
            return False
        filled = [cell for cell in cells if cell.strip()]
        if not self._sources and filled and all(_SOURCE.fullmatch(cell.strip()) for cell in filled):
            self._sources = [cell.strip() for cell in cells]
            return True
        if not self._units and not any(values.time(cell) for cell in cells):
            self._units = [values.plain(cell) for cell in cells]
            return True
        return False

    def read(self, profile: models.Profile, meter: KnownMeter | None) -> Rows:
        """The rows, read by the columns that the head, the meter's earlier sessions or the maker's manuals say."""
        if not self.rows:
            return Rows()
        archive, why = self._archive(profile, meter)
        size = len(self.rows[0][0])
        layout = self._layout(archive, size, profile, meter)
        reader = RowReader(archive, layout, profile.model)
        found = Rows()
        if why:
            found.notes.append(f"{len(self.rows)} rows are taken for archive {archive}: {why}")
        for cells, span in self.rows:
            line = f"({')('.join(cells)})"
            read = reader.read(line, span.start)
            found.rows.extend(row._replace(span=span) for row in read.rows)
            found.events.extend(event._replace(span=span) for event in read.events)
            found.notes.extend(read.notes)
            found.repeated += read.repeated
            found.unread += read.unread
        return found

    # which archive

    def _archive(self, profile: models.Profile, meter: KnownMeter | None) -> tuple[str, str]:
        """The archive's name, and why it is taken for that one if it is not stated."""
        if self.number is not None:
            return profile.archive_of(self.number), ""
        cells = self.rows[0][0]
        if not self._names and _is_log(cells):
            return EVENTS, ""
        step = self._step()
        if step is not None and step >= _SHORTEST_MONTH:
            # The second monthly archive is the only one with rows of 36 cells.
            return models.MONTHLY_2 if len(cells) == 36 else MONTHLY, "they are months apart"
        if step is not None:
            return (DAILY, "they are a day apart") if step >= _DAY else (INTERVAL, f"they are {step} apart")
        fitting = (
            [name for name, last in meter.last.items() if self._goes_on(name, last, meter.memory)] if meter else []
        )
        if len(fitting) == 1:
            return fitting[0], "they go on behind its last stored row"
        return UPLOADED, "nothing tells of which one they are"

    def _step(self) -> timedelta | None:
        """The shortest time from one regular row to the next."""
        steps: list[timedelta] = []
        before: datetime | None = None
        for cells, _ in self.rows:
            event = next((cell for cell in cells if EVENT.fullmatch(cell)), "")
            moment = _time(cells)
            if moment is None or (event and not regular(event)):
                continue
            if before is not None and moment > before:
                steps.append(moment - before)
            before = moment
        return min(steps, default=None)

    def _goes_on(self, name: str, last: LastRow, memory: Mapping[str, str]) -> bool:
        """Whether the first row is where this archive would be by now, one row a period."""
        cells = self.rows[0][0]
        moment, order = _time(cells), _order(cells)
        period = periods.usual(name, memory)
        if period is None or moment is None or order is None or last.measured_at is None or last.order_number is None:
            return False
        return divmod(moment - last.measured_at.replace(fold=0), period) == (order - last.order_number, timedelta())

    # which columns

    def _layout(
        self, archive: str, size: int, profile: models.Profile, meter: KnownMeter | None
    ) -> layouts.Layout | None:
        if self._names:
            return layouts.learnt(archive, self._names, self._units, self._sources)
        for layout in _remembered(archive, self.number or profile.number_of(archive), meter):
            if layout.size == size:
                return layout
        if archive == UPLOADED:
            usual = layouts.fitting(INTERVAL, self.rows[0][0])
            return layouts.Layout(UPLOADED, usual.cells) if usual is not None else None
        return None


def _remembered(archive: str, number: int | None, meter: KnownMeter | None) -> Iterator[layouts.Layout]:
    """What the device said of this archive's columns in earlier sessions, the newest software version first."""
    memory: Mapping[str, str] = meter.memory if meter else {}
    for name in sorted(memory, reverse=True):
        if name.startswith("layout:") and name.endswith(f":{number}"):
            layout = layouts.from_text(archive, memory[name])
            if layout is not None:
                yield layout


def _time(cells: Sequence[str]) -> datetime | None:
    return next((moment for cell in cells[:3] if (moment := values.time(cell))), None)


def _order(cells: Sequence[str]) -> int | None:
    """The archive's own order number: what stands in front of the time."""
    at = next((at for at, cell in enumerate(cells[:3]) if values.time(cell)), 0)
    text = cells[at - 1] if at else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _is_log(cells: Sequence[str]) -> bool:
    """An entry of the event log: behind the time nothing but the event and its check."""
    at = next((at for at, cell in enumerate(cells[:3]) if values.time(cell)), -1)
    behind = cells[at + 1 :]
    return at >= 0 and 1 <= len(behind) <= 2 and EVENT.fullmatch(behind[0]) is not None
