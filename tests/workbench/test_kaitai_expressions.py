"""Expressions in Kaitai's words."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.expressions import parse_expression
from gateway_server.workbench.kaitai_expressions import Scope, Unsayable, condition_of, quoted, said


def scope() -> Scope:
    outer = Scope()
    outer.paths = {"length": "length", "more": "flags.more.to_i"}
    inner = Scope(outer)
    inner.paths = {"code": "code", "number": "number.value", "digits": "digits.to_i"}
    inner.unsayable = {"lost"}
    return inner


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("16", 16),
        ("length - 2", "(_parent.length - 2)"),
        ("number * 2", "(number.value * 2)"),
        ("code == 'GGA'", '(code == "GGA")'),
        ("number // 10", "(number.value / 10)"),
        ("if(code == 1, 2, 3)", "((code == 1) ? 2 : 3)"),
        ("left - 1", "((_io.size - _io.pos) - 1)"),
        ("size(code)", "code.size"),
        ("number(digits)", "digits.to_i"),
        ("number(code)", "code.to_i"),
        ("-code", "-(code)"),
    ],
)
def test_expression_reaches_its_fields(expression: str, words: object) -> None:
    assert said(parse_expression(expression), scope()) == words


def test_condition_is_a_truth_value() -> None:
    assert condition_of(parse_expression("more == 1 and code > 2"), scope()) == (
        "(((_parent.flags.more.to_i == 1)) and ((code > 2)))"
    )
    assert condition_of(parse_expression("more"), scope()) == "(_parent.flags.more.to_i) != 0"
    assert condition_of(parse_expression("not code"), scope()) == "not (code)"


@pytest.mark.parametrize("expression", ["default(code, 1)", "pow10(code)", "lost + 1", "unheard_of", "text(code)"])
def test_what_kaitai_has_no_words_for_is_refused(expression: str) -> None:
    with pytest.raises(Unsayable):
        said(parse_expression(expression), scope())


def test_text_is_quoted() -> None:
    assert quoted('a"\\') == '"a\\"\\\\"'
