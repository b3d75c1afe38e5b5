from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway_server.errors import OperatorError
from gateway_server.store.zones import FIRST_MS, LAST_MS, meter_clock, moment, within_calendar


def test_a_meters_clock_is_shown_without_a_zone() -> None:
    # RFC 3339 examples: 1985-04-12T23:20:50.52Z
    assert meter_clock("UTC")(482_196_050_520) == datetime(1985, 4, 12, 23, 20, 50, 520_000)
    assert meter_clock("Europe/Moscow")(1_700_000_000_000) == datetime(2023, 11, 15, 1, 13, 20)


def test_the_second_of_two_equal_autumn_hours_is_marked() -> None:
    # clocks in Berlin went from 03:00 back to 02:00 at 2024-10-27T01:00:00Z
    clock = meter_clock("Europe/Berlin")
    first, second = clock(1_729_989_000_000), clock(1_729_992_600_000)
    assert first == second == datetime(2024, 10, 27, 2, 30)
    assert (first.fold, second.fold) == (0, 1)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_nobody_knows_is_the_operators_to_correct(zone: str) -> None:
    with pytest.raises(OperatorError, match="Europe/Moscow"):
        meter_clock(zone)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("at_ms", [-62_135_596_800_000, -(2**62), FIRST_MS, LAST_MS, 253_402_300_799_999, 2**62])
def test_every_number_of_milliseconds_can_be_shown_in_every_zone(at_ms: int, zone: str) -> None:
    # year 1 begins 62 135 596 800 s before 1970, year 10 000 begins 253 402 300 800 s behind it
    assert meter_clock(zone)(at_ms).year in (1, 9999)
    assert FIRST_MS <= within_calendar(at_ms) <= LAST_MS


def test_time_that_the_calendar_holds_is_itself() -> None:
    assert moment(482_196_050_520) == datetime(1985, 4, 12, 23, 20, 50, 520_000, tzinfo=UTC)
    assert moment(FIRST_MS) == datetime(1, 1, 2, tzinfo=UTC)
