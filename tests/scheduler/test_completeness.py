"""How whole an archive is: grids, holes, rows that will not come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway_server.model import GAS_DAY_START, Column
from gateway_server.scheduler.completeness import Completeness, Terms, archives_expected, assess, assess_all, total
from gateway_server.scheduler.grid import DAY_MS, HOUR_MS, MINUTE_MS
from gateway_server.store.open import open_store
from gateway_server.store.plan_records import Span
from gateway_server.store.records import MeterRecord, RowToSave, SessionOpening
from gateway_server.store.sql import SqlStore

SERIAL = "41203377"
COLUMNS = (Column("volume_base_total", "m3", cumulative=True),)
TERMS = Terms()


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]  # year to minute


START = ms(2024, 4, 1, 7)
NOW = START + 100 * HOUR_MS + 15 * MINUTE_MS


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    store.put_meter(MeterRecord(SERIAL))
    yield store
    store.close()


def meter(time_zone: str = "Europe/Moscow", gas_day_start: str = "10:00") -> MeterRecord:
    return MeterRecord(SERIAL, time_zone=time_zone, gas_day_start=gas_day_start)


def row(
    at_ms: int, order: int | None = None, archive: str = "interval", quality: str = "", value: str = "1"
) -> RowToSave:
    return RowToSave(COLUMNS, (value,), archive, at_ms, at_ms + 1000, order, quality=quality)


def keep(store: SqlStore, rows: Iterable[RowToSave]) -> int:
    key = store.open_session(SessionOpening("csd", "", START))
    store.save(key, SERIAL, list(rows))
    return key.id


def hours(store: SqlStore, *without: int, numbered: bool = True, count: int = 101) -> None:
    keep(
        store,
        (row(START + hour * HOUR_MS, hour if numbered else None) for hour in range(count) if hour not in without),
    )


def at(hour: int) -> int:
    return START + hour * HOUR_MS


def looked(store: SqlStore, now_ms: int = NOW, terms: Terms = TERMS, *, full: bool = True) -> Completeness:
    return assess(store, meter(), "interval", terms, now_ms, full=full)


def test_archive_without_a_hole_is_whole(store: SqlStore) -> None:
    hours(store)
    part = looked(store)
    assert (part.percent, part.expected, part.stored, part.holes, part.oldest_ms) == (Decimal(100), 101, 101, (), None)
    assert (part.first_ms, part.until_ms, part.learnt) == (START, at(100), True)


def test_holes_are_told_as_ranges_with_their_number_and_the_age_of_the_oldest(store: SqlStore) -> None:
    hours(store, 20, 21, 22, 50, 100)
    part = looked(store)
    assert part.holes == (Span(at(20), at(22)), Span(at(50), at(50)), Span(at(100), at(100)))
    assert (part.expected, part.stored, part.missing) == (101, 96, 5)
    assert part.percent == Decimal("95.04")
    assert part.oldest_ms == at(20)


def test_one_row_of_many_missing_is_not_rounded_to_whole(store: SqlStore) -> None:
    hours(store, 15_000, count=20_000)
    part = looked(store, at(19_999) + 15 * MINUTE_MS, Terms(most_days=3000))
    assert part.percent == Decimal("99.99")


def test_row_that_may_still_come_is_no_hole(store: SqlStore) -> None:
    hours(store, 100)
    assert looked(store, at(100) + 9 * MINUTE_MS).holes == ()
    assert looked(store, at(100) + 10 * MINUTE_MS).holes == (Span(at(100), at(100)),)


def test_rows_between_the_regular_ones_fill_no_hole_and_make_none(store: SqlStore) -> None:
    hours(store, 30, numbered=False)
    keep(store, [row(at(30) + 7 * MINUTE_MS, quality="extra_row"), row(at(40), 7, quality="extra_row", value="9")])
    part = looked(store)
    assert part.holes == (Span(at(30), at(30)),)
    assert part.stored == 100


def test_same_row_with_other_values_counts_once(store: SqlStore) -> None:
    hours(store)
    keep(store, [row(at(5), 5, value="other")])
    assert looked(store).stored == 101


@pytest.mark.parametrize("minutes", [15, 30])
def test_shorter_measurement_period_is_learnt_from_the_rows(store: SqlStore, minutes: int) -> None:
    step = minutes * MINUTE_MS
    keep(store, (row(START + number * step, number) for number in range(200) if number != 77))
    part = looked(store, START + 199 * step + 15 * MINUTE_MS)
    assert part.grid.period_ms == step
    assert part.holes == (Span(START + 77 * step, START + 77 * step),)


def test_order_numbers_that_leave_no_room_say_that_the_device_recorded_nothing(store: SqlStore) -> None:
    """It was without power for ten hours: the numbers go on, the hours are missing for ever (lis200.md 2.6)."""
    keep(store, [row(at(hour), hour) for hour in range(40)] + [row(at(hour), hour - 10) for hour in range(50, 101)])
    part = looked(store)
    assert part.holes == ()
    assert part.lost == (Span(at(40), at(49)),)
    assert (part.expected, part.stored) == (101, 91)


def test_order_numbers_with_room_for_the_missing_rows_leave_them_to_be_had(store: SqlStore) -> None:
    hours(store, *range(40, 50))
    assert looked(store).holes == (Span(at(40), at(49)),)


def test_rows_that_the_device_was_found_not_to_have_are_lost_and_no_hole(store: SqlStore) -> None:
    hours(store, 20, 21, 22, 60)
    store.note_asked(SERIAL, "interval", [Span(at(20), at(21))], NOW, none_there=True)
    part = looked(store)
    assert part.lost == (Span(at(20), at(21)),)
    assert part.holes == (Span(at(22), at(22)), Span(at(60), at(60)))
    store.ask_again(SERIAL)
    assert looked(store).lost == ()


def test_days_without_a_row_yet_begin_when_the_meter_said_its_gas_day_does(store: SqlStore) -> None:
    store.remember(SERIAL, GAS_DAY_START, "08:00")
    for gas_day_start, hour in (("", 5), ("10:00", 7)):
        found = store.meter(SERIAL)
        assert found is not None
        part = assess(store, replace(found, gas_day_start=gas_day_start), "daily", TERMS, ms(2024, 3, 20, 9), full=True)
        assert part.until_ms == ms(2024, 3, 20, hour)


def test_daily_rows_stand_at_the_gas_day_that_the_meter_keeps_not_at_the_registers(store: SqlStore) -> None:
    days = [ms(2024, 3, day, 5) for day in range(1, 21) if day not in (7, 8)]  # eight o'clock in Moscow
    keep(store, (row(day, number, "daily") for number, day in enumerate(days)))
    part = assess(store, meter(gas_day_start="10:00"), "daily", TERMS, ms(2024, 3, 20, 6), full=True)
    assert part.holes == (Span(ms(2024, 3, 7, 5), ms(2024, 3, 8, 5)),)
    assert (part.expected, part.stored) == (20, 18)


@pytest.mark.parametrize(("month", "day"), [(3, 31), (10, 27)])
def test_days_and_hours_of_a_zone_with_summer_time_are_whole_over_the_change(
    store: SqlStore, month: int, day: int
) -> None:
    berlin = meter(time_zone="Europe/Berlin")
    change = ms(2024, month, day, 1)
    keep(store, (row(change + number * HOUR_MS, number + 60) for number in range(-48, 49)))
    winter, summer = 5, 4  # six o'clock in Berlin, in UTC
    before, after = (winter, summer) if month == 3 else (summer, winter)
    days = [ms(2024, month, day - 2, before), ms(2024, month, day - 1, before), ms(2024, month, day, after)]
    keep(store, (row(at_ms, number, "daily") for number, at_ms in enumerate(days)))
    hourly = assess(store, berlin, "interval", TERMS, change + 48 * HOUR_MS + 15 * MINUTE_MS, full=True)
    daily = assess(store, berlin, "daily", TERMS, change + 12 * HOUR_MS, full=True)
    assert (hourly.expected, hourly.holes, hourly.lost) == (97, (), ())
    assert (daily.expected, daily.holes, daily.lost) == (3, (), ())


def test_doubled_autumn_hour_of_a_device_that_does_not_tell_the_two_apart_is_no_hole(store: SqlStore) -> None:
    berlin = meter(time_zone="Europe/Berlin")
    change = ms(2024, 10, 27, 1)  # 02:00 for the second time; the device's two rows both arrived as the first 02:00
    numbers = [number for number in range(-24, 25) if number]
    rows = [row(change + number * HOUR_MS, number + 100) for number in numbers]
    keep(store, [*rows, row(change - HOUR_MS, 100, value="2")])
    part = assess(store, berlin, "interval", TERMS, change + 24 * HOUR_MS + 15 * MINUTE_MS, full=True)
    assert part.holes == ()
    assert part.lost == ()


def test_meter_without_a_row_owes_the_last_weeks_with_the_period_assumed(store: SqlStore) -> None:
    part = looked(store, terms=Terms(first_days=3))
    assert (part.percent, part.missing, part.learnt) == (Decimal(0), 72, False)


def test_nothing_is_owed_from_before_the_meter_was_put_into_service_but_everything_since(store: SqlStore) -> None:
    hours(store, *range(48))
    since = looked(store, terms=Terms(commissioned={SERIAL: date(2024, 4, 2)}))
    assert since.first_ms == ms(2024, 4, 1, 21)  # midnight in Moscow
    assert since.holes == (Span(ms(2024, 4, 1, 21), at(47)),)
    assert looked(store).holes == ()


def test_rows_with_an_impossible_clock_do_not_say_since_when_a_meter_is_known(store: SqlStore) -> None:
    hours(store)
    keep(store, [row(ms(1999, 1, 1), 900, quality="clock_off")])
    assert looked(store).first_ms == START


def test_settled_part_is_not_looked_through_again_and_the_account_stays_the_same(store: SqlStore) -> None:
    hours(store, 20, 21, 60, 100)
    store.note_asked(SERIAL, "interval", [Span(at(20), at(21))], NOW, none_there=True)
    first = looked(store)
    settled = store.settled(SERIAL, "interval")
    assert settled is not None
    assert (settled.until_ms, settled.expected, settled.stored) == (at(59), 60, 58)
    again = looked(store, full=False)
    assert (again.expected, again.stored, again.holes) == (first.expected, first.stored, first.holes)
    keep(store, [row(at(60), 60), *(row(at(hour), hour) for hour in range(100, 111))])
    later = looked(store, at(110) + 15 * MINUTE_MS, full=False)
    assert (later.expected, later.stored, later.holes) == (111, 109, ())
    whole = looked(store, at(110) + 15 * MINUTE_MS)
    assert (whole.expected, whole.stored) == (111, 109)


def test_older_rows_that_come_later_are_looked_at_from_the_beginning(store: SqlStore) -> None:
    hours(store)
    looked(store)
    keep(store, [row(at(-5), 900)])
    assert looked(store, full=False).holes == (Span(at(-4), at(-1)),)


def test_archives_are_those_wanted_of_every_meter_and_those_it_has(store: SqlStore) -> None:
    hours(store)
    keep(store, [row(START, 1, "daily"), row(START, 1, "monthly1"), row(START, 1, "changes")])
    assert archives_expected(store, meter(), TERMS) == ("interval", "daily", "monthly1")
    parts = assess_all(store, meter(), TERMS, NOW)
    assert [part.archive for part in parts] == ["interval", "daily", "monthly1"]
    assert total(parts[:1]) == (101, 101)


def test_three_years_of_hours_are_looked_through_without_loading_them(store: SqlStore) -> None:
    count = 3 * 365 * 24
    hours(store, 9000, 9001, count=count)
    part = looked(store, at(count - 1) + 15 * MINUTE_MS, Terms(most_days=4000))
    assert (part.expected, part.missing) == (count, 2)
    assert part.until_ms - part.first_ms == (count - 1) * HOUR_MS
    assert part.first_ms > START - DAY_MS
