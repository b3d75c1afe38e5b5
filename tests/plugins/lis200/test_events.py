"""Event codes by the bit rule, with the codes the manuals and drivers name (lis200.md 2.8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.lis200 import events


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0x2504", "message 6 appears in St.4: Qm warning limits"),
        ("0x0504", "message 6 disappears in St.4: Qm warning limits"),
        ("0x3002", "message 1 appears in St.Sy: restart"),
        ("0x1F02", "message 16 disappears in St.Sy: summer time"),
        ("0x3C02", "message 13 appears in St.Sy: interface active"),
        ("0x2F01", "message 16 appears in St.1: call window 1 active"),
        ("0x2D03", "message 14 appears in St.3: supplier lock open"),
        ("0x0D04", "message 14 disappears in St.4: customer lock open"),
        ("0x8104", "end of measurement period"),
        ("0x8103", "day boundary (gas day)"),
        ("0x8004", "clock set back"),
        ("0x8303", "relevant value changed: row before the change"),
        ("0x8777", ""),
        ("rubbish", ""),
    ],
)
def test_codes_that_sources_name_are_said_in_words(code: str, words: str) -> None:
    assert events.in_words(code, "EK270") == words


def test_call_window_five_of_an_ek280_is_named() -> None:
    assert events.in_words("0x2F05", "EK280") == "message 16 appears in St.5: call window 5 active"


@given(st.integers(1, 16), st.integers(1, 12), st.booleans(), st.booleans())
def test_the_simulators_formula_is_the_rule_backwards(number: int, status: int, appears: bool, system: bool) -> None:
    instance = 2 if system else status
    code = (0x2000 if appears else 0) | (0x1000 if system else 0) | ((number - 1) << 8) | instance
    name = "St.Sy" if system else f"St.{instance}"
    assert events.message_of(f"0x{code:04X}") == (number, name, appears)


@pytest.mark.parametrize("code", ["0x8104", "0x8103", "0x8102"])
def test_ends_of_periods_and_days_belong_to_the_grid(code: str) -> None:
    assert events.regular(code)


@pytest.mark.parametrize("code", ["0x8004", "0x8303", "0x2504", "0x8203"])
def test_clock_counter_and_status_rows_stand_between_the_grid(code: str) -> None:
    assert not events.regular(code)
