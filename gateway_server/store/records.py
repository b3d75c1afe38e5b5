"""What the store keeps, as plain data: the register, sessions and their log, readings, jobs.

Times are UTC milliseconds. Field names follow the listing verbs of the command line. What exists once per row or
value is a named tuple, made four times as fast as a frozen dataclass (0.2 against 0.8 µs); ``_replace`` changes one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway_server.model import CallResult, Column, Direction, MeterState, Outcome


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """One meter of the register. ``routes`` are the contract's texts (``tcp:HOST:PORT``, ``caller:ID`` ...).

    ``gas_day_start`` is what the operator says (``HH:MM``), ``gas_day_told`` what the meter said (`gas_day`).
    """

    serial: str
    name: str = ""
    codec: str = ""
    profile: str = ""
    routes: tuple[str, ...] = ()
    group: str = ""
    time_zone: str = "Europe/Moscow"
    gas_day_start: str = ""
    state: MeterState = MeterState.ACTIVE
    manufacturer: str = ""
    model: str = ""
    software_version: str = ""
    address: str = ""
    first_contact_ms: int | None = None
    last_contact_ms: int | None = None
    has_access_code: bool = False
    id: int = 0
    gas_day_told: str = ""


class SessionKey:
    """A session's place in the store. ``id`` is 0 until the transaction that opens the session has been written.

    Compared by identity; made by `Writer.open_session` at once, so that bytes can be logged before any commit.
    What a session logs that is ``apart`` stands in entries of its own, which can be found by their numbers.
    ``opening`` is there until it is handed to the store's thread.
    """

    __slots__ = ("apart", "id", "opening")

    def __init__(self, id: int = 0, opening: SessionOpening | None = None) -> None:
        self.id = id
        self.apart = False
        self.opening = opening


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that begins to arrive in a session; its account is the session's ``caller``.

    ``raw_name`` holds the name's bytes where they are not UTF-8. An upload that goes on where an earlier one ended
    (APPE, REST) names that file's id in ``continues`` and in ``offset`` how many of its bytes stay.
    """

    name: str
    raw_name: bytes = b""
    continues: int = 0
    offset: int = 0


class SessionOpening(NamedTuple):
    """What is known when a line opens. ``serial`` only if the route already says which meter this is."""

    transport: str  # tcp, serial, csd, ftp, capture
    remote: str
    started_ms: int
    serial: str = ""
    codec: str = ""
    codec_version: str = ""
    listener: str = ""
    caller: str = ""  # what the other end registered as
    job: int = 0
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class SessionClosing:
    """How a session ended. ``detail`` says it in words for the operator, with what to do."""

    ended_ms: int
    outcome: Outcome
    detail: str = ""
    bytes_received: int = 0
    bytes_sent: int = 0
    serial: str = ""
    codec: str = ""
    codec_version: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as stored; without ``ended_ms`` and ``outcome`` it runs, or the gateway was killed in it."""

    id: int
    meter: str
    transport: str
    remote: str
    started_ms: int
    ended_ms: int | None
    outcome: Outcome | None
    detail: str
    bytes_received: int
    bytes_sent: int
    readings: int
    codec: str
    codec_version: str
    listener: str = ""
    caller: str = ""
    job: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One chunk of a session's log, in the order of the wire. A note's ``data`` is UTF-8 text."""

    at_ms: int
    direction: Direction
    data: bytes


class RowToSave(NamedTuple):
    """One `Row` at the store's door: UTC times, values as exact decimal text.

    ``order_number`` None is kept as none; ``span`` is the row's bytes in the received stream of its session.
    """

    columns: tuple[Column, ...]
    values: tuple[str, ...]
    archive: str
    measured_at_ms: int
    received_at_ms: int
    order_number: int | None = None
    status: str = ""
    event: str = ""
    quality: str = ""
    span_start: int = 0
    span_end: int = 0


class EventToSave(NamedTuple):
    """One `Event` at the store's door."""

    code: str
    text: str
    measured_at_ms: int
    received_at_ms: int
    order_number: int | None = None
    quality: str = ""
    span_start: int = 0
    span_end: int = 0


