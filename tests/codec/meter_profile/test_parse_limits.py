"""Numbers that do not fit into their fields are told when the profile is read, wherever they stand."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.expressions import parse_expression
from gateway_server.codec.meter_profile.parse_limits import literals
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of, with_fields


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("type: u8, is: 256", "is has 256, which does not fit: a number of 8 bits is from 0 to 255"),
        ("type: u8, is: [1, -1]", "is has -1, which does not fit"),
        (
            "type: i16, missing: 0xFFFF",
            "missing has 65535, which does not fit: a signed number of 16 bits is from",
        ),
        ("type: u24, words: {0x1000000: big}", "words has 16777216, which does not fit"),
        ("type: bcd, size: 1, is: 100", "is has 100, which does not fit: 1 BCD bytes hold numbers of 2 digits"),
        ("type: u8, value: 0x100", "value has 256, which does not fit"),
        ("type: u16, equals: 70000", "equals has 70000, which does not fit"),
    ],
)
def test_number_that_the_field_cannot_hold_is_told(field: str, why: str) -> None:
    with pytest.raises(OperatorError) as told:
        with_fields(f"{{name: f, {field}}}")
    assert why in str(told.value)


@pytest.mark.parametrize(
    "field",
    [
        "type: u8, is: [0, 255]",
        "type: i16, missing: -32768",
        "type: bcd, size: 1, sign: high_bit, is: -79",
        "type: u8, scale: 0.01, value: 2.55",
        "type: u64, is: 18446744073709551615",
        "type: flags, words: {7: high}",
    ],
)
def test_number_that_just_fits_is_none_to_tell(field: str) -> None:
    with_fields(f"{{name: f, {field}}}")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("- {choose: kind, cases: [{is: [1, 999], fields: [{name: x, type: u8}]}]}", "is has 999, which does not fit"),
        ("- {choose: length, cases: [{is: 256, fields: [{name: x, type: u8}]}]}", "is has 256, which does not fit"),
    ],
)
def test_case_that_can_never_be_is_told(more: str, why: str) -> None:
    with pytest.raises(OperatorError) as told:
        with_fields(f"- {{name: kind, type: u8}}\n{more}")
    assert why in str(told.value)


WHOLE = """
reads: meter_profile
framing:
  name: frame
  start: AA
  header: [{name: kind, type: u8}, {name: flags, type: bits, parts: [{name: low, bits: 0-3}]}]
  size: 4
messages:
  - {name: told, when: {kind: 1, low: 15}, fields: [{name: v, type: u8}]}
  - {name: ok, from: gateway, when: {kind: 2}, fields: [{name: v, type: u8}]}
answer: [{listen: {on: [{message: told, reply: {send: ok, with: {v: 255}}}]}}]
"""


@pytest.mark.parametrize(
    ("said", "wrong", "why"),
    [
        ("kind: 1,", "kind: 0x181,", "line 9: messages 1: when: kind has 385, which does not fit"),
        ("low: 15", "low: 16", "low has 16, which does not fit: 4 bits hold 0 to 15"),
        ("v: 255", "v: 256", "with: v has 256, which does not fit: a number of 8 bits is from 0 to 255"),
    ],
)
def test_what_tells_a_message_apart_and_what_is_replied_must_fit_too(said: str, wrong: str, why: str) -> None:
    profile_of(WHOLE)
    with pytest.raises(OperatorError) as told:
        profile_of(WHOLE.replace(said, wrong))
    assert why in str(told.value)


def test_only_an_expression_that_is_a_number_is_judged() -> None:
    assert literals(parse_expression("300")) == (300,)
    assert literals(parse_expression("300 + 1")) == ()
    assert literals(None) == ()
