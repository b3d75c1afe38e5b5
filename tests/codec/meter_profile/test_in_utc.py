"""Questions to a meter that speaks UTC: exact where its zone is known, and never a row too few."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway_server.codec.meter_profile.in_utc import earliest, latest

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 10, 25, 2, 30)  # comes twice in Berlin: 00:30 and 01:30 UTC
SKIPPED = datetime(2026, 3, 29, 2, 30)  # does not come in Berlin: 00:30 or 01:30 UTC are as near


def test_time_of_a_zone_is_asked_for_as_it_is_in_utc() -> None:
    local = datetime(2026, 8, 22, 7)
    assert earliest(local, MOSCOW) == latest(local, MOSCOW) == datetime(2026, 8, 22, 4)
    assert earliest(local, BERLIN) == latest(local, BERLIN) == datetime(2026, 8, 22, 5)


def test_hour_that_comes_twice_begins_with_the_first_and_ends_with_the_second() -> None:
    assert earliest(NIGHT, BERLIN) == datetime(2026, 10, 25, 0, 30)
    assert latest(NIGHT, BERLIN) == datetime(2026, 10, 25, 1, 30)


def test_row_of_the_second_hour_is_not_asked_for_again() -> None:
    assert earliest(NIGHT.replace(fold=1), BERLIN) == datetime(2026, 10, 25, 1, 30)


def test_time_over_which_the_clocks_are_put_is_taken_so_that_nothing_is_missed() -> None:
    assert earliest(SKIPPED, BERLIN) == datetime(2026, 3, 29, 0, 30)
    assert latest(SKIPPED, BERLIN) == datetime(2026, 3, 29, 1, 30)


def test_meter_of_an_unknown_zone_is_asked_for_so_much_more_as_any_zone_is_away() -> None:
    assert earliest(datetime(2026, 8, 22, 7), None) == datetime(2026, 8, 21, 17)
    assert latest(datetime(2026, 8, 22, 7), None) == datetime(2026, 8, 22, 21)


def test_question_without_an_end_has_none() -> None:
    assert earliest(None, MOSCOW) is None
    assert latest(None, None) is None
