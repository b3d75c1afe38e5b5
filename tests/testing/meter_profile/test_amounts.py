"""The number in a measured field: what makes the told value likely, in whatever form the field has."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from gateway_server.codec.meter_profile.expressions import parse_expression
from gateway_server.codec.meter_profile.form import Bcd, Bytes, Float, Integer, Number, Type, ValueMap
from gateway_server.model import Column
from gateway_server.testing.meter_profile.amounts import Line, Room, amount, line_of, room_of


def value(text: str, quantity: str = "temperature", unit: str = "°C", *, cumulative: bool = False) -> ValueMap:
    return ValueMap(parse_expression(text), Column(quantity, unit, cumulative=cumulative))


def itself(number: int) -> int:
    return number


@pytest.mark.parametrize(
    ("type_", "room"),
    [
        (Integer(2), Room(0, 65535)),
        (Integer(2, signed=True), Room(-32767, 32767)),
        (Integer(8), Room(0, 10**9)),
        (Bcd(2), Room(0, 9999)),
        (Number(digits=5, places=2), Room(0, 9999)),
        (Float(4, digits=4), Room(-9999, 9999)),
        (Bytes(), Room(0, 0)),
    ],
)
def test_field_has_room_for_what_its_type_can_write(type_: Type, room: Room) -> None:
    assert room_of(type_) == room


def test_number_that_is_told_as_it_is_scaled_or_by_an_expression_lies_on_a_line() -> None:
    assert line_of(value("t"), "t", {}, itself) == Line(Decimal(0), Decimal(1))
    assert line_of(value("t * 0.1 - 40"), "t", {}, itself) == Line(Decimal(-40), Decimal("0.1"))
    assert line_of(value("v * pow10(code - 3)"), "v", {"code": 1}, itself) == Line(Decimal(0), Decimal("0.01"))
    assert line_of(value("t"), "t", {}, lambda number: Decimal(number) / 2) == Line(Decimal(0), Decimal("0.5"))


def test_number_that_bends_or_is_no_number_lies_on_none() -> None:
    assert line_of(value("t * t"), "t", {}, itself) is None
    assert line_of(value("text(t)"), "t", {}, lambda number: "x") is None
    assert line_of(value("7"), "t", {}, itself) is None


def test_temperature_is_likely_in_whatever_steps_the_field_has() -> None:
    for line in (
        Line(Decimal(0), Decimal("0.01")),
        Line(Decimal(-273), Decimal("0.1")),
        Line(Decimal(100), Decimal(-1)),
    ):
        numbers = [amount("seed", row, value("t"), Room(-32767, 32767), line) for row in range(50)]
        assert all(3 <= line.zero + line.step * number <= 25 for number in numbers)


def test_counter_grows_with_every_row_and_has_room_for_years() -> None:
    counter = value("v", "base_volume", "m3", cumulative=True)
    numbers = [amount("seed", row, counter, Room(0, 10**9), Line(Decimal(0), Decimal("0.01"))) for row in range(2000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(numbers))
    assert 4_000_000 <= numbers[0] <= 36_100_000


def test_field_too_small_for_what_is_likely_holds_something_that_fits() -> None:
    counter = value("v", "base_volume", "m3", cumulative=True)
    for row in range(300):
        assert 0 <= amount("seed", row, counter, Room(0, 255), Line(Decimal(0), Decimal(1))) <= 255
    assert 0 <= amount("seed", 1, value("t", "smell", ""), Room(0, 9), None) <= 9
