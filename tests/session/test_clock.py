"""How far a meter's clock is off, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway_server.session.clock import drift_in_words, remark


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("0", "0 s behind"),
        ("47.250", "47 s ahead"),
        ("-119", "119 s behind"),
        ("300", "5 min ahead"),
        ("3599", "59 min ahead"),
        ("-12000", "3 h 20 min behind"),
        ("7200", "2 h ahead"),
        ("94608000", "1095 d ahead"),
        ("-63000000000", "729166 d behind"),
    ],
)
def test_drift_is_said_in_the_largest_unit_that_fits(seconds: str, words: str) -> None:
    assert drift_in_words(Decimal(seconds)) == words


@pytest.mark.parametrize("seconds", ["0", "300", "-300", "299.999"])
def test_five_minutes_are_not_worth_a_word(seconds: str) -> None:
    assert remark(Decimal(seconds)) == ""


def test_clock_years_off_is_to_be_set_at_the_device() -> None:
    ahead, behind = remark(Decimal(94608000)), remark(Decimal(-94608000))
    assert ahead.startswith("the meter's clock is 1095 d ahead: its rows are stored at its time and marked clock_off;")
    assert ahead.endswith("have it set at the device, the gateway never writes to a meter")
    assert "1095 d behind: its rows are stored at its time;" in behind


@pytest.mark.parametrize("seconds", ["3600", "-10790.5", "10805", "50400"])
def test_whole_hours_are_most_often_a_time_zone(seconds: str) -> None:
    assert "--time-zone" in remark(Decimal(seconds))


@pytest.mark.parametrize("seconds", ["5400", "-54000", "360000"])
def test_other_times_are_a_clocks_fault(seconds: str) -> None:
    assert "--time-zone" not in remark(Decimal(seconds))
