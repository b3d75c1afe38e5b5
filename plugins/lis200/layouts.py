"""What stands in the columns of an archive: learnt from the device (V.2 names, V.3 units, V.4 sources), else fixed.

The fixed layouts are a fallback: what no source confirms stays ``column N`` there (lis200.md 2.6). Their units are
those a capture's own arithmetic shows: bar on EK, kPa on TC, cubic metres, degrees Celsius.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from gateway_server import quantities as q
from gateway_server.model import CHANGES, DAILY, EVENTS, INTERVAL, MONTHLY, Column, Quantity, Value

from . import addresses, objects
from .models import CALIBRATION, MONTHLY_2
from .status import canonical
from .values import unit as plain_unit

CHANGE_LOGS = (CHANGES, CALIBRATION)
ADDRESS, OLD, NEW, CHANGED = "changed_address", "old_value", "new_value", "changed_object"
"""What a row of a change log tells: where, from what, to what; and what stands there, in words."""


class Role(enum.Enum):
    """What a cell of a row is for."""

    GLOBAL_ORDER = "global order number"
    ORDER = "order number"
    TIME = "time"
    VALUE = "value"
    STATUS = "status"
    EVENT = "event"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Cell:
    """One column: its role, the device's name for it, and what it measures if it is a value."""

    role: Role
    name: str
    column: Column | None = None


class Layout:
    """The cells of one archive's rows, and where everything stands in them. Positions count from 0, -1 is nowhere."""

    def __init__(self, archive: str, cells: Sequence[Cell], *, learnt: bool = False) -> None:
        self.archive = archive
        self.cells = tuple(cells)
        self.learnt = learnt
        self.size = len(self.cells)
        self.time = self._first(Role.TIME)
        self.order = self._first(Role.ORDER)
        self.has_archive_order = self.order >= 0
        if self.order < 0:
            self.order = self._first(Role.GLOBAL_ORDER)
        self.event = self._first(Role.EVENT)
        self.check = self._first(Role.CHECK)
        self.statuses = _distinct([(at, cell.name) for at, cell in enumerate(self.cells) if cell.role is Role.STATUS])
        values = [(at, cell.column) for at, cell in enumerate(self.cells) if cell.role is Role.VALUE and cell.column]
        self.columns = tuple(column for _, column in values)
        self.value_positions = tuple(at for at, _ in values)
        self.address = next((at for at, column in enumerate(self.columns) if column.quantity == ADDRESS), -1)
        if self.address >= 0:
            self.columns = (*self.columns, Column(CHANGED))
        self.counters = tuple(at for at, column in enumerate(self.columns) if column.cumulative)
        # Ways to take cells out of a row, made once: C does it for thousands of rows.
        self.pick: Any = _picker(self.value_positions)
        self.pick_counters: Any = _picker(self.counters)
        positions = tuple(at for at, _ in self.statuses)
        self.pick_statuses: Any = _picker(positions)
        self.calm: Any = self.pick_statuses(["0"] * self.size) if positions else ()

    def _first(self, role: Role) -> int:
        return next((at for at, cell in enumerate(self.cells) if cell.role is role), -1)

    def status(self, cells: Sequence[str]) -> str:
        """The row's message lists: ``St.2=7 St.4=6,14``, those without messages left out."""
        said = [(name, cells[at]) for at, name in self.statuses]
        return " ".join([f"{name}={text.replace(' ', ',')}" for name, text in said if text and text != "0"])

    def in_words(self, taken: tuple[Value, ...]) -> tuple[Value, ...]:
        """A change log's row with its address as it is written elsewhere, and behind it what stands there, in words."""
        at = self.address
        address = addresses.core(str(taken[at]))
        return (*taken[:at], address, *taken[at + 1 :], objects.words(address))

    @property
    def time_position(self) -> int:
        """The time's column as a request counts it, from 1; 0 if none is known."""
        return self.time + 1

    def __repr__(self) -> str:
        return f"Layout({self.archive}, {[cell.name for cell in self.cells]})"


def _picker(positions: tuple[int, ...]) -> Any:
    """Takes the values at these positions out of a sequence, as a sequence of them."""
    if not positions:
        return lambda cells: ()
    first, last = positions[0], positions[-1]
    if positions == tuple(range(first, last + 1)):
        return itemgetter(slice(first, last + 1))
    return itemgetter(*positions)


