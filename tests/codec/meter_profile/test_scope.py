"""Names, constants and sources at one place of a profile."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gateway_server.codec.declaration import Declaration, declaration_of
from gateway_server.codec.meter_profile.form import Bytes, Integer, Number, Origin, Source, Text
from gateway_server.codec.meter_profile.scope import (
    DEEPEST,
    Scope,
    constant_of,
    seconds_of,
    source_of,
    tables_of,
)
from gateway_server.errors import OperatorError


def said(text: str) -> Declaration:
    return declaration_of(text.encode(), Path("a.yaml"))


def test_expression_knows_the_names_of_its_place_only() -> None:
    scope = Scope({"a"})
    assert scope.expression(said("x: 1"), "if") is None
    assert scope.wanted(said("if: a + 1"), "if").text == "a + 1"
    with pytest.raises(OperatorError, match="line 1: if uses 'b', which is not known here; known are: a"):
        scope.wanted(said("if: b"), "if")
    with pytest.raises(OperatorError, match="nothing is known here"):
        Scope().wanted(said("if: b"), "if")


def test_variables_are_known_to_what_is_built_only() -> None:
    scope = Scope({"a"})
    scope.variables.add("station")
    assert scope.for_building().wanted(said("value: station"), "value").name == "station"
    with pytest.raises(OperatorError):
        scope.wanted(said("value: station"), "value")


def test_depth_is_bounded() -> None:
    scope = Scope()
    for _ in range(DEEPEST):
        scope = scope.within(said("x: 1"))
    with pytest.raises(OperatorError, match="nested more than 8 deep"):
        scope.within(said("x: 1"))


def test_constants_are_written_as_their_type_is() -> None:
    here = said("is: x")
    assert constant_of(here, "is", "0x1F", Integer(1)) == 31
    assert constant_of(here, "is", "0.50", Number()) == Decimal("0.50")
    assert constant_of(here, "is", "007", Text()) == "007"
    assert constant_of(here, "is", "7E 'A'", Bytes()) == b"\x7eA"
    assert constant_of(here, "is", "abc", None) == "abc"
    assert constant_of(here, "is", "12", None) == 12
    for wrong in ("abc", "1e99", "NaN", "0xGG"):
        with pytest.raises(OperatorError, match="it is a number such as"):
            constant_of(here, "is", wrong, Integer(1))


def test_source_is_a_word_and_where_to_look_it_up() -> None:
    assert source_of(said("source: manual EK280 4.2")) == Source(Origin.MANUAL, "EK280 4.2")
    assert source_of(said("x: 1")) == Source()


def test_one_table_stands_for_a_list_of_one_and_times_are_bounded() -> None:
    assert [one.text("a") for one in tables_of(said("x: {a: 1}"), "x")] == ["1"]
    assert [one.text("a") for one in tables_of(said("x: [{a: 1}, {a: 2}]"), "x")] == ["1", "2"]
    assert tables_of(said("y: 1"), "x") == []
    assert seconds_of(said("gap: 0.25"), "gap", "1") == 0.25
    with pytest.raises(OperatorError, match="it is from 0 to 86400 seconds"):
        seconds_of(said("gap: -1"), "gap", "1")
