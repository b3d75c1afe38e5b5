"""Fields, groups and choices as profiles write them; what they read is in test_parts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway_server.codec.meter_profile.expressions import Constant, constant
from gateway_server.codec.meter_profile.form import Choice, Extent, Field, Group, Mask
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of, values_of, with_fields


def test_field_knows_its_extent_by_its_type_its_constant_or_what_is_said() -> None:
    parts = (
        with_fields(
            """
        {name: a, type: u32}
        {name: b, type: text, is: [abc, xyz]}
        {name: c, type: number, digits: 6}
        {name: d, type: time, text: YYMMDD}
        {name: e, type: bytes, until: 0D 0A}
        """
        )
        .profile.message("message")
        .parts
    )
    assert [part.extent for part in parts if isinstance(part, Field)] == [
        Extent(),
        Extent(constant(3)),
        Extent(constant(6)),
        Extent(constant(6)),
        Extent(until=b"\r\n"),
    ]


def test_constant_scale_is_a_number_also_as_a_fraction() -> None:
    codec = with_fields(
        "{name: a, type: u8, scale: 1/10}\n{name: b, type: u32, scale: 1/65536}\n{name: c, type: u8, scale: pow10(-2)}"
    )
    scales = [
        part.scale.tree for part in codec.profile.message("message").parts if isinstance(part, Field) and part.scale
    ]
    assert scales == [Constant(Decimal("0.1")), Constant(Decimal("0.0000152587890625")), Constant(Decimal("0.01"))]
    # 1.5 as 16.16 fixed point
    assert values_of(codec, bytes.fromhex("07 00018000 7B")) == {
        "a": Decimal("0.7"),
        "b": Decimal("1.5"),
        "c": Decimal("1.23"),
    }


def test_groups_and_choices_hold_parts() -> None:
    group, choice = (
        with_fields(
            """
        - {group: g, add: 51, size: "2", fields: [{name: a, type: u16}]}
        - choose: a
          cases: [{is: 1}, {is: 2, fields: [{name: b, type: u8}]}]
          otherwise: [{name: c, type: bytes}]
        """
        )
        .profile.message("message")
        .parts
    )
    assert isinstance(group, Group)
    assert (group.mask, group.size) == (Mask(add=51), constant(2))
    assert isinstance(choice, Choice)
    assert [(values, len(parts)) for values, parts in choice.cases] == [((1,), 0), ((2,), 1)]
    assert choice.otherwise is not None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("{name: A, type: u8}", "name is 'A'; a name has small letters, digits and _"),
        ("{name: left, type: u8}", "name is 'left'"),
        ("{name: a, type: u8}\n{name: a, type: u8}", "there is another a before it"),
        ("{name: a, type: u8, if: b}", "if uses 'b', which is not known here; known are: left, length"),
        ("{name: a, type: u8, if: 1 +}", "if is '1 +': the expression ends too early"),
        ("{name: a, type: text, size: '3', until: LF}", "size goes not with `until`"),
        ("{name: a, type: text, scale: '2'}", "scale is for numbers"),
        ("{name: a, type: u8, scale: '0'}", "scale is 0: that makes every number 0"),
        ("{name: a, type: u8, scale: 1 // 65536}", "that makes every number 0; // is the whole part of a"),
        ("{name: a, type: u8, scale: 1/3}", "scale is 1/3, which no decimal is exactly"),
        ("{name: a, type: u8, scale: 0/3}", "scale is 0/3; neither side of a fraction is 0"),
        ("{name: a, type: u8, scale: pow10(99)}", "scale is no number: pow10(99) cannot be told"),
        ("{name: a, type: u8, scale: \"'x'\"}", "which is no number such as 0.001 or 1/65536"),
        ("{name: a, type: u8, scale: 1 == 1}", "which is no number such as 0.001 or 1/65536"),
        ("{name: a, type: u8, is: abc}", "is is 'abc'; it is a number such as 3 or 0x1F"),
        ("{name: a, type: bytes, is: xyz}", "'xyz' is no bytes"),
        ("{name: a, type: u16, check: sum99}", "check is 'sum99'; it is one of sum8"),
        ("{name: a, type: u16, check: sum16, covers: b}", "covers is 'b', which is no field before it"),
        ("{name: a, type: u8, colour: red}", "colour there is no such key"),
        ("{group: g, fields: []}", "fields is a list of tables"),
        ("{group: g, count: '2', until: LF, fields: [{name: a, type: u8}]}", "count goes not with `until`"),
        (
            "{group: g, repeat: to_end, fields: [{group: h, add: 1, fields: [{name: a, type: u8}]}]}",
            "add cannot stand in a repeated group",
        ),
        ("{choose: length, cases: [{fields: [{name: a, type: u8}]}]}", "is is missing: the values"),
        ("{choose: length, cases: [{is: 1}, {is: [2, 1]}]}", "1 has another case before"),
    ],
)
def test_wrong_part_is_told_with_what_is_allowed(fields: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        with_fields(fields)
    assert why in str(found.value)
    assert str(found.value).startswith("line ")


def test_nesting_and_the_number_of_parts_are_bounded() -> None:
    deep = "{name: a, type: u8}"
    for number in range(9):
        deep = f"{{group: g{number}, fields: [{deep}]}}"
    with pytest.raises(OperatorError, match="parts are nested more than 8 deep"):
        with_fields(deep)
    with pytest.raises(OperatorError, match="more than 2000 parts"):
        with_fields("\n".join(f"{{name: a{number}, type: u8}}" for number in range(2001)))


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("{name: a, type: u8, if: '1'}", "if cannot stand in a header"),
        ("{name: a, type: text, until: LF}", "size must be a number in a header"),
        ("{name: b, type: u8}, {name: b, type: u8}", "there is another b before it"),
    ],
)
def test_header_has_always_as_many_bytes(field: str, why: str) -> None:
    text = f"reads: meter_profile\nframing: {{name: f, end: LF, header: [{field}]}}\nmessages: [{{name: m}}]\n"
    with pytest.raises(OperatorError, match=why):
        profile_of(text)