def _distinct(named: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    seen: set[str] = set()
    result = []
    for at, name in named:
        only = name if name not in seen else f"{name}@{at + 1}"
        seen.add(name)
        result.append((at, only))
    return tuple(result)


# names and sources to roles and quantities

_ROLES = (
    (re.compile(r"G\w*\.?\s?O\.?\s?N[or]\.?", re.IGNORECASE), Role.GLOBAL_ORDER),
    (re.compile(r"A\w*\.?\s?O\.?\s?N[or]\.?", re.IGNORECASE), Role.ORDER),
    (re.compile(r"(Time|Zeit|Date|Время|Дата)", re.IGNORECASE), Role.TIME),
    (re.compile(r"(.* )?S(t|R)?\.?\s?(\d+|Sy|[A-Z]L)?|Stat(us)?|SReg", re.IGNORECASE), Role.STATUS),
    (re.compile(r"Ev(ent)?\.?|Er(eignis)?\.?|Событие", re.IGNORECASE), Role.EVENT),
    (re.compile(r"Check|CRC|Pr(ü|u|ue)f\w*", re.IGNORECASE), Role.CHECK),
)
_STEMS = {
    "Vb": q.BASE_VOLUME,
    "VbT": q.BASE_VOLUME_TOTAL,
    "VbD": q.BASE_VOLUME_DISTURBED,
    "V": q.ACTUAL_VOLUME,
    "Vm": q.ACTUAL_VOLUME,
    "VT": q.ACTUAL_VOLUME_TOTAL,
    "Vo": q.ACTUAL_VOLUME_TOTAL,
    "VmT": q.ACTUAL_VOLUME_TOTAL,
    "VD": q.ACTUAL_VOLUME_DISTURBED,
    "VmD": q.ACTUAL_VOLUME_DISTURBED,
    "Qb": q.BASE_FLOW,
    "Q": q.ACTUAL_FLOW,
    "Qm": q.ACTUAL_FLOW,
    "p": q.PRESSURE,
    "T": q.TEMPERATURE,
    "K": q.COMPRESSIBILITY,
    "C": q.CONVERSION_FACTOR,
    "dp": q.PRESSURE_DIFFERENCE,
    "T2": q.TEMPERATURE_2,
    "W": q.ENERGY,
}
_MEANS = {
    "pressure": q.PRESSURE_MEAN,
    "temperature": q.TEMPERATURE_MEAN,
    "compressibility": q.COMPRESSIBILITY_MEAN,
    "conversion_factor": q.CONVERSION_FACTOR_MEAN,
}
_SUFFIXES = {
    "": "",
    "mp": "_mean",
    "mean": "_mean",
    "mp max": "_period_max",
    "dy max": "_day_max",
    "max": "_max",
    "mx": "_max",
    "min": "_min",
    "mn": "_min",
}
_NAME = re.compile(r"(?P<stem>[A-Za-z]+2?)(?:[.\s](?P<suffix>.*?))?(?P<time>\s*Time)?")


def _quantity(name: str, source: str, archive: str) -> Quantity | None:
    """The quantity of a column, None when neither its name nor its source is known."""
    stem: Quantity | None = None
    suffix = "?"
    time = False
    if found := _NAME.fullmatch(name):
        stem = _STEMS.get(found["stem"])
        suffix = _SUFFIXES.get((found["suffix"] or "").strip().lower().replace(".", " "), "?")
        time = found["time"] is not None
    known = objects.BY_ADDRESS.get(addresses.core(source)) if source else None
    if stem is None or suffix == "?":
        # A name we do not know may be any statistic of its source: only plain counters and live values are safe.
        return known.quantity if known and known.quantity and known.quantity.cumulative else None
    if time:
        return Quantity(f"{stem.name}{suffix}_time")
    if suffix == "":
        return known.quantity if known and known.quantity else stem
    if suffix == "_mean" and stem.name in _MEANS:
        mean = _MEANS[stem.name]
        return mean if archive == INTERVAL else Quantity(mean.name, "", mean.unit)
    return Quantity(f"{stem.name}{suffix}", "", stem.unit)


def value_cell(at: int, name: str, unit: str, source: str, archive: str) -> Cell:
    """A measured column; ``at`` counts from 0, what nobody knows keeps the device's name or is ``column N``."""
    name = name or f"column {at + 1}"
    known = _quantity(name, source, archive)
    if known is None:
        return Cell(Role.VALUE, name, Column(name, plain_unit(unit), "", name, addresses.core(source)))
    column = Column(known.name, plain_unit(unit), known.obis, name, addresses.core(source), cumulative=known.cumulative)
    return Cell(Role.VALUE, name, column)


def learnt(archive: str, names: Sequence[str], units: Sequence[str], sources: Sequence[str]) -> Layout | None:
    """The layout a device describes, None if that is not enough to read rows by: no names, or no column of times."""
    if not any(name.strip() for name in names):
        return None
    size = max(len(names), len(sources))
    cells: list[Cell] = []
    taken: set[Role] = set()
    for at in range(size):
        name = names[at].strip() if at < len(names) else ""
        unit = units[at].strip() if at < len(units) else ""
        source = sources[at].strip() if at < len(sources) else ""
        role = next((role for pattern, role in _ROLES if pattern.fullmatch(name)), Role.VALUE)
        if role is Role.VALUE and Role.TIME not in taken and addresses.core(source) == objects.CLOCK:
            role = Role.TIME
        if role in taken and role is not Role.STATUS:
            role = Role.VALUE
        taken.add(role)
        if role is Role.VALUE:
            cells.append(value_cell(at, name, unit, source, archive))
        else:
            cells.append(Cell(role, canonical(name) if role is Role.STATUS else name))
    if Role.TIME not in taken:
        return None
    return Layout(archive, _change_log(cells) if archive in CHANGE_LOGS else cells, learnt=True)


_CHANGE_NAMES = (
    (re.compile(r"Addr?(ess|\.)?|Adr(esse|\.)?|Адрес", re.IGNORECASE), ADDRESS),
    (re.compile(r"(Old|Alt)(er)?( ?(value|val|Wert))?\.?|Было", re.IGNORECASE), OLD),
    (re.compile(r"(New|Neu)(er)?( ?(value|val|Wert))?\.?|Стало", re.IGNORECASE), NEW),
)


def _change_log(cells: Sequence[Cell]) -> list[Cell]:
    """A change log's columns as quantities: by their names, else by their order behind the time (RMG)."""
    values = [at for at, cell in enumerate(cells) if cell.role is Role.VALUE]
    found: dict[str, int] = {}
    for pattern, quantity in _CHANGE_NAMES:
        place = next((at for at in values if pattern.fullmatch(cells[at].name)), None)
        if place is not None:
            found[quantity] = place
    if len(found) < len(_CHANGE_NAMES):
        found = dict(zip((ADDRESS, OLD, NEW), values, strict=False))
    changed = list(cells)
    for quantity, at in found.items():
        known = cells[at].column
        assert known is not None  # it is a value
        changed[at] = Cell(Role.VALUE, cells[at].name, Column(quantity, known.unit, "", known.name, known.source))
    return changed


def to_text(names: Sequence[str], units: Sequence[str], sources: Sequence[str]) -> str:
    """What a device said of a layout, as the text that is remembered."""
    return json.dumps([list(names), list(units), list(sources)], ensure_ascii=False, separators=(",", ":"))


def from_text(archive: str, text: str) -> Layout | None:
    """The layout back from `to_text`; None if it is empty or cannot be read."""
    try:
        names, units, sources = json.loads(text)
        return learnt(archive, [str(n) for n in names], [str(u) for u in units], [str(s) for s in sources])
    except (ValueError, TypeError):
        return None


# the fixed layouts

_GLOBAL, _ORDER, _TIME = Cell(Role.GLOBAL_ORDER, "GONo"), Cell(Role.ORDER, "AONo"), Cell(Role.TIME, "Time")
_EVENT, _CHECK = Cell(Role.EVENT, "Event"), Cell(Role.CHECK, "Check")
_HEAD = (_GLOBAL, _ORDER, _TIME)


def _cells(archive: str, first: int, *named: str) -> tuple[Cell, ...]:
    """Cells from ``name`` or ``name*unit``; an empty name is an unknown value, ``St`` a status nobody names."""
    cells = []
    for at, text in enumerate(named, first):
        name, _, unit = text.partition("*")
        if name == "St":
            cells.append(Cell(Role.STATUS, f"column{at + 1}"))
        else:
            cells.append(value_cell(at, name, unit, "", archive))
    return tuple(cells)


_EK_VALUES = ("Vb*m3", "VbT*m3", "V*m3", "VT*m3", "p.MP*bar", "T.MP*°C", "K.MP", "C.MP")
# The driver MX and the maker's own DLMS driver of the EK280 agree on this order, "spider2" has another.
_EK_STATUSES = tuple(Cell(Role.STATUS, name) for name in ("St.2", "St.4", "St.7", "St.6", "St.Sy"))
_EXTREME = ("*", "*", "St")


def _interval(archive: str, size: int, event: int) -> Layout | None:
    """EK rows of 18 cells, of 20 with dp and T2, and with the user's own columns behind; TC rows of 14 cells."""
    if size == 14 and event in (-1, 12):
        values = _cells(archive, 2, "Vb*m3", "VbT*m3", "V*m3", "Vo*m3", "T.MP*°C", "p.MP*kPa", "C.MP", "St", "St", "St")
        return Layout(archive, (_GLOBAL, _TIME, *values, _EVENT, _CHECK))
    if size == 20 and event == 18:
        values = _cells(archive, 3, *_EK_VALUES, "dp", "T2")
        return Layout(archive, (*_HEAD, *values, *_EK_STATUSES, _EVENT, _CHECK))
    if size >= 18 and event in (-1, 16):
        values = _cells(archive, 3, *_EK_VALUES)
        extra = _cells(archive, 18, *[""] * (size - 18))
        return Layout(archive, (*_HEAD, *values, *_EK_STATUSES, _EVENT, _CHECK, *extra))
    return None


_FIXED = {
    # 22 cells by the maker's driver for EK260 >= 2.00 and EK280. It calls 12 and 13 "original" and "corrected" actual
    # volume, the driver CD calls them V and VT: left unknown.
    (MONTHLY, 22): (
        *_HEAD,
        *_cells(MONTHLY, 3, "Vb*m3", "VbT*m3", "Vb.MP max*m3", "Vb.MP max Time", "St", "Vb.Dy max*m3"),
        *_cells(MONTHLY, 9, "Vb.Dy max Time", "St", "", "", "V.MP max*m3", "V.MP max Time", "St"),
        *_cells(MONTHLY, 16, "V.Dy max*m3", "V.Dy max Time", "St", "St", "St"),
        _CHECK,
    ),
    # 36 cells; CD and the maker's driver disagree whether Qb or Q comes first, so the four flows stay unknown.
    (MONTHLY_2, 36): (
        *_HEAD,
        *_cells(MONTHLY_2, 3, "", "", "St", "", "", "St", "", "", "St", "", "", "St"),
        *_cells(MONTHLY_2, 15, "p.mean*bar", "p.max*bar", "p.max Time", "St", "p.min*bar", "p.min Time", "St"),
        *_cells(MONTHLY_2, 22, "T.mean*°C", "T.max*°C", "T.max Time", "St", "T.min*°C", "T.min Time", "St"),
        *_cells(MONTHLY_2, 29, "K.mean", "C.mean", "St", "St", "St", "St"),
        _CHECK,
    ),
}

_TIME_TEXT = re.compile(r"\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d")
_EVENT_TEXT = re.compile(r"0x[0-9A-Fa-f]{4}")


def fitting(archive: str, cells: Sequence[str]) -> Layout | None:
    """The fixed layout for a row of this archive, judged by its cells; None if it has no time among the first three.

    A layout nobody knows is read by what is certain in it: order numbers, time, event, check.
    """
    size = len(cells)
    time = next((at for at in range(min(3, size)) if _TIME_TEXT.fullmatch(cells[at])), -1)
    if time < 0:
        return None
    event = next((at for at, text in enumerate(cells) if _EVENT_TEXT.fullmatch(text)), -1)
    known: Layout | None = None
    if archive in (INTERVAL, DAILY):
        known = _interval(archive, size, event)
    elif (fixed := _FIXED.get((archive, size))) is not None:
        known = Layout(archive, fixed)
    if known is not None and known.time == time and (event < 0 or known.event == event):
        return known
    head = (_GLOBAL, _ORDER, _TIME)[-time - 1 :] if time < 2 else _HEAD
    if time == 1:
        head = (_GLOBAL, _TIME)
    rest: list[Cell] = []
    for at in range(time + 1, size):
        text = cells[at]
        if at == event:
            rest.append(_EVENT)
        elif text[:3].upper() == "CRC" and at >= size - 2:
            rest.append(_CHECK)
        elif archive in CHANGE_LOGS and time == 2 and at < 6:
            rest.append(value_cell(at, ("Address", "Old value", "New value")[at - 3], "", "", archive))
        else:
            rest.append(value_cell(at, "", "", "", archive))
    return Layout(archive, (*head, *(_change_log(rest) if archive in CHANGE_LOGS and time == 2 else rest)))


__all__ = ["EVENTS", "Cell", "Layout", "Role", "fitting", "from_text", "learnt", "to_text", "value_cell"]
