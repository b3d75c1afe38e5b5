"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway_server.cli.moments import at, duration, local, parse_moment, rfc3339, to_ms
from gateway_server.errors import OperatorError

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = to_ms(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


def first(text: str, zone: ZoneInfo = MOSCOW) -> str | None:
    return rfc3339(parse_moment(text, zone, NOW, last=False))


def last(text: str, zone: ZoneInfo = MOSCOW) -> str | None:
    return rfc3339(parse_moment(text, zone, NOW, last=True))


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026", "2025-12-31T21:00:00Z", "2026-12-31T20:59:59.999Z"),
        ("2026-10", "2026-09-30T21:00:00Z", "2026-10-31T20:59:59.999Z"),
        ("2026-12", "2026-11-30T21:00:00Z", "2026-12-31T20:59:59.999Z"),
        ("2026-10-01", "2026-09-30T21:00:00Z", "2026-10-01T20:59:59.999Z"),
        ("01.10.2026", "2026-09-30T21:00:00Z", "2026-10-01T20:59:59.999Z"),
        ("today", "2026-11-22T21:00:00Z", "2026-11-23T20:59:59.999Z"),
        ("yesterday", "2026-11-21T21:00:00Z", "2026-11-22T20:59:59.999Z"),
    ],
)
def test_day_month_and_year_stand_for_their_first_and_last_moment_in_the_meters_zone(
    text: str, begin: str, end: str
) -> None:
    assert (first(text), last(text)) == (begin, end)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01 10:00", "2026-10-01T07:00:00Z"),
        ("2026-10-01T10:00:30", "2026-10-01T07:00:30Z"),
        ("01.10.2026 10:00", "2026-10-01T07:00:00Z"),
        ("2026-10-01T07:00:00Z", "2026-10-01T07:00:00Z"),
        ("2026-10-01T07:00:00.250Z", "2026-10-01T07:00:00.250Z"),
        ("2026-10-01T12:00:00+05:00", "2026-10-01T07:00:00Z"),
        ("now", "2026-11-23T09:30:00Z"),
        ("-24h", "2026-11-22T09:30:00Z"),
        ("-90min", "2026-11-23T08:00:00Z"),
        ("-7d", "2026-11-16T09:30:00Z"),
        ("-2w", "2026-11-09T09:30:00Z"),
    ],
)
def test_moment_with_a_time_is_itself_at_both_ends(text: str, moment: str) -> None:
    assert (first(text), last(text)) == (moment, moment)


def test_day_of_25_hours_is_whole() -> None:
    assert (first("2026-10-25", BERLIN), last("2026-10-25", BERLIN)) == (
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59.999Z",
    )


def test_hour_that_comes_twice_is_taken_whole() -> None:
    assert first("2026-10-25 02:30", BERLIN) == "2026-10-25T00:30:00Z"
    assert last("2026-10-25 02:30", BERLIN) == "2026-10-25T01:30:00Z"


@pytest.mark.parametrize("text", ["", "soon", "2026-13", "2026-02-30", "31.02.2026", "-5y", "10:00", "0000"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(OperatorError, match="2026-10-01"):
        first(text)


def test_times_leave_as_rfc3339_in_utc_with_z() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(1_399_032_000_120) == "2014-05-02T12:00:00.120Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"
    assert rfc3339(None) is None


def test_times_for_the_eyes_carry_their_offset() -> None:
    assert local(1_399_032_000_120, MOSCOW) == "2014-05-02 16:00:00+04:00"
    assert local(1_399_032_000_120, MOSCOW, precise=True) == "2014-05-02 16:00:00.120+04:00"
    assert local(None, MOSCOW) == ""


def test_milliseconds_stay_exact() -> None:
    assert to_ms(at(9_007_199_254_740)) == 9_007_199_254_740


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0, "0.000 s"), (59_999, "59.999 s"), (61_000, "1 min 1 s"), (7_260_000, "2 h 1 min"), (187_200_000, "2 d 4 h")],
)
def test_length_of_time_is_said_as_people_do(ms: int, said: str) -> None:
    assert duration(ms) == said


def test_more_days_than_the_calendar_has_are_refused() -> None:
    for text in ("-99999999999d", "-9999999w"):
        with pytest.raises(OperatorError, match="calendar"):
            first(text)


@pytest.mark.parametrize("zone", [MOSCOW, BERLIN, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")])
@pytest.mark.parametrize(
    "shown", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)], ids=str
)
def test_times_of_a_clock_that_was_never_set_are_shown_in_every_zone(shown: datetime, zone: ZoneInfo) -> None:
    ms = to_ms(shown)
    assert at(ms).astimezone(zone).year == shown.year
    assert local(ms, zone).startswith(f"{shown.year:04}-")
    said = rfc3339(ms) or ""
    assert said.startswith(f"{shown.year:04}-")
    assert said.endswith("Z")
    assert len(said.partition(".")[0].rstrip("Z")) == 19


def test_year_has_four_digits_and_a_fraction_three() -> None:
    assert rfc3339(to_ms(datetime(987, 6, 5, 4, 3, 2, 100_000, tzinfo=UTC))) == "0987-06-05T04:03:02.100Z"
