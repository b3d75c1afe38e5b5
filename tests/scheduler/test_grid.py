"""Which rows must be there, in all zones and periods."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from gateway_server.scheduler.grid import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    DayGrid,
    EvenGrid,
    joined,
    learnt_period,
    learnt_start,
    local,
    missing,
    phase,
    utc,
    without,
)
from gateway_server.store.plan_records import Span

MOSCOW, BERLIN, INDIA = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
NOON = 1_711_972_800_000  # 2024-04-01T12:00:00Z
HOURS = EvenGrid(HOUR_MS)


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]  # year to minute


def test_hours_of_a_day_are_counted_with_both_ends() -> None:
    assert HOURS.count(Span(NOON, NOON + 23 * HOUR_MS)) == 24
    assert HOURS.count(Span(NOON, NOON - HOUR_MS)) == 0
    assert (HOURS.at_or_before(NOON + 5), HOURS.at_or_after(NOON + 5)) == (NOON, NOON + HOUR_MS)
    assert HOURS.at_or_after(NOON) == HOURS.at_or_before(NOON) == NOON


def test_full_hours_of_a_zone_with_half_an_hour_stand_at_half_past_in_utc() -> None:
    grid = EvenGrid(HOUR_MS, phase(HOUR_MS, INDIA, NOON))
    assert local(grid.at_or_after(NOON), INDIA).minute == 0
    assert grid.at_or_after(NOON) == NOON + 30 * MINUTE_MS
    assert phase(HOUR_MS, MOSCOW, NOON) == 0


@pytest.mark.parametrize(("day", "hours"), [((2024, 3, 30), 23), ((2024, 10, 26), 25), ((2024, 6, 1), 24)])
def test_gas_day_of_a_zone_with_a_seasonal_clock_change_has_23_or_25_hours(
    day: tuple[int, int, int], hours: int
) -> None:
    grid = DayGrid(BERLIN, time(6))
    start = utc(datetime(*day, 6), BERLIN)
    assert grid.at_or_before(start) == start
    assert grid.step(start, 1) - start == hours * HOUR_MS
    assert grid.at_or_after(start + 1) == grid.step(start, 1)
    assert grid.count(Span(start, grid.step(start, 9))) == 10


def test_months_begin_with_the_gas_day_of_the_first() -> None:
    grid = DayGrid(MOSCOW, time(10), monthly=True)
    assert grid.at_or_before(ms(2024, 3, 1, 6, 59)) == ms(2024, 2, 1, 7)
    assert grid.at_or_before(ms(2024, 3, 1, 7)) == ms(2024, 3, 1, 7)
    assert grid.step(ms(2023, 12, 1, 7), 1) == ms(2024, 1, 1, 7)
    assert grid.count(Span(ms(2023, 11, 1, 7), ms(2024, 2, 1, 7))) == 4


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_period_is_learnt_from_rows_in_spite_of_holes_and_extra_rows(minutes: int) -> None:
    times = [NOON + number * minutes * MINUTE_MS for number in range(50) if number % 9]
    assert learnt_period([*times, NOON + 7 * MINUTE_MS + 13_000]) == minutes * MINUTE_MS


def test_period_is_not_learnt_from_one_row() -> None:
    assert learnt_period([NOON]) is None
    assert learnt_period([]) is None


def test_start_of_the_gas_day_is_what_most_daily_rows_say() -> None:
    days = [ms(2024, 3, day, 7) for day in range(1, 9)]
    assert learnt_start([*days, ms(2024, 3, 5, 11, 20)], MOSCOW) == time(10)
    assert learnt_start([], MOSCOW) is None


def test_holes_are_the_points_without_a_row() -> None:
    stored = [NOON + hour * HOUR_MS for hour in (0, 1, 4, 5, 9)]
    assert missing(HOURS, Span(NOON, NOON + 9 * HOUR_MS), stored) == [
        Span(NOON + 2 * HOUR_MS, NOON + 3 * HOUR_MS),
        Span(NOON + 6 * HOUR_MS, NOON + 8 * HOUR_MS),
    ]


def test_holes_close_to_one_another_are_asked_for_together() -> None:
    near = [Span(NOON, NOON), Span(NOON + 4 * HOUR_MS, NOON + 5 * HOUR_MS)]
    assert joined(HOURS, near, apart=2) == near
    assert joined(HOURS, near, apart=3) == [Span(NOON, NOON + 5 * HOUR_MS)]
    assert joined(HOURS, [Span(NOON, NOON), Span(NOON + HOUR_MS, NOON + HOUR_MS)]) == [Span(NOON, NOON + HOUR_MS)]


def test_what_is_taken_away_may_lie_within_at_the_ends_or_over_several() -> None:
    day = Span(NOON, NOON + 23 * HOUR_MS)
    away = [Span(NOON - DAY_MS, NOON + HOUR_MS), Span(NOON + 5 * HOUR_MS, NOON + 6 * HOUR_MS)]
    assert without(HOURS, [day], away) == [
        Span(NOON + 2 * HOUR_MS, NOON + 4 * HOUR_MS),
        Span(NOON + 7 * HOUR_MS, NOON + 23 * HOUR_MS),
    ]
    assert without(HOURS, [day], [day]) == []
    assert without(HOURS, [day], []) == [day]
