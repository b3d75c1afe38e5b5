"""What a capture is known to say, beside it in a file."""

from __future__ import annotations

import json

import pytest

from gateway_server.errors import OperatorError
from gateway_server.model import Column
from gateway_server.store.records import EventToSave, RowToSave
from gateway_server.workbench.readings import compare_readings, read_readings, rfc3339, told, write_readings

ROW = RowToSave(
    (Column("volume", "m3", "7-0:13.0.0"), Column("pressure", "bar")),
    ("882066.6309", "12.9437"),
    "interval",
    1787382000000,
    1787382000480,
    640,
    "St.2=14",
    "0x8103",
)
EVENT = EventToSave("0x2504", "lock opened", 1787382000000, 1787382000480, 3)


def test_reading_and_event_have_the_fields_of_the_listing_verbs() -> None:
    text = write_readings(told("41", [ROW], [EVENT]))
    first, second, event = [json.loads(line) for line in text.splitlines()]
    assert first == {
        "meter": "41",
        "quantity": "volume",
        "obis": "7-0:13.0.0",
        "value": "882066.6309",
        "unit": "m3",
        "measured_at": "2026-08-22T07:00:00Z",
        "received_at": "2026-08-22T07:00:00.480Z",
        "archive": "interval",
        "order_number": 640,
        "status": "St.2=14",
        "quality": "",
    }
    assert (second["quantity"], second["value"]) == ("pressure", "12.9437")
    assert event == {
        "meter": "41",
        "code": "0x2504",
        "text": "lock opened",
        "measured_at": "2026-08-22T07:00:00Z",
        "order_number": 3,
    }


def test_file_is_read_as_it_was_written() -> None:
    lines = list(told("41", [ROW, ROW], [EVENT]))
    assert read_readings(write_readings(lines)) == lines


def test_differences_are_told_whatever_the_order() -> None:
    lines = list(told("41", [ROW], [EVENT]))
    assert compare_readings(lines, reversed(lines)) == []
    assert compare_readings(lines, lines[1:]) == [f"missing: {json.dumps(dict(sorted(lines[0].items())))}"]
    assert compare_readings(lines, [*lines, lines[0]])[0].startswith("unexpected: ")
    changed = {**lines[0], "value": "882066.63090"}
    assert len(compare_readings(lines, [changed, *lines[1:]])) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: a line is one JSON object"),
        ('{"quantity": "volume"}', "line 2: a line has the fields meter, quantity"),
        ('{"code": "1"}', "line 2: a line has the fields meter, code"),
        (
            '{"meter": "1", "code": "1", "text": "", "measured_at": "", "order_number": "3"}',
            "line 2: order_number is a whole number or null",
        ),
        (
            '{"meter": 1, "code": "1", "text": "", "measured_at": "", "order_number": 3}',
            "line 2: meter is a text; numbers too",
        ),
    ],
)
def test_broken_line_is_refused_with_its_number(line: str, why: str) -> None:
    with pytest.raises(OperatorError) as refusal:
        read_readings(f"\n{line}\n")
    assert why in str(refusal.value)


def test_whole_seconds_are_written_without_a_fraction() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(1) == "1970-01-01T00:00:00.001Z"
