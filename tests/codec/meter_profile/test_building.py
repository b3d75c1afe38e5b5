"""Messages from values: what follows from the rest need not be said."""

from __future__ import annotations

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.building import solved
from gateway_server.codec.meter_profile.expressions import parse_expression
from gateway_server.errors import CodecError
from tests.codec.meter_profile.profiles import framed, with_fields


def test_counts_sizes_and_the_length_of_the_frame_follow_from_the_rest() -> None:
    codec = with_fields(
        """
        {name: count, type: u8}
        {group: row, count: count, fields: [{name: value, type: u16}]}
        {name: size, type: u8}
        {name: note, type: text, size: size}
        """
    )
    built = codec.machine.compiled.encode("message", {"row": [{"value": 1}, {"value": 2}], "note": "abc"})
    assert built == bytes.fromhex("09 02 0001 0002 03") + b"abc"


def test_count_that_is_told_by_arithmetic_is_solved_for() -> None:
    assert solved(parse_expression("n * 2 + 1"), "n", 9) == 4
    with pytest.raises(CodecError, match=r"no n makes n \* 2 10001"):
        solved(parse_expression("n * 2"), "n", 10001)
    codec = framed("start: '68'\nheader: [{name: words, type: u8}]\nsize: words * 2 + 2")
    assert codec.machine.compiled.encode("message", {"body": b"\x01\x02\x03\x04"}) == bytes.fromhex("68 02 01020304")


def test_fixed_fields_and_told_values_need_not_be_given() -> None:
    codec = with_fields("{name: kind, type: u8, is: 7}\n{name: a, type: u8}\n{name: b, type: u8, value: a + 1}")
    assert codec.machine.compiled.encode("message", {"a": 4}) == bytes.fromhex("03 07 04 05")
    assert codec.machine.compiled.encode("message", {"a": 4, "b": 9}) == bytes.fromhex("03 07 04 09")


def test_values_of_what_is_known_may_be_looked_at() -> None:
    codec = with_fields("{name: a, type: u8}")
    assert codec.machine.compiled.encode("message", {"a": 4}, known={"a": 9}) == bytes.fromhex("01 04")


@pytest.mark.parametrize(
    ("fields", "values", "why"),
    [
        ("{name: a, type: u8}", {}, "a has no value"),
        ("{name: a, type: u8}", {"a": 256}, "256 does not fit into 1 bytes"),
        ("{name: a, type: u8}", {"a": "x"}, "a is 'x', which is no number"),
        ('{name: a, type: text, size: "2"}', {"a": "abc"}, "a: 3 bytes do not fit into 2"),
        ("{name: a, type: text, until: \"','\"}", {"a": "a,b"}, "a has its own end within it"),
        ("{name: a, type: u8, scale: '0.5'}", {"a": "x"}, "'x' is no number"),
        ("{name: a, type: u8}\n{choose: a, cases: [{is: 1}]}", {"a": 3}, "a is 3, for which there is no case"),
        ("{name: a, type: time, since: unix}", {"a": 5}, "5 is no time"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(fields: str, values: dict[str, object], why: str) -> None:
    with pytest.raises(CodecError, match=why):
        with_fields(fields).machine.compiled.encode("message", values)


def test_unusual_writing_of_a_value_comes_back_as_it_was() -> None:
    codec = with_fields("{name: a, type: number, until: \"','\"}\n{name: b, type: float, places: 1}")
    frame = Frame("frame", b"\x0a+0012,\x00\x00\x00\x01"[:1] + b"+0012," + b"\x3d\xcc\xcc\xce")
    frame = Frame("frame", bytes([len(frame.data) - 1]) + frame.data[1:])
    said = codec.decode(frame)
    assert said.values["a"] == 12
    assert codec.encode(said) == frame.data
    assert set(said.odd) == {("a",), ("b",)}
    assert codec.machine.compiled.encode("message", said.values)[1:4] == b"12,"
