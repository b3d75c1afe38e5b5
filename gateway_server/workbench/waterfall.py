"""Where a call's time went: dial, wake-up, sign-on, data, hang-up, told from its session's log alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway_server.model import Direction
from gateway_server.session.remarks import is_identified
from gateway_server.store.records import LogEntry


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a call: when it began, and how long it took."""

    name: str
    at_ms: int
    took_ms: int


@dataclass(slots=True)
class _Marks:
    dialled: int | None = None
    connected: int | None = None
    asked: int | None = None  # the first byte to the meter that is not to wake it
    identified: int | None = None
    last: int | None = None  # the last byte of the meter's dialogue
    released: int | None = None  # the last line of the modem's dialogue


def waterfall(entries: Iterable[LogEntry]) -> list[Phase]:
    """The phases of a call, in order; none for a session that was no call. A call that failed has only some."""
    marks = _Marks()
    for entry in entries:
        _note(entry, marks)
    if marks.dialled is None:
        return []
    ends = [
        ("dial", marks.dialled, marks.connected or marks.released),
        ("wake-up", marks.connected, marks.asked),
        ("sign-on", marks.asked, marks.identified),
        ("data", marks.identified or marks.asked, marks.last),
        ("hang-up", (marks.last or marks.connected) if marks.connected is not None else None, marks.released),
    ]
    return [
        Phase(name, start, end - start)
        for name, start, end in ends
        if start is not None and end is not None and end >= start
    ]


def _note(entry: LogEntry, marks: _Marks) -> None:
    match entry.direction:
        case Direction.TO_MODEM:
            if entry.data.upper().startswith((b"ATD", b"ATA\r")):
                marks.dialled = entry.at_ms
            marks.released = entry.at_ms
        case Direction.FROM_MODEM:
            if marks.dialled is not None and entry.data.strip().upper().startswith((b"CONNECT", b"1")):
                marks.connected = marks.connected or entry.at_ms
            marks.released = entry.at_ms
        case Direction.TO_METER:
            if marks.asked is None and entry.data.strip(b"\0"):
                marks.asked = entry.at_ms
            marks.last = entry.at_ms
        case Direction.FROM_METER:
            marks.last = entry.at_ms
        case Direction.NOTE:
            if is_identified(entry) and marks.identified is None:
                marks.identified = entry.at_ms
