"""The arithmetic of profiles: what it can say, and that nothing else can be said with it."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.expressions import constant, name, parse_expression
from gateway_server.errors import CodecError, OperatorError


def value(text: str, **values: Any) -> Any:
    return compiled(parse_expression(text))(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 // 2 + 7 % 2", 4),
        ("0x1F & 0b1 | 2", None),
        ("0x1F & 6 | 1", 7),
        ("1 << 4 ^ 1", 17),
        ("-3 + 5", 2),
        ("~0 & 0xFF", 255),
        ("0.1 + 0.2", Decimal("0.3")),
        ("count * 0.001", Decimal("0.005")),
        ("pow10(-3) * count", Decimal("0.005")),
        ("pow10(2)", Decimal(100)),
        ("count == 5 and not count > 6", True),
        ("count == 4 or kind == 'A'", True),
        ("if(kind == 'A', 1, 2)", 1),
        ("default(missing, 9)", 9),
        ("default(count, 9)", 5),
        ("min(count, 3) + max(1, 2) + abs(-1)", 6),
        ("size(kind)", 1),
        ("number('12') + number('0.5')", Decimal("12.5")),
        ("text(count)", "5"),
        ("day + clock", datetime(2026, 8, 22, 9, 15)),
        ("moment + 60", datetime(2026, 8, 22, 9, 1)),
        ("alarm.word", "low"),
    ],
)
def test_what_an_expression_says(text: str, expected: Any) -> None:
    values = {
        "count": 5,
        "kind": "A",
        "day": date(2026, 8, 22),
        "clock": time(9, 15),
        "moment": datetime(2026, 8, 22, 9),
        "alarm.word": "low",
    }
    if expected is None:
        with pytest.raises(OperatorError):
            parse_expression(text)
        return
    assert value(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 // count", "it divides by zero"),
        ("1 % count", "it divides by zero"),
        ("kind + 1", "its values are not of one kind"),
        ("kind * 99", "its values are not of one kind"),
        ("nothing + 1", "there is no nothing here"),
        ("pow10(31)", "none a meter can mean"),
        ("1 << 65", "a shift is by 0 to 64 bits"),
        ("number(kind)", "is no number"),
        ("1 < kind", "its values are not of one kind"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_the_meters_bytes(text: str, why: str) -> None:
    with pytest.raises(CodecError, match=why):
        value(text, count=0, kind="A")


def test_numbers_stay_small_however_often_they_are_multiplied() -> None:
    with pytest.raises(CodecError, match="too large"):
        value("a * a * a * a * a", a=1 << 63)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too early"),
        ("1 +", "ends too early"),
        ("1 2", "'2' stands where the expression should have ended"),
        ("__import__('os')", "there is no function '__import__'"),
        ("a.b", "is nothing an expression can hold"),
        ("a[0]", "is nothing an expression can hold"),
        ("lambda: 1", "stands where the expression should have ended|is nothing an expression can hold"),
        ("min(1)", "min takes 2 values, not 1"),
        ("(" * 100 + "1" + ")" * 100, "nested more than"),
        ("+".join(["1"] * 200), "too long a chain"),
        ("1" * 501, "at most 500 characters"),
        ("12ab", "is nothing an expression can hold"),
        ("'open", "is nothing an expression can hold"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        parse_expression(text)


@given(text=st.text(alphabet="abc01.()+-*/%&|^<>=!~, 'andornotif", max_size=60))
def test_any_text_is_an_expression_or_refused_and_any_expression_gives_a_value_or_a_codec_error(text: str) -> None:
    try:
        expression = parse_expression(text)
    except OperatorError:
        return
    for values in ({"a": 1, "b": "x", "c": Decimal("0.5")}, {"a": None, "b": b"\x01", "c": datetime(2026, 1, 1)}):
        with contextlib.suppress(CodecError):
            compiled(expression)(values)


def test_names_are_told() -> None:
    expression = parse_expression("if(a == 1, b, default(c, 2)) + size('d')")
    assert expression.names == {"a", "b", "c"}
    assert expression.name == ""
    assert name("count").name == "count"
    assert compiled(constant("x"))({}) == "x"
