"""The nouns of the trade as plain data: meters, what they report, and how a session ended.

Times that a meter states are naive ``datetime`` in the meter's own clock (``fold=1`` marks the second of two equal
autumn hours), or have the zone UTC where its protocol speaks UTC; times of ours are UTC milliseconds. The two meet at
the session's edge, never here.
Values are ``Decimal`` (or text where the meter reports text), never float. What is made by the thousand is a
named tuple: making one costs a quarter of a frozen dataclass.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

Value = Decimal | str

CURRENT = "current"
INTERVAL = "interval"
DAILY = "daily"
MONTHLY = "monthly"
EVENTS = "events"
CHANGES = "changes"


class Direction(enum.Enum):
    """Whose bytes a session log entry holds. The values are how logs, screens and captures mark them."""

    FROM_METER = "<"
    TO_METER = ">"
    FROM_MODEM = "{"  # the modem's own words on the way to a meter, never part of what the meter sent
    TO_MODEM = "}"
    NOTE = "-"

    @property
    def of_modem(self) -> bool:
        """Whether it is the dialogue with a modem."""
        return self in (Direction.FROM_MODEM, Direction.TO_MODEM)


class Outcome(enum.Enum):
    """How a session ended; one of these, always."""

    READ = "read"
    PARTIAL = "partial"
    SILENT = "silent"
    GARBLED = "garbled"
    REFUSED = "refused"
    UNKNOWN_METER = "unknown_meter"
    LINE_LOST = "line_lost"
    GATEWAY_FAULT = "gateway_fault"
    IDLE = "idle"  # nobody spoke with the meter: its line was open, and its modem's heartbeats came


class CallResult(enum.Enum):
    """How one call by modem went. The session's outcome says what the meter then said; this says what the call cost."""

    OK = "ok"  # connected, and the session ended by itself
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NO_CARRIER = "no_carrier"  # the handshake failed, or the network gave up while it rang
    NO_DIALTONE = "no_dialtone"  # not registered with the network, or the line is in use
    BARRED = "barred"  # refused by the network at once: no data service, no credit, wrong bearer
    WRONG_NUMBER = "wrong_number"  # the network does not know it, or it is another meter's
    DELAYED = "delayed"  # the modem's own redial guard
    SILENT = "silent"  # connected, but no valid frame came
    REFUSED = "refused"  # connected, but the meter refused: most often a wrong access code
    LOST = "lost"  # the carrier went away in the middle of a session
    OVER_BUDGET = "over_budget"  # hung up by us: it took longer than a call may
    MODEM_FAULT = "modem_fault"
    INTERRUPTED = "interrupted"  # the gateway was stopped or killed during the call


class MeterState(enum.Enum):
    """Where a meter stands in the register: in care, seen but nobody's yet, or switched off by the operator."""

    ACTIVE = "active"
    UNCLAIMED = "unclaimed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured, independent of any maker's name for it.

    ``cumulative`` says that the value is a counter which only ever grows.
    """

    name: str
    obis: str = ""
    unit: str = ""
    cumulative: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an archive, or one live value: the quantity, and how this meter calls it.

    ``name`` is the device's own name (``VbT``), ``source`` its own address (``2:302``), ``unit`` as it reported it.
    """

    quantity: str
    unit: str = ""
    obis: str = ""
    name: str = ""
    source: str = ""
    cumulative: bool = False


class Span(NamedTuple):
    """Which bytes of the session's received stream something came from: offsets counted from its first byte."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value a meter reported."""

    serial: str
    quantity: Quantity
    value: Value
    unit: str = ""
    archive: str = CURRENT
    measured_at: datetime | None = None
    order_number: int | None = None
    status: str = ""
    quality: str = ""
    span: Span = NOWHERE
    name: str = ""


MOST_ORDER_NUMBER = 10**18 - 1
"""The highest number a row or an event may have: 18 digits fit into what the store counts with, no device has more."""


class Row(NamedTuple):
    """Readings a meter reported together: one row of an archive, or live values read at one time.

    ``columns`` is shared between the rows of one archive layout. ``measured_at`` is the meter's own clock; None means
    "now", as with live values. ``order_number`` is the device's own number of the row within its archive.
    ``status`` keeps the device's message lists (``St.2=7 St.4=14``), ``event`` its raw event code (``0x8104``).
    ``quality`` holds the codec's doubts as space-separated words (`Quality`), empty when there are none.
    """

    columns: tuple[Column, ...]
    values: tuple[Value, ...]
    archive: str = CURRENT
    measured_at: datetime | None = None
    order_number: int | None = None
    status: str = ""
    event: str = ""
    quality: str = ""
    span: Span = NOWHERE


