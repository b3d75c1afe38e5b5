"""Whole readings without a wire: a simulated meter, the codec, a session and a store in memory, in a clock's time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from twisted.internet.task import Clock

from gateway_server.codec.dialogue import Progress
from gateway_server.model import Outcome, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities, Plan
from gateway_server.session.session import Session
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionOpening, StoredRow
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.line_to_meter import LineToMeter, run
from gateway_server.testing.meter_lines import MeterClock
from plugins.lis200 import codec

NOW = datetime(2024, 4, 3, 12, 5)
ZONE = ZoneInfo("Europe/Moscow")
SERIAL = "41203377"
LONGEST_S = 6 * 3600
HOURS = ReadOrder(frozenset({"archive"}), ("interval",))


def utc_ms(text: str) -> int:
    """A meter's time as it stands in a cell, as the store keeps it."""
    moment = datetime.strptime(text, "%Y-%m-%d,%H:%M:%S").replace(tzinfo=ZONE)
    return int(moment.timestamp()) * 1000


@dataclass
class Reader:
    """A gateway in little: reads one meter, session by session. ``now`` is true local time at the start.

    ``there`` is how many rows each archive had when the last session began: what came later need not be stored.
    """

    meter: FakeMeter
    access_code: str | None = None
    now: datetime = NOW
    endings: list[Ending] = field(default_factory=list)
    there: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = open_store(":memory:")
        self.store.put_meter(MeterRecord(SERIAL), self.access_code)
        self.clock = Clock()
        self._time = MeterClock(self.clock, self.now)
        start_ms = int(self.now.replace(tzinfo=ZONE).timestamp()) * 1000
        self._facilities = Facilities(
            DirectWriter(self.store),
            self.clock,
            lambda: start_ms + int(self.clock.seconds() * 1000),
            Sweep(self.clock),
        )

    def read(self, order: ReadOrder) -> Outcome:
        """One session over a new line."""
        self.meter.tick(self._time.now())
        self.there = {number: len(archive.rows) for number, archive in self.meter.archives.items()}
        line = LineToMeter(self.meter, self.clock, self._time)
        before = len(self.endings)
        opening = SessionOpening("tcp", line.remote, self._facilities.now_ms())
        session = Session(line, self._facilities, self, opening)
        line.connect(session)
        known = self.store.known_meter(SERIAL)
        session.begin(Plan((codec,), order=order, serial=SERIAL, expected=known))
        waited = 0.0
        while len(self.endings) == before and waited < LONGEST_S:
            run(self.clock, 30)
            waited += 30
        line.abort()
        assert len(self.endings) == before + 1, "the session never ended"
        return self.endings[-1].outcome

    def read_until_done(self, order: ReadOrder, sessions: int = 4) -> list[str]:
        """Sessions one behind the other until one obtained all; their outcomes."""
        outcomes: list[str] = []
        while len(outcomes) < sessions and "read" not in outcomes:
            outcomes.append(self.read(order).value)
        return outcomes

    def rows(self, archive: str) -> list[StoredRow]:
        """What is stored of an archive, oldest first."""
        return sorted(self.store.rows(Filter(archives=(archive,))), key=lambda stored: stored.row.order_number or 0)

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The session tells us; nothing to do."""

    def session_progress(self, session: Session, progress: Progress) -> None:
        """The session tells us; nothing to do."""

    def session_ended(self, session: Session, ending: Ending) -> None:
        """The session tells us."""
        self.endings.append(ending)


def held(meter: FakeMeter, number: int) -> list[dict[str, Any]]:
    """The rows of an archive as the simulator says it holds them."""
    archives: Any = meter.holds()["archives"]
    return list(archives[str(number)]["rows"])


def stored_as_held(stored: StoredRow, row: dict[str, Any]) -> list[str]:
    """In what a stored row differs from the meter's own, in words; empty when it is exactly that row.

    Every cell must be there: measured ones under the device's name with the exact text, status cells that are not 0
    in the row's status, order number, time and event in their places.
    """
    kept = stored.row
    differences = []
    for what, is_, wanted in (
        ("order number", kept.order_number, row["order_number"]),
        ("time", kept.measured_at_ms, utc_ms(row["time"])),
        ("event", kept.event, row["event"]),
        ("variant", stored.variant, 0),
        ("check_failed", "check_failed" in kept.quality, row["check"] != "CRC Ok"),
    ):
        if is_ != wanted:
            differences.append(f"{what} is {is_!r}, the meter holds {wanted!r}")
    values = {column.name: value for column, value in zip(kept.columns, kept.values, strict=True)}
    for name, cell in row["values"].items():
        if name in values:
            if values.pop(name) != cell:
                differences.append(f"{name} is not {cell!r}")
        elif cell != "0" and f"{name}={cell.replace(' ', ',')}" not in kept.status:
            differences.append(f"{name} with {cell!r} is neither value nor status ({kept.status!r})")
    if values:
        differences.append(f"{sorted(values)} stand in the store but not in the meter")
    return differences


def differences(reader: Reader, archive: str, number: int) -> list[str]:
    """In what the store differs from the meter's archive, row by row; empty when they are the same."""
    stored = reader.rows(archive)
    rows = held(reader.meter, number)[: max(len(stored), reader.there[number])]
    found = [] if len(stored) == len(rows) else [f"{len(stored)} rows are stored, the meter holds {len(rows)}"]
    for one, row in zip(stored, rows, strict=False):
        found += [f"row {row['order_number']}: {text}" for text in stored_as_held(one, row)]
    return found
