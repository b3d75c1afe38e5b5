"""Fields read at one stroke say the same as fields read one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile.parts import sequence
from gateway_server.codec.meter_profile.reading import Trace
from gateway_server.errors import CodecError
from tests.codec.meter_profile.profiles import with_fields

RECORD = """
{name: a, type: u8}
{name: b, type: i16, order: little}
{name: c, type: u32, order: big, scale: 0.01, missing: 0}
{name: d, type: u40}
{name: e, type: bcd, size: 2}
{name: f, type: time, since: unix}
{name: g, type: flags, words: {0: low}}
{name: h, type: i64, order: word_swapped}
"""
NUMBERS = "{name: a, type: u8}\n{name: b, type: u16}\n{name: c, type: i32}"
COLUMNS = """
{name: a, type: text, until: "','"}
{name: b, type: number, scale: "2", until: "','"}
{name: c, type: time, since: unix, digits: 4, until: "','"}
{name: d, type: number}
"""


def both_ways(fields: str, data: bytes) -> tuple[object, object]:
    """What is read at one stroke, and what with a trace, which is read field by field."""
    read = sequence(with_fields(fields).profile.message("message").parts)

    def told(trace: Trace | None) -> object:
        values: dict[str, object] = {}
        try:
            return read(data, 0, len(data), values, trace), values
        except CodecError as error:
            return str(error)

    return told(None), told(Trace())


@given(data=st.one_of(st.binary(max_size=40), st.binary(min_size=33, max_size=33)))
def test_records_of_every_type(data: bytes) -> None:
    for fields in (RECORD, NUMBERS):
        fast, slow = both_ways(fields, data)
        assert fast == slow


@given(data=st.text(alphabet="0123456789.,-a", max_size=30).map(str.encode))
def test_columns(data: bytes) -> None:
    fast, slow = both_ways(COLUMNS, data)
    assert fast == slow


@pytest.mark.parametrize(
    ("fields", "data", "why"),
    [
        (RECORD, bytes(3), "the frame ends within c"),
        (RECORD, bytes(12) + b"\xff" * 20, "e: FF FF is no BCD number"),
        (COLUMNS, b"x,1,", "c does not end with b','"),
        (COLUMNS, b"x,1,12a4,5", "c: '12a4' is no count of a time"),
    ],
)
def test_what_is_wrong_names_the_field(fields: str, data: bytes, why: str) -> None:
    assert both_ways(fields, data) == (why, why)