class StoredRow(NamedTuple):
    """One stored row. ``variant`` is 0 for what came first, 1 and up for the same row with other values.

    ``row.quality`` holds the codec's doubts and the store's own (`Quality`).
    """

    meter: str
    row: RowToSave
    session: int
    codec: str
    codec_version: str
    variant: int = 0


class StoredReading(NamedTuple):
    """One stored value, as `reading list` shows it."""

    meter: str
    quantity: str
    obis: str
    name: str
    value: str
    unit: str
    measured_at_ms: int
    received_at_ms: int
    archive: str
    order_number: int | None
    status: str
    event: str
    quality: str
    session: int
    span_start: int
    span_end: int
    codec: str
    codec_version: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One stored entry of a meter's event log."""

    meter: str
    code: str
    text: str
    measured_at_ms: int
    received_at_ms: int
    order_number: int | None
    quality: str
    session: int
    span_start: int
    span_end: int
    codec: str
    codec_version: str


class JobState(enum.Enum):
    """How far an order is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Origin(enum.Enum):
    """Who wants a job done."""

    PERSON = "person"
    SCHEDULE = "schedule"
    COMPLETENESS = "completeness"  # rows are overdue, and the meter called in by itself


@dataclass(frozen=True, slots=True)
class JobRecord:
    """An order to obtain something from a meter: ``order`` as `ReadOrder.to_json`, an empty ``route`` means its own.

    It is due from ``due_ms`` on and, after a failure, from ``next_ms``; nothing is begun behind ``window_end_ms``.
    ``attempts`` are those that count, ``tries`` all; ``result`` and ``avoid`` say how the last went, by which modem.
    ``by_modem``: it waits for a modem, not for a line. ``waits``: it is ours only because the meter has to call in by
    itself; others may be at the meter meanwhile. ``schedule`` and ``night`` say which night's job it is.
    """

    id: int
    serial: str
    order: str
    route: str
    state: JobState
    created_ms: int
    lease_until_ms: int | None = None
    progress: str = ""
    progress_done: int = 0
    progress_total: int = 0
    session: int = 0
    outcome: Outcome | None = None
    detail: str = ""
    due_ms: int = 0
    window_end_ms: int | None = None
    next_ms: int = 0
    priority: int = 0
    attempts: int = 0
    most_attempts: int = 1
    tries: int = 0
    waits: bool = False
    by_modem: bool = False
    avoid: str = ""
    result: CallResult | None = None
    origin: Origin = Origin.PERSON
    schedule: str = ""
    night: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call by modem. Without ``ended_ms`` and ``result`` it is being made, or the gateway was killed in it.

    ``airtime_ms`` is from CONNECT to the hang-up we ordered; ``cause`` the network's own word for a failure (+CEER).
    ``attempt`` counts within one window of its plan. ``signal`` is +CSQ's number (0 to 31, 99 unknown) before dialling.
    """

    id: int
    meter: str
    modem: str
    number: str
    started_ms: int
    connected_ms: int | None = None
    ended_ms: int | None = None
    result: CallResult | None = None
    detail: str = ""
    cause: str = ""
    bytes: int = 0  # of both directions
    airtime_ms: int = 0
    attempt: int = 1
    session: int = 0
    job: int = 0
    bearer: str = ""
    operator: str = ""
    signal: int | None = None
    inbound: bool = False

    @property
    def paid_ms(self) -> int:
        """From CONNECT until the modem is on hook, a few seconds behind the hang-up; of an open call not known yet."""
        if self.connected_ms is None or self.ended_ms is None:
            return self.airtime_ms
        return max(self.ended_ms - self.connected_ms, self.airtime_ms)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing verb asks for; empty fields ask for everything. Times are inclusive UTC milliseconds."""

    serials: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    states: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    sessions: tuple[int, ...] = ()
    logins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    search: str = ""
    limit: int | None = None
    newest_first: bool = field(default=False)
