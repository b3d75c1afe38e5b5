"""Expressions as they are read; what they give is in test_evaluation."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.expressions import (
    Binary,
    Call,
    Constant,
    Name,
    Unary,
    constant,
    name,
    parse_expression,
)
from gateway_server.errors import OperatorError


def test_what_binds_closer_stands_deeper() -> None:
    assert parse_expression("a + 2 * b == 7 and not c").tree == Binary(
        "and",
        Binary("==", Binary("+", Name("a"), Binary("*", Constant(2), Name("b"))), Constant(7)),
        Unary("not", Name("c")),
    )
    assert parse_expression("min(-a, 0x10)").tree == Call("min", (Unary("-", Name("a")), Constant(16)))


def test_names_are_told() -> None:
    expression = parse_expression("if(a == 1, b, default(c, 2)) + size('d')")
    assert expression.names == {"a", "b", "c"}
    assert expression.name == ""
    assert str(expression) == "if(a == 1, b, default(c, 2)) + size('d')"
    assert name("count").name == "count"
    assert constant("x").tree == Constant("x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too early"),
        ("1 2", "'2' stands where the expression should have ended"),
        ("__import__('os')", "there is no function '__import__'; there are: abs, default"),
        ("a.b", "'.b' is nothing an expression can hold: a part of bits and a field of a group go by their own name:"),
        ("rfl.obfe == 1", "write obfe$"),
        ("1/10", "write // for the whole part of a quotient, or multiply with a decimal such as 0.1$"),
        ("kind = 1", "write == to compare$"),
        ("a && b", "write `and`, or & for bits$"),
        ("a || b", "write `or`, or | for bits$"),
        ("!a", "write `not`$"),
        ("a <> 1", "write !=$"),
        ("a ** 2", "there is pow10\\(n\\)"),
        ("a == 1 ? 2 : 3", "write if\\(condition, a, b\\)$"),
        ('kind == "A"', "a text stands in single quotes: 'A'$"),
        ("rows[0]", "a name means the last one before it$"),
        ("a AND b", "'AND' stands where the expression should have ended: write it in small letters$"),
        ("a ; b", "'; b' is nothing an expression can hold$"),
        ("min(1)", "min takes 2 values, not 1"),
        ("(1", "the expression ends too early"),
        ("(1,", "',' stands where '\\)' should"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        parse_expression(text)
