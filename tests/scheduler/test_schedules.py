"""When a meter is to be read: cron text, windows over midnight, zones, days on which nothing is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from gateway_server.errors import OperatorError
from gateway_server.scheduler.schedules import Acceptance, Night, Schedule, Window, accepts, check_cron, moment
from gateway_server.store.records import MeterRecord

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NIGHT = Schedule("night", "0 1 * * *", window=Window.parse("01:00-05:30"))
OVER_MIDNIGHT = Schedule("evening", "30 22 * * *", window=Window.parse("22:30-04:00"))


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]  # year to minute


def test_night_is_on_from_its_time_to_the_end_of_its_window_by_the_meters_clock() -> None:
    night = Night("2024-04-04T01:00", ms(2024, 4, 3, 22), ms(2024, 4, 4, 2, 30))
    assert NIGHT.night_at(ms(2024, 4, 3, 22), MOSCOW) == night
    assert NIGHT.night_at(ms(2024, 4, 4, 2, 29), MOSCOW) == night
    assert NIGHT.night_at(ms(2024, 4, 4, 2, 30), MOSCOW) is None
    assert NIGHT.night_at(ms(2024, 4, 3, 21, 59), MOSCOW) is None
    assert NIGHT.next_night(ms(2024, 4, 3, 12), MOSCOW) == night


def test_window_over_midnight_is_one_night() -> None:
    night = Night("2024-04-03T22:30", ms(2024, 4, 3, 19, 30), ms(2024, 4, 4, 1))
    assert OVER_MIDNIGHT.night_at(ms(2024, 4, 3, 19, 30), MOSCOW) == night
    assert OVER_MIDNIGHT.night_at(ms(2024, 4, 3, 23, 0), MOSCOW) == night
    assert OVER_MIDNIGHT.night_at(ms(2024, 4, 4, 1), MOSCOW) is None


def test_same_schedule_begins_earlier_in_the_east() -> None:
    east = NIGHT.next_night(ms(2024, 4, 3, 12), ZoneInfo("Asia/Yekaterinburg"))
    assert east is not None
    assert east.due_ms == ms(2024, 4, 3, 20)


def test_cron_time_before_the_window_waits_for_it() -> None:
    early = replace(NIGHT, cron="0 23 * * *")
    night = early.night_at(ms(2024, 4, 3, 20, 30), MOSCOW)
    assert night == Night("2024-04-03T23:00", ms(2024, 4, 3, 22), ms(2024, 4, 4, 2, 30))


def test_without_a_window_a_job_has_until_it_is_due_again() -> None:
    hourly = Schedule("hourly", "5 * * * *")
    assert hourly.night_at(ms(2024, 4, 3, 12, 30), MOSCOW) == Night(
        "2024-04-03T15:05", ms(2024, 4, 3, 12, 5), ms(2024, 4, 3, 13, 5)
    )
    monthly = Schedule("monthly", "0 9 1 * *").night_at(ms(2024, 4, 1, 20), MOSCOW)
    assert monthly is not None
    assert monthly.end_ms - monthly.due_ms == 24 * 3_600_000


def test_nothing_is_called_on_a_black_out_day_and_the_next_night_is_the_one_behind_it() -> None:
    closed = replace(NIGHT, black_out=frozenset({date(2024, 4, 4), date(2024, 4, 5)}))
    assert closed.night_at(ms(2024, 4, 3, 23), MOSCOW) is None
    night = closed.next_night(ms(2024, 4, 3, 12), MOSCOW)
    assert night is not None
    assert night.key == "2024-04-06T01:00"
    assert closed.nights_of(date(2024, 4, 4), MOSCOW) == []


@pytest.mark.parametrize(("day", "hours"), [((2024, 3, 31), 3.5), ((2024, 10, 27), 5.5), ((2024, 6, 2), 4.5)])
def test_window_keeps_the_meters_clock_when_it_is_changed_to_summer_time_and_back(
    day: tuple[int, int, int], hours: float
) -> None:
    start = ms(*day) - 6 * 3_600_000
    night = NIGHT.next_night(start, BERLIN)
    assert night is not None
    assert night.end_ms - night.due_ms == hours * 3_600_000


@pytest.mark.parametrize(
    ("window", "opens", "ends"),
    [
        ("02:30-03:30", (1, 0), (1, 30)),
        ("01:00-02:30", (0, 0), (1, 0)),
        ("02:30-03:00", (1, 0), (1, 30)),
        ("02:00-03:00", (1, 0), (2, 0)),
        ("02:10-02:20", (1, 0), (1, 10)),
    ],
)
def test_night_in_the_hour_that_spring_leaves_out_is_behind_it(
    window: str, opens: tuple[int, int], ends: tuple[int, int]
) -> None:
    """In Berlin the clock goes from 02:00 to 03:00 on 2026-03-29, at one o'clock UTC."""
    text = window.partition("-")[0]
    spring = Schedule("s", f"{int(text[3:])} {int(text[:2])} * * *", window=Window.parse(window))
    (night,) = spring.nights_of(date(2026, 3, 29), BERLIN)
    assert (night.due_ms, night.end_ms) == (ms(2026, 3, 29, *opens), ms(2026, 3, 29, *ends))
    assert spring.night_at(night.due_ms, BERLIN) == night
    (after,) = spring.nights_of(date(2026, 3, 30), BERLIN)
    assert after.end_ms - after.due_ms in (10 * 60_000, 30 * 60_000, 3_600_000, 5_400_000)


