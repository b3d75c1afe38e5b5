"""Times that are none, and numbers of rows that are none, are told when the profile is read."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of

FIELDS = """
      - {name: volume, type: u32, scale: 0.01}
      - {name: counted, type: u32, scale: 10}
      - {name: time, type: time, since: unix}
      - {name: day, type: time, bcd: DD MM YY}
      - {name: clock, type: time, text: 'hh:mm'}
      - {name: packed, type: time, packed: {minute: 0-5, hour: 8-12, day: 16-20, month: 24-27, year: 28-31}}
      - {name: float, type: float, digits: 7}
      - {name: kind, type: bits, parts: [{name: low, bits: 0-3}]}
      - {name: ident, type: text, size: 4}
      - {name: written, type: number, places: 2, size: 5}
      - {name: state, type: flags, words: {0: low}}
"""


def refusal(row: str, kind: str = "rows") -> str:
    """Why a profile with this row is refused; empty if it is taken."""
    told = "values: {value: volume, quantity: pressure}" if kind == "rows" else "code: volume"
    try:
        profile_of(
            "reads: meter_profile\nframing: {name: frame, start: AA, end: BB}\nmessages:\n  - name: told\n    fields:"
            f"{FIELDS}    {kind}: {{{told}, {row}}}\n"
        )
    except OperatorError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("row", ["at: time", "at: packed", "at: [day, clock]", "at: [clock, day]"])
def test_whole_time_of_one_field_or_two_is_taken(row: str) -> None:
    assert refusal(row) == refusal(row, "events") == ""


@pytest.mark.parametrize("kind", ["rows", "events"])
def test_time_that_is_none_is_told(kind: str) -> None:
    assert "at names 'volume', which is no time: its type is `time`" in refusal("at: volume", kind)
    assert "at names 'low', which is no time" in refusal("at: low", kind)
    assert "at names 'clock', which is a time of day only; add the field of its date" in refusal("at: clock", kind)
    assert "at names 'day', which is a date only; add the field of its time of day" in refusal("at: day", kind)
    assert "at names two fields, which are one date and one time of day" in refusal("at: [day, time]", kind)


@pytest.mark.parametrize("number", ["counted", "float", "low", "kind", "number(ident)", "volume * 100"])
def test_number_of_a_row_that_may_be_whole_is_taken(number: str) -> None:
    assert refusal(f"order_number: {number}") == ""


@pytest.mark.parametrize("kind", ["rows", "events"])
@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("volume", "which is scaled by 0.01; it is a whole number"),
        ("time", "which is a time; it is a whole number"),
        ("ident", "which is a text (number(ident) is the number that it says); it is a whole number"),
        ("written", "which has 2 places behind the point; it is a whole number"),
        ("state", "which is no number; it is a whole number"),
    ],
)
def test_number_of_a_row_that_is_none_is_told(kind: str, number: str, why: str) -> None:
    assert f"order_number is '{number}', {why}" in refusal(f"order_number: {number}", kind)


def test_time_in_the_header_counts_too() -> None:
    profile = profile_of(
        "reads: meter_profile\n"
        "framing: {name: frame, start: AA, end: BB, header: [{name: sent, type: time, since: unix}]}\n"
        "messages:\n  - {name: told, fields: [{name: v, type: u8}],"
        " rows: {at: sent, order_number: v, values: {value: v, quantity: pressure}}}\n"
    )
    assert profile.messages[0].rows[0].at == ("sent",)
