"""What a capture is known to say: the ``.readings`` file beside it, one JSON object a line.

A reading has the fields of ``reading list --json`` and an event those of ``event``, both without ``session``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from gateway_server.errors import OperatorError
from gateway_server.store.records import EventToSave, RowToSave
from gateway_server.store.zones import moment

Told = Mapping[str, str | int | None]

READING_FIELDS = (
    "meter",
    "quantity",
    "obis",
    "value",
    "unit",
    "measured_at",
    "received_at",
    "archive",
    "order_number",
    "status",
    "quality",
)
_FORMAT = "a line is one JSON object, as `workbench verify --write-readings` writes it"
EVENT_FIELDS = ("meter", "code", "text", "measured_at", "order_number")


def told(serial: str, rows: Iterable[RowToSave] = (), events: Iterable[EventToSave] = ()) -> Iterator[Told]:
    """The readings and events of one meter as the lines of a ``.readings`` file say them."""
    for row in rows:
        for column, value in zip(row.columns, row.values, strict=True):
            yield {
                "meter": serial,
                "quantity": column.quantity,
                "obis": column.obis,
                "value": value,
                "unit": column.unit,
                "measured_at": rfc3339(row.measured_at_ms),
                "received_at": rfc3339(row.received_at_ms),
                "archive": row.archive,
                "order_number": row.order_number,
                "status": row.status,
                "quality": row.quality,
            }
    for event in events:
        yield {
            "meter": serial,
            "code": event.code,
            "text": event.text,
            "measured_at": rfc3339(event.measured_at_ms),
            "order_number": event.order_number,
        }


def rfc3339(at_ms: int) -> str:
    """UTC milliseconds as the contract writes times: whole seconds without a fraction."""
    at = moment(at_ms).replace(tzinfo=None)
    return f"{at.isoformat(timespec='milliseconds' if at.microsecond else 'seconds')}Z"


def write_readings(lines: Iterable[Told]) -> str:
    """The text of a ``.readings`` file."""
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def read_readings(text: str) -> list[Told]:
    """A ``.readings`` file's text. Raises `OperatorError` with the line's number."""
    lines: list[Told] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            lines.append(_read_line(line, number))
    return lines


def compare_readings(expected: Iterable[Told], got: Iterable[Told]) -> list[str]:
    """What differs, in words, empty when nothing does. The order does not matter, how often a line comes does."""
    wanted = Counter(write_readings([_in_order(line)]) for line in expected)
    have = Counter(write_readings([_in_order(line)]) for line in got)
    missing = [f"missing: {line.rstrip()}" for line in (wanted - have).elements()]
    return [*missing, *(f"unexpected: {line.rstrip()}" for line in (have - wanted).elements())]


def _in_order(line: Told) -> Told:
    return dict(sorted(line.items()))


def _read_line(line: str, number: int) -> Told:
    try:
        told = json.loads(line)
    except ValueError as error:
        raise OperatorError(f"line {number}: {error}; {_FORMAT}") from None
    if not isinstance(told, dict):
        raise OperatorError(f"line {number}: {_FORMAT}")
    wanted = READING_FIELDS if "quantity" in told else EVENT_FIELDS
    if wrong := set(told).symmetric_difference(wanted):
        raise OperatorError(f"line {number}: a line has the fields {', '.join(wanted)}; see {', '.join(sorted(wrong))}")
    for name, value in told.items():
        if name == "order_number":
            if value is not None and type(value) is not int:
                raise OperatorError(f"line {number}: order_number is a whole number or null")
        elif type(value) is not str:
            raise OperatorError(f"line {number}: {name} is a text; numbers too, they are exact")
    return told
