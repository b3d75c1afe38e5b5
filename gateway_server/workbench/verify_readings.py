"""What a codec reads from a capture, for people to look at, and against what it is known to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import Codec
from gateway_server.model import KnownMeter
from gateway_server.workbench.capture import Capture
from gateway_server.workbench.readings import Told, compare_readings, told
from gateway_server.workbench.replay import replay
from gateway_server.workbench.tally import MOST_TOLD
from gateway_server.workbench.verify import Check

READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Read:
    """The readings and events of a capture, and what the codec had to remark."""

    readings: list[Told]
    notes: list[str]


def what_was_read(codec: Codec, capture: Capture) -> Read:
    """A capture through a codec."""
    header = capture.header
    meter = KnownMeter(header.meter) if header.meter else None
    found = Read([], [])
    for one in replay(codec, capture.entries, ZoneInfo(header.zone or "UTC"), meter=meter):
        found.readings.extend(told(one.serial, one.rows, one.events))
        if one.note and one.note not in found.notes:
            found.notes.append(one.note)
    return found


def check_readings(read: Read, expected: Sequence[Told] | None) -> Iterator[Check]:
    """Whether these are the readings that are ``expected``, if that is known."""
    detail = f"{len(read.readings)} readings and events"
    if expected is not None:
        differences = compare_readings(expected, read.readings)
        yield Check(READINGS, not differences, f"{detail}; {_some(differences)}" if differences else detail)
    elif not read.readings:
        yield Check(READINGS, True, "none: of what this capture holds nothing would be stored", remark=True)
    else:
        yield Check(READINGS, True, detail)
    if read.notes:
        yield Check("notes", True, "; ".join(read.notes[:MOST_TOLD]), remark=True)


def readings_shown(readings: Iterable[Told]) -> Iterator[str]:
    """The readings a row a line, as a person compares them with a display."""
    for place, together in groupby(readings, _place):
        lines = list(together)
        if not place:
            yield from map(_event, lines)
            continue
        values = "   ".join(" ".join(filter(None, map(str, _value(line)))) for line in lines)
        status = lines[0]["status"]
        yield f"{place}  {values}{f'   status {status}' if status else ''}"


def _place(line: Told) -> str:
    """Which row a reading stands in; empty for an event."""
    if "quantity" not in line:
        return ""
    number = line["order_number"]
    archive = line["archive"] if number is None else f"{line['archive']} {number}"
    return f"{archive}  {line['measured_at']}"


def _value(line: Told) -> tuple[str | int | None, ...]:
    return line["quantity"], line["value"], line["unit"]


def _event(line: Told) -> str:
    number = "" if line["order_number"] is None else f" {line['order_number']}"
    return f"event{number}  {line['measured_at']}  {line['code']} {line['text']}".rstrip()


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - MOST_TOLD} more" if len(texts) > MOST_TOLD else ""
    return ", ".join(texts[:MOST_TOLD]) + more
