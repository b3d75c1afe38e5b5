"""What a simulated meter measures holds together like a real one's figures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from gateway_server.testing.lis200.history import Counters, History, conversion_factor

START = datetime(2024, 1, 1)


def history(seed: str = "seed") -> History:
    return History(seed, START, pressure=129000, capacity=160)


def test_conversion_factor_of_the_captured_row_follows_from_p_t_and_k() -> None:
    # 12.9437 bar, 10.16 degrees, K 0.97417: the dossier computes 13.5686.
    assert conversion_factor(129437, 1016, 97417) == 1356860


def test_same_seed_gives_the_same_year_and_another_seed_another() -> None:
    until = datetime(2024, 2, 1)
    assert list(history().until(until)) == list(history().until(until))
    assert list(history().until(until)) != list(history("other").until(until))


def test_counters_only_grow_and_total_is_undisturbed_plus_disturbed() -> None:
    hours = list(history().until(datetime(2025, 1, 1)))
    assert len(hours) == 366 * 24
    for before, after in pairwise(hours):
        assert after.counters.vb >= before.counters.vb
        assert after.counters.vbt == before.counters.vbt + after.dvb
        assert after.counters.vt == before.counters.vt + after.dv


def test_base_volume_is_actual_volume_times_conversion_factor() -> None:
    for hour in history().until(datetime(2024, 3, 1)):
        exact = Decimal(hour.dv) * Decimal(hour.c) / 100_000
        assert abs(Decimal(hour.dvb) / 10_000 - exact) <= Decimal("0.00005")
        assert hour.c == conversion_factor(hour.p, hour.t, hour.k)


def test_disturbed_hours_count_apart() -> None:
    hours = list(history().until(datetime(2025, 1, 1)))
    disturbed = [hour for hour in hours if hour.disturbed]
    assert 20 < len(disturbed) < 400
    assert sum(hour.begins for hour in hours) - sum(hour.ends for hour in hours) in (0, 1)
    for before, after in pairwise(hours):
        moved = (after.counters.vbd > before.counters.vbd, after.counters.vb > before.counters.vb)
        assert moved == (after.disturbed, not after.disturbed)


def test_winter_takes_more_gas_than_summer() -> None:
    hours = list(history().until(datetime(2025, 1, 1)))
    by_month = {month: sum(hour.dv for hour in hours if hour.end.month == month) for month in (1, 7)}
    assert by_month[1] > 3 * by_month[7]


def test_live_counters_run_from_one_hour_to_the_next() -> None:
    meter = history()
    list(meter.until(datetime(2024, 1, 5, 12)))
    start, half, end = (meter.at(datetime(2024, 1, 5, 12, minute)) for minute in (0, 30, 59))
    assert start == meter.counters
    assert start.vbt < half.vbt < end.vbt < meter.pending.counters.vbt


def test_counters_that_are_set_go_on_from_there() -> None:
    meter = history()
    list(meter.until(datetime(2024, 1, 5)))
    meter.set_counters(Counters(100, 0, 10, 0))
    (hour,) = meter.until(datetime(2024, 1, 5, 1))
    assert hour.counters.vbt == 100 + hour.dvb