def test_meter_that_answers_in_the_hour_that_spring_leaves_out_is_called_behind_it() -> None:
    meter = MeterRecord("1", time_zone="Europe/Berlin")
    said = [Acceptance((Window.parse("02:30-03:00"),))]
    assert accepts(meter, said, ms(2026, 3, 28, 20), ms(2026, 3, 29, 10)) == [
        (ms(2026, 3, 29, 1), ms(2026, 3, 29, 1, 30))
    ]


def test_every_hour_of_a_day_with_25_of_them_is_a_night_of_its_own_and_of_one_with_23_too() -> None:
    hourly = Schedule("hourly", "0 * * * *")
    nights = hourly.nights_of(date(2026, 10, 25), BERLIN)
    assert len(nights) == len({night.key for night in nights}) == 25
    assert [night.key for night in nights[2:4]] == ["2026-10-25T02:00", "2026-10-25T02:00+01:00"]
    assert [night.end_ms - night.due_ms for night in nights] == [3_600_000] * 25
    assert hourly.night_at(ms(2026, 10, 25, 1, 30), BERLIN) == nights[3]
    assert len(hourly.nights_of(date(2026, 3, 29), BERLIN)) == 23
    assert len(hourly.nights(ms(2026, 10, 24, 22), BERLIN)) == 24


def test_night_ends_at_the_midnight_at_which_a_black_out_day_begins() -> None:
    closed = replace(OVER_MIDNIGHT, black_out=frozenset({date(2026, 12, 31)}))
    night = closed.night_at(ms(2026, 12, 30, 20), MOSCOW)
    assert night == Night("2026-12-30T22:30", ms(2026, 12, 30, 19, 30), ms(2026, 12, 30, 21))
    assert closed.night_at(ms(2026, 12, 30, 21), MOSCOW) is None
    assert closed.nights_of(date(2026, 12, 31), MOSCOW) == []
    behind = closed.next_night(ms(2026, 12, 30, 22), MOSCOW)
    assert behind == Night("2027-01-01T22:30", ms(2027, 1, 1, 19, 30), ms(2027, 1, 2, 1))
    whole_days = Schedule("daily", "0 12 * * *", black_out=frozenset({date(2026, 12, 31)}))
    noon = whole_days.night_at(ms(2026, 12, 30, 12), MOSCOW)
    assert noon is not None
    assert noon.end_ms == ms(2026, 12, 30, 21)


