"""Remarks in a session's log that people read and a replay obeys."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway_server.model import Direction, Span
from gateway_server.store.records import LogEntry

GIVEN_UP = "what had come of a frame was given up"
"""Stands where a session stopped waiting for the rest of a frame: a replay must not join it to what came later."""

ANSWERED_HEARTBEAT = "heartbeat, answered by the next bytes to it"
"""What was kept out, when the bytes to the meter that follow are the answer to it and not the dialogue's."""

IDLE = "nobody speaks with the meter; these are its modem's heartbeats"
"""Stands first in the record of a parked line: nothing in it is the codec's, in neither direction."""

LATE = "they came when the session was over"
"""What was kept out, when the line still delivered it behind the session's end."""
IDENTIFIED = "the meter is known"
"""Stands in the log of a call where sign-on ends and data begin."""

_KEPT_OUT = re.compile(r"bytes (\d{1,15}) to (\d{1,15}) are not the meter's: .*", re.DOTALL)

_IDLE = IDLE.encode()
_IDENTIFIED = IDENTIFIED.encode()
_EVERYTHING = Span(0, 10**15)


def kept_out(start: int, end: int, what: str) -> str:
    """Bytes ``start`` up to ``end`` of the received stream were not given to the codec: ``what`` they are instead."""
    return f"bytes {start} to {end} are not the meter's: {what}"


def is_answered(entry: LogEntry) -> bool:
    """Whether the next bytes to the meter answer a heartbeat: a replay must not take them for the dialogue's."""
    return entry.direction is Direction.NOTE and entry.data.endswith(ANSWERED_HEARTBEAT.encode())


def is_late(entry: LogEntry) -> bool:
    """Whether bytes before this were received behind the session's end."""
    return entry.direction is Direction.NOTE and entry.data.endswith(LATE.encode())


def is_identified(entry: LogEntry) -> bool:
    """Whether a call's sign-on ended here: from now on what is known of its meter is used."""
    return entry.direction is Direction.NOTE and entry.data == _IDENTIFIED


def is_idle(entry: LogEntry) -> bool:
    """Whether this is the log of a parked line, all of it the modem's."""
    return entry.direction is Direction.NOTE and entry.data == _IDLE


def spans_kept_out(entries: Iterable[LogEntry]) -> list[Span]:
    """Which bytes of a session's received stream a replay has to leave out, in order and without overlap."""
    spans: list[Span] = []
    for entry in entries:
        if is_idle(entry):
            return [_EVERYTHING]
        if entry.direction is Direction.NOTE and (match := _KEPT_OUT.fullmatch(entry.data.decode("utf-8", "replace"))):
            start, end = int(match[1]), int(match[2])
            if start < end:
                spans.append(Span(start, end))
    spans.sort(key=lambda span: span.start)
    apart: list[Span] = []
    for span in spans:
        if apart and span.start <= apart[-1].end:
            apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end))
        else:
            apart.append(span)
    return apart
