"""Which archives each model has and what stands in their columns.

Column order of the interval and monthly archives: drivers and captured rows. Where only a column's meaning is known
its name here is a guess, and so are the status objects' addresses and all ring depths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway_server.testing.lis200.quirks import Quirks

MODELS = ("ek260", "ek270", "ek280", "tc210", "tc215", "tc220")


@dataclass(frozen=True, slots=True)
class FakeColumn:
    """One column as V.2, V.3 and V.4 tell it. ``key`` names what the simulator puts there."""

    name: str
    unit: str = ""
    source: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class FakeLayout:
    """One archive of a model. ``kind`` is what fills it; ``depth`` is its ring's size in rows."""

    number: int
    kind: str
    columns: tuple[FakeColumn, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class FakeModel:
    """What differs from model to model on the wire."""

    name: str
    identification: str
    type_text: str
    software: str
    locks: tuple[int, ...]
    access_code: str
    pressure: int  # usual, 0.0001 bar
    capacity: int  # m3/h
    kilopascal: bool = False  # p is printed in kPa (TC)

    @property
    def is_tc(self) -> bool:
        """TC correctors have shorter rows, no archive order numbers, and measure no K."""
        return self.name.startswith("tc")


EK_LOCKS = (1, 2, 3, 4)
FAKE_MODELS = {
    "ek260": FakeModel("ek260", "/Els6EK260", "EK260", "3.01", EK_LOCKS, "00000000", 61000, 400),
    "ek270": FakeModel("ek270", "/Els6EK270", "EK270", "2.05", EK_LOCKS, "00000000", 129000, 160),
    "ek280": FakeModel("ek280", "/Els6\\2EK280", "EK280", "2.31", (*EK_LOCKS, 5), "00000000", 129000, 650),
    "tc210": FakeModel("tc210", "/Els6TC210", "TC210", "1.10", EK_LOCKS, "0", 10350, 25, kilopascal=True),
    "tc215": FakeModel("tc215", "/Els6TC215", "TC215", "1.20", EK_LOCKS, "0", 10350, 16, kilopascal=True),
    "tc220": FakeModel("tc220", "/Els6TC220", "TC220", "1.30", EK_LOCKS, "0", 10420, 40, kilopascal=True),
}

ORDER = (
    FakeColumn("GONo", "", "0001:0FF0", "gono"),
    FakeColumn("AONo", "", "0001:0FF1", "aono"),
    FakeColumn("Time", "", "0001:0400", "time"),
)
CHECK = FakeColumn("Check", "", "0001:0FFC", "check")
EVENT = FakeColumn("Event", "", "0001:0FFE", "event")
COUNTERS = (
    FakeColumn("Vb", "m3", "0002:0300", "vb"),
    FakeColumn("VbT", "m3", "0002:0302", "vbt"),
    FakeColumn("V", "m3", "0004:0300", "v"),
    FakeColumn("VT", "m3", "0004:0302", "vt"),
)
STATUS = (
    FakeColumn("St.2", "", "0002:0110", "st2"),
    FakeColumn("St.4", "", "0004:0110", "st4"),
    FakeColumn("St.7", "", "0007:0110", "st7"),
    FakeColumn("St.6", "", "0006:0110", "st6"),
    FakeColumn("St.Sy", "", "0002:0100", "stsy"),
)
MEANS = (
    FakeColumn("p.MP", "bar", "0007:0310", "p"),
    FakeColumn("T.MP", "{C", "0006:0310_1", "t"),
    FakeColumn("K.MP", "", "0008:0310", "k"),
    FakeColumn("C.MP", "", "0005:0310", "c"),
)
DIFFERENCE = (
    FakeColumn("dp", "mbar", "0020:0310", "dp"),
    FakeColumn("T2", "{C", "0020:0310_1", "t2"),
)
UNKNOWN = (
    FakeColumn("Xyz.1", "foo", "0099:0F0F", "xyz1"),
    FakeColumn("??", "", "0098:0ABC", "xyz2"),
)
EXTRA = (
    FakeColumn("Qb.MX", "m3/h", "0002:0310", "qbmax"),
    FakeColumn("W", "MWh", "0001:0302", "w"),
)
TC_ROW = (
    FakeColumn("GONo", "", "0001:0FF0", "gono"),
    FakeColumn("Time", "", "0001:0400", "time"),
    *COUNTERS[:3],
    FakeColumn("Vo", "m3", "0004:0302", "vt"),
    FakeColumn("T.MP", "{C", "0006:0310_1", "t"),
    FakeColumn("p.MP", "kPa", "0007:0310", "p"),
    FakeColumn("C.MP", "", "0005:0310", "c"),
    STATUS[0],
    STATUS[1],
    STATUS[4],
    EVENT,
    CHECK,
)


def _extreme(name: str, unit: str, source: str, key: str) -> tuple[FakeColumn, ...]:
    """A maximum or minimum as monthly archives keep it: the value, when it was, the status then."""
    return (
        FakeColumn(name, unit, source, key),
        FakeColumn(f"{name} Time", "", "0001:0400", f"{key}.time"),
        FakeColumn(f"{name} St", "", "0001:0101", f"{key}.st"),
    )


MONTHLY_1 = (
    *ORDER,
    COUNTERS[0],
    COUNTERS[1],
    *_extreme("Vb.MP max", "m3", "0002:0161", "vbmpmax"),
    *_extreme("Vb.Dy max", "m3", "0002:0162", "vbdymax"),
    COUNTERS[2],
    COUNTERS[3],
    *_extreme("V.MP max", "m3", "0004:0161", "vmpmax"),
    *_extreme("V.Dy max", "m3", "0004:0162", "vdymax"),
    STATUS[1],
    STATUS[4],
    CHECK,
)
# 36 cells, values at the indices 3, 6, 9, 12, 15, 16, 19, 22, 23, 26, 29, 30 (driver).
MONTHLY_2 = (
    *ORDER,
    *_extreme("Qb max", "m3/h", "0002:0312", "qbmax"),
    *_extreme("Qb min", "m3/h", "0002:0313", "qbmin"),
    *_extreme("Q max", "m3/h", "0004:0312", "qmax"),
    *_extreme("Q min", "m3/h", "0004:0313", "qmin"),
    FakeColumn("p mean", "bar", "0007:0310", "p"),
    *_extreme("p max", "bar", "0007:0318", "pmax"),
    *_extreme("p min", "bar", "0007:0319", "pmin"),
    FakeColumn("T mean", "{C", "0006:0310_1", "t"),
    *_extreme("T max", "{C", "0006:0318_1", "tmax"),
    *_extreme("T min", "{C", "0006:0319_1", "tmin"),
    FakeColumn("K mean", "", "0008:0310", "k"),
    FakeColumn("C mean", "", "0005:0310", "c"),
    STATUS[2],
    STATUS[3],
    STATUS[1],
    STATUS[4],
    CHECK,
)
LOGBOOK = (*ORDER, EVENT, CHECK)
CHANGES = (
    *ORDER,
    FakeColumn("Addr", "", "0001:0FF5", "address"),
    FakeColumn("Old", "", "0001:0FF6", "old"),
    FakeColumn("New", "", "0001:0FF7", "new"),
    FakeColumn("St.SL", "", "0003:0170", "st3lock"),
    FakeColumn("St.CL", "", "0004:0170", "st4lock"),
    CHECK,
)


def interval_columns(model: FakeModel, quirks: Quirks) -> tuple[FakeColumn, ...]:
    """The interval row of this model: 14 cells on TC, 18 on EK, 20 on EK270 with differential pressure."""
    columns: tuple[FakeColumn, ...] = TC_ROW
    if not model.is_tc:
        means = (*MEANS, *DIFFERENCE) if quirks.twenty_cells and model.name == "ek270" else MEANS
        columns = (*ORDER, *COUNTERS, *means, *STATUS, EVENT, CHECK)
    if quirks.extra_columns and model.name == "ek280":
        columns = (*columns, *EXTRA)
    if quirks.unknown_columns:
        columns = (*columns, *UNKNOWN)
    if quirks.russian_units:
        columns = tuple(replace(column, unit=column.unit.replace("m3", "м3")) for column in columns)
    return columns


def layouts(model: FakeModel, quirks: Quirks) -> tuple[FakeLayout, ...]:
    """All archives of a model, by number."""
    row = interval_columns(model, quirks)
    if model.is_tc:
        return (FakeLayout(3, "interval", row, 3000),)
    found = [
        FakeLayout(1, "monthly1", MONTHLY_1, 24),
        FakeLayout(2, "monthly2", MONTHLY_2, 24),
        FakeLayout(3, "interval", row, 5856),
        FakeLayout(4, "events", LOGBOOK, 500),
        FakeLayout(5, "changes", CHANGES, 200),
        FakeLayout(7, "daily", row, 600),
    ]
    if model.name == "ek280":
        found.append(FakeLayout(9, "audit", CHANGES, 200))
        found.append(FakeLayout(13, "extended", (*ORDER, *COUNTERS[1:2], MEANS[0], *EXTRA, EVENT, CHECK), 5856))
    return tuple(found)