class Quality:
    """Words that stand in a reading's ``quality``; several are separated by a space, none means ``good``."""

    GOOD = "good"
    EXTRA_ROW = "extra_row"  # between the regular ones (clock set, status change): not for hourly sums
    CHECK_FAILED = "check_failed"  # the device's own check of the row is not Ok
    COUNTER_BACK = "counter_back"  # a counter is lower than in the row before
    CLOCK_OFF = "clock_off"  # the meter's time cannot be true: before 2000, or a day and more after arrival
    INFERRED = "inferred"  # read by a layout that no document or device confirms
    CONFLICT = "conflict"  # this row came before with other values; both are kept


class Event(NamedTuple):
    """One entry of a meter's event log. ``code`` is raw as on the wire (``0x2504``); ``text`` says it in words."""

    code: str
    text: str = ""
    measured_at: datetime | None = None
    order_number: int | None = None
    quality: str = ""
    span: Span = NOWHERE


class ArchiveRange(NamedTuple):
    """A stretch of one archive, both ends included, in the meter's own clock."""

    archive: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What to obtain from a meter.

    ``what`` holds ``current``, ``archive``, ``events``; ``archives`` names the wanted archives, empty for all it has.
    ``since`` and ``until`` (inclusive, the meter's own clock) bound archives and events; with ``since`` None each
    archive goes on behind its last stored row. An archive that ``ranges`` name is read in these stretches and nowhere
    else, in this order; a codec that knows only bounds takes the archive `within` them.
    """

    what: frozenset[str] = frozenset({"current", "archive", "events"})
    archives: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    ranges: tuple[ArchiveRange, ...] = ()

    def ranges_of(self, archive: str) -> tuple[ArchiveRange, ...]:
        """The stretches of one archive, in the order of reading; none where it is read as a whole."""
        return tuple(one for one in self.ranges if one.archive == archive)

    def within(self) -> tuple[datetime | None, datetime | None]:
        """The bounds that hold everything that is wanted."""
        if not self.ranges:
            return self.since, self.until
        return min(one.since for one in self.ranges), max(one.until for one in self.ranges)

    def to_json(self) -> str:
        """The order as the text a job carries through the store; without ranges as it always was."""
        document: dict[str, object] = {
            "what": sorted(self.what),
            "archives": list(self.archives),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }
        if self.ranges:
            document["ranges"] = [[one.archive, one.since.isoformat(), one.until.isoformat()] for one in self.ranges]
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str) -> ReadOrder:
        """The order back from `to_json`."""
        raw = json.loads(text)
        return cls(
            frozenset(raw["what"]),
            tuple(raw["archives"]),
            datetime.fromisoformat(raw["since"]) if raw["since"] else None,
            datetime.fromisoformat(raw["until"]) if raw["until"] else None,
            tuple(
                ArchiveRange(archive, datetime.fromisoformat(since), datetime.fromisoformat(until))
                for archive, since, until in raw.get("ranges", ())
            ),
        )


@dataclass(frozen=True, slots=True)
class LastRow:
    """The newest stored row of one archive of a meter: where the next reading goes on.

    ``measured_at`` is in the meter's own clock.
    """

    order_number: int | None
    measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """What a dialogue may know of the meter at the other end.

    ``memory`` is what earlier sessions asked to remember of this meter (`Remember`), ``last`` the newest stored row
    per archive, ``access_code`` the code of its lock (``code`` or ``lock:code``), ``address`` its bus address.
    ``airtime`` says that the line is paid for by the second and slow to answer: nothing is asked that is not needed;
    ``early_acknowledge`` that a device of its type may be told to go on before what it sends has arrived.
    ``zone`` is that of its own clock, None if nobody knows it.
    """

    serial: str
    order: ReadOrder = ReadOrder()
    claimed: bool = True
    access_code: str = field(default="", repr=False)
    memory: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, LastRow] = field(default_factory=dict)
    address: str = ""
    airtime: bool = False
    early_acknowledge: bool = False
    zone: tzinfo | None = None


GAS_DAY_START = "gas_day_start"
"""Under this name a codec remembers when its meter's gas day starts, as ``HH:MM``: the register goes by it."""


@dataclass(frozen=True, slots=True)
class Identify:
    """The meter said who it is, and whatever else of itself belongs into the register.

    With ``by_line`` its protocol does not tell (``serial`` is empty): it is whose line it is, known by what the modem
    registered, by its address or by its number.
    """

    serial: str
    manufacturer: str = ""
    model: str = ""
    software_version: str = ""
    by_line: bool = False


class Saved(NamedTuple):
    """What a commit did: rows stored anew, rows already there, rows that came again with other values."""

    new: int = 0
    same: int = 0
    conflicts: int = 0
