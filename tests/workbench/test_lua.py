"""Lua's notation of what profiles say."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.expressions import parse_expression
from gateway_server.workbench.lua import lua, lua_bytes, power, quoted, table, values_of, words_of


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("count * 2 + 1", 'add((name(v, "count") * 2), 1)'),
        ("status & 0x0F == 3", 'same(band(name(v, "status"), 15), 3)'),
        ("not (a and b)", '(not truth((truth(name(v, "a")) and truth(name(v, "b")))))'),
        ("a // 10 % 3", '(math.floor(name(v, "a") / 10) % 3)'),
        ("a >> 4", 'math.floor(name(v, "a") / 2 ^ 4)'),
        ("pow10(a - 6)", '(10 ^ (name(v, "a") - 6))'),
        ("default(a, 0)", 'otherwise(function() return name(v, "a") end, function() return 0 end)'),
        ("kind == 'x'", 'same(name(v, "kind"), "x")'),
    ],
)
def test_expression_is_written_over_the_table_of_fields(said: str, written: str) -> None:
    assert lua(parse_expression(said).tree) == written


def test_condition_chooses_lazily() -> None:
    said = lua(parse_expression("if(a, b, c)").tree)
    assert said.startswith('(function() if truth(name(v, "a")) then return')


def test_texts_and_bytes_cannot_end_a_string() -> None:
    assert quoted('say "hi"\n') == '"say \\034hi\\034\\010"'
    assert lua_bytes(b'"\x00') == '"\\034\\000"'


def test_tables_leave_out_what_is_nothing() -> None:
    assert table(a="1", b="nil") == '{["a"] = 1}'
    assert values_of((1, "x", b"\x01")) == '{1, "x", "\\001"}'
    assert words_of(((3, "gas"),)) == '{[3] = "gas"}'


@pytest.mark.parametrize(("scale", "places"), [("0.001", 3), ("100", -2), ("1", 0), ("0.5", None), ("pow10(a)", None)])
def test_scale_that_moves_the_point_says_how_far(scale: str, places: int | None) -> None:
    assert power(parse_expression(scale)) == places