def test_time_of_day_in_a_zone_is_found_whatever_the_clock_does_then() -> None:
    assert moment(date(2026, 3, 29), time(2, 30), BERLIN) == ms(2026, 3, 29, 1)
    assert moment(date(2026, 10, 25), time(2, 30), BERLIN) == ms(2026, 10, 25, 0, 30)
    assert moment(date(2026, 3, 29), time(4), BERLIN) == ms(2026, 3, 29, 2)
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # half an hour
    assert moment(date(2026, 10, 4), time(2, 10), lord_howe) == ms(2026, 10, 3, 15, 30)


def test_nights_of_a_day_and_of_the_next_24_hours_are_listed() -> None:
    twice = Schedule("twice", "0 3,15 * * *")
    assert [night.key for night in twice.nights_of(date(2024, 4, 4), MOSCOW)] == [
        "2024-04-04T03:00",
        "2024-04-04T15:00",
    ]
    keys = [night.key for night in twice.nights(ms(2024, 4, 4, 1), MOSCOW)]
    assert keys == ["2024-04-04T03:00", "2024-04-04T15:00", "2024-04-05T03:00"]


def test_schedule_wants_its_meters_and_groups_with_what_is_below_them() -> None:
    some = Schedule("some", "0 1 * * *", meters=("7",), groups=("north",))
    assert some.wants(MeterRecord("7"))
    assert some.wants(MeterRecord("1", group="north"))
    assert some.wants(MeterRecord("1", group="north/boilers"))
    assert not some.wants(MeterRecord("1", group="northern"))
    assert NIGHT.wants(MeterRecord("1"))


def test_schedule_uses_the_first_route_that_it_may() -> None:
    meter = MeterRecord("1", routes=("ftp:a", "tcp:10.0.0.1:4001", "csd:+79161234567"))
    assert NIGHT.route(meter) == "tcp:10.0.0.1:4001"
    assert replace(NIGHT, transports=("csd",)).route(meter) == "csd:+79161234567"
    assert replace(NIGHT, transports=("serial",)).route(meter) == ""


def test_meter_of_which_something_is_said_answers_calls_in_its_windows() -> None:
    meter = MeterRecord("1", group="north", time_zone="Europe/Moscow")
    said = [Acceptance((Window.parse("08:00-09:00"), Window.parse("23:00-01:00")), groups=("north",))]
    start, end = ms(2024, 4, 3, 4), ms(2024, 4, 3, 22)
    assert accepts(meter, said, start, end) == [
        (ms(2024, 4, 3, 5), ms(2024, 4, 3, 6)),
        (ms(2024, 4, 3, 20), ms(2024, 4, 3, 22)),
    ]
    assert accepts(meter, said, ms(2024, 4, 3, 5, 30), ms(2024, 4, 3, 20, 10)) == accepts(meter, said, start, end)
    touching = [*said, Acceptance((Window.parse("09:00-09:30"), Window.parse("08:30-08:45")))]
    assert accepts(meter, touching, start, ms(2024, 4, 3, 10)) == [(ms(2024, 4, 3, 5), ms(2024, 4, 3, 6, 30))]
    assert accepts(MeterRecord("2", group="south"), said, start, end) == []
    everybody = [Acceptance((Window.parse("08:00-09:00"),))]
    assert accepts(MeterRecord("2"), everybody, start, end) == [(ms(2024, 4, 3, 5), ms(2024, 4, 3, 6))]


@pytest.mark.parametrize("text", ["", "0 1 * *", "61 1 * * *", "at night"])
def test_what_is_no_cron_text_is_told(text: str) -> None:
    with pytest.raises(OperatorError, match="is no cron text"):
        check_cron(text)


@pytest.mark.parametrize(
    ("text", "said"), [("22-x", "is no window"), ("22:00", "is no window"), ("01:00-01:00", "is empty")]
)
def test_what_is_no_window_is_told(text: str, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        Window.parse(text)
