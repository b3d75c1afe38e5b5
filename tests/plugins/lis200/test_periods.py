"""The measurement period, from rows and from memory."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway_server.model import DAILY, INTERVAL, MONTHLY
from plugins.lis200.periods import minutes, shown, usual

START = datetime(2024, 4, 3, 10)


def at(*after: int) -> list[datetime]:
    return [START + timedelta(minutes=one) for one in after]


@pytest.mark.parametrize("period", [5, 15, 60, 1440])
def test_two_equal_steps_show_the_period(period: int) -> None:
    assert shown(at(0, period, 2 * period)) == timedelta(minutes=period)
    assert shown(at(0, period, 4 * period, 5 * period)) == timedelta(minutes=period)


@pytest.mark.parametrize("after", [(), (0,), (0, 15), (0, 15, 75), (0, 7, 14), (0, 0, 0), (60, 0, -60)])
def test_one_step_or_steps_no_device_can_be_set_to_show_none(after: tuple[int, ...]) -> None:
    assert shown(at(*after)) is None


def test_period_is_an_hour_until_the_device_has_shown_another() -> None:
    assert usual(INTERVAL, {}) == timedelta(hours=1)
    assert usual(INTERVAL, {"period": minutes(timedelta(minutes=15))}) == timedelta(minutes=15)
    for nonsense in ("", "7", "x", "-15", "99999999999999999999"):
        assert usual(INTERVAL, {"period": nonsense}) == timedelta(hours=1)


def test_daily_rows_are_a_day_apart_and_monthly_ones_nothing_in_particular() -> None:
    assert usual(DAILY, {"period": "15"}) == timedelta(days=1)
    assert usual(MONTHLY, {}) is None
