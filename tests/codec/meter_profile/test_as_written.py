"""Numbers that were written with zeros before them."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.as_written import AsWritten, number_as_written


def test_number_with_zeros_before_it_counts_as_one_and_stays_as_it_was_written() -> None:
    code = number_as_written("0471")
    assert isinstance(code, AsWritten)
    assert str(code) == repr(code) == f"{code}" == "0471"
    assert code == 471
    assert f"{code:06d}" == "000471"
    assert type(code + 1) is int
    assert {471: "known"}[code] == "known"


def test_number_without_such_zeros_is_an_ordinary_one() -> None:
    assert [type(number_as_written(text)) for text in ("471", "0")] == [int, int]


@pytest.mark.parametrize("text", ["", "-471", "4.71", "4A", "\N{ARABIC-INDIC DIGIT FOUR}", "0" * 20])
def test_what_is_no_short_row_of_digits_is_no_number(text: str) -> None:
    assert number_as_written(text) is None
