"""Archives that agree with the hours they were made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.archive import FakeArchive
from gateway_server.testing.lis200.layouts import FAKE_MODELS
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.lis200.recorder import Recorder, event_code, fixed

NOW = datetime(2024, 4, 3, 12, 5)


def recorder(model: str = "ek270", quirks: Quirks | None = None, now: datetime = NOW, days: int = 62) -> Recorder:
    return Recorder(FAKE_MODELS[model], quirks or Quirks(), "seed", now, days)


def column(archive: FakeArchive, name: str) -> list[str]:
    place = [column.name for column in archive.layout.columns].index(name)
    return [row[place] for row in archive.rows]


def numbers(archive: FakeArchive, name: str) -> list[Decimal]:
    return [Decimal(text) for text in column(archive, name)]


@pytest.mark.parametrize(
    ("message", "status", "appears", "system", "code"),
    [
        (6, 4, True, False, "0x2504"),
        (6, 4, False, False, "0x0504"),
        (1, 2, True, True, "0x3002"),
        (16, 2, False, True, "0x1F02"),
        (13, 2, True, True, "0x3C02"),
        (13, 2, False, True, "0x1C02"),
        (16, 1, True, False, "0x2F01"),
        (14, 4, True, False, "0x2D04"),
        (14, 3, False, False, "0x0D03"),
    ],
)
def test_event_codes_follow_the_bit_rule(message: int, status: int, appears: bool, system: bool, code: str) -> None:
    assert event_code(message, status, appears=appears, system=system) == code


def test_numbers_are_printed_exactly() -> None:
    assert [fixed(8820666309, 4), fixed(-5, 2), fixed(7, 5), fixed(100, 0 + 1)] == [
        "882066.6309",
        "-0.05",
        "0.00007",
        "10.0",
    ]


def test_hourly_rows_are_stamped_with_the_hours_end_and_the_gas_day_marks_its_own() -> None:
    hourly = recorder().archives[3]
    times = [datetime.strptime(text, "%Y-%m-%d,%H:%M:%S") for text in column(hourly, "Time")]
    assert len(times) == 62 * 24
    assert times[-1] == datetime(2024, 4, 3, 12)
    assert all(after - before == timedelta(hours=1) for before, after in pairwise(times))
    events = dict(zip(times, column(hourly, "Event"), strict=True))
    assert {events[time] for time in times if time.hour == 10} == {"0x8103"}
    assert {events[time] for time in times if time.hour != 10} == {"0x8104"}


def test_order_numbers_step_by_one_and_global_ones_count_all_archives() -> None:
    meter = recorder()
    for archive in meter.archives.values():
        orders = [int(text) for text in column(archive, "AONo")]
        assert all(after == before + 1 for before, after in pairwise(orders))
    all_global = sorted(int(text) for archive in meter.archives.values() for text in column(archive, "GONo"))
    assert all_global == list(range(all_global[0], all_global[0] + len(all_global)))


def test_counters_of_hours_days_and_months_agree() -> None:
    meter = recorder()
    hourly = dict(zip(column(meter.archives[3], "Time"), meter.archives[3].rows, strict=True))
    for number in (7, 1):
        archive = meter.archives[number]
        assert archive.rows
        names = [c.name for c in archive.layout.columns]
        for row in archive.rows:
            hour = hourly[row[names.index("Time")]]
            assert row[names.index("Vb")] == hour[3]
            assert row[names.index("VbT")] == hour[4]
            assert row[names.index("VT")] == hour[6]


def test_base_volume_of_an_hour_is_actual_volume_times_c() -> None:
    hourly = recorder().archives[3]
    vbt, vt, c = numbers(hourly, "VbT"), numbers(hourly, "VT"), numbers(hourly, "C.MP")
    for index in range(1, len(vbt)):
        assert abs((vbt[index] - vbt[index - 1]) - (vt[index] - vt[index - 1]) * c[index]) <= Decimal("0.0001")


def test_monthly_maximum_is_that_of_the_gas_months_hours() -> None:
    meter = recorder()
    hourly = meter.archives[3]
    times, vbt = column(hourly, "Time"), numbers(hourly, "VbT")
    grown = {times[i]: vbt[i] - vbt[i - 1] for i in range(1, len(times))}
    march = {time: volume for time, volume in grown.items() if "2024-03-01,10:00:00" < time <= "2024-04-01,10:00:00"}
    monthly = meter.archives[1]
    assert column(monthly, "Time")[-1] == "2024-04-01,10:00:00"
    assert numbers(monthly, "Vb.MP max")[-1] == max(march.values())
    assert column(monthly, "Vb.MP max Time")[-1] == max(march, key=lambda time: march[time])


def test_time_going_on_adds_the_hours_that_ended() -> None:
    meter = recorder()
    before = len(meter.archives[3].rows)
    meter.advance(NOW + timedelta(hours=2))
    assert len(meter.archives[3].rows) == before + 2
    assert column(meter.archives[3], "Time")[-1] == "2024-04-03,14:00:00"


def test_tc_prints_kilopascals_and_four_decimals() -> None:
    archive = recorder("tc210").archives[3]
    row = dict(zip([column.name for column in archive.layout.columns], archive.rows[-1], strict=True))
    assert Decimal("98") < Decimal(row["p.MP"]) < Decimal("110")
    assert row["V"].endswith(".0000")
    c = Decimal(row["p.MP"]) / Decimal("101.325") * Decimal("293.15") / (Decimal("273.15") + Decimal(row["T.MP"]))
    assert abs(c - Decimal(row["C.MP"])) < Decimal("0.0005")


def test_daily_tc215_has_one_row_a_gas_day() -> None:
    archive = recorder("tc215", Quirks(daily_period=True), days=5).archives[3]
    assert [text[11:] for text in column(archive, "Time")] == ["10:00:00"] * 5


def test_lost_rows_leave_a_gap_in_the_order_numbers() -> None:
    orders = [int(text) for text in column(recorder(quirks=Quirks(order_gap=True)).archives[3], "AONo")]
    steps = [after - before for before, after in pairwise(orders)]
    assert sorted(steps)[-2:] == [1, 4]


@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_shorter_measurement_period_has_rows_within_the_hour_that_grow_evenly(minutes: int) -> None:
    usual, short = recorder(days=2), recorder(quirks=Quirks(period_minutes=minutes), days=2)
    times = column(short.archives[3], "Time")
    assert len(times) == 48 * 60 // minutes
    assert times[-1] == "2024-04-03,12:00:00"
    assert times[-2] == f"2024-04-03,11:{60 - minutes:02}:00"
    assert column(short.archives[3], "VbT")[60 // minutes - 1 :: 60 // minutes] == column(usual.archives[3], "VbT")
    assert all(after >= before for before, after in pairwise(numbers(short.archives[3], "VbT")))
    assert column(short.archives[3], "Event").count("0x8103") == 2


def test_measurement_period_that_is_none_is_refused() -> None:
    with pytest.raises(OperatorError, match="choose 5, 15, 30 or 60"):
        recorder(quirks=Quirks(period_minutes=7))


def test_doubled_autumn_hour_has_two_rows_with_one_time() -> None:
    now = datetime(2024, 11, 3, 12, 5)
    archive = recorder(quirks=Quirks(autumn_hour=True), now=now, days=10).archives[3]
    times = column(archive, "Time")
    assert times.count("2024-10-27,02:00:00") == 2
    assert len(times) == len(set(times)) + 1
    assert all(after >= before for before, after in pairwise(numbers(archive, "VbT")))
    events = recorder(quirks=Quirks(autumn_hour=True), now=now, days=10).archives[4]
    assert "0x1F02" in column(events, "Event")


def test_counters_go_back_once() -> None:
    vbt = numbers(recorder(quirks=Quirks(counter_back=True)).archives[3], "VbT")
    assert sum(after < before for before, after in pairwise(vbt)) == 1


def test_extra_rows_stand_between_the_regular_ones() -> None:
    archive = recorder(quirks=Quirks(extra_rows=True)).archives[3]
    extra = [event for event in column(archive, "Event") if event not in {"0x8104", "0x8103"}]
    assert {"0x8303", "0x8203", "0x2007", "0x0007"} <= set(extra)
    assert all(after >= before for before, after in pairwise(numbers(archive, "VbT")))
    assert not all(text.endswith(":00:00") for text in column(archive, "Time"))


def test_some_rows_fail_their_own_check() -> None:
    checks = column(recorder(quirks=Quirks(check_failed=True)).archives[3], "Check")
    assert 0 < sum(check != "CRC Ok" for check in checks) < len(checks) // 10


def test_empty_archive_stays_empty() -> None:
    assert not recorder(quirks=Quirks(empty_archive=7)).archives[7].rows


def test_live_values_follow_the_last_row() -> None:
    meter = recorder()
    live = meter.live(NOW)
    assert Decimal(live["vbt"]) >= numbers(meter.archives[3], "VbT")[-1]
    assert Decimal(live["vb"]) + Decimal(live["vbd"]) == Decimal(live["vbt"])
