"""How long a call will take."""

from __future__ import annotations

import pytest

from gateway_server.model import CallResult
from gateway_server.scheduler.durations import BYTES_PER_ROW, ROW_S, Pace, learnt
from gateway_server.store.records import CallRecord


def call(setup_s: float, airtime_s: float, rows: int, result: CallResult = CallResult.OK) -> CallRecord:
    connected = int(setup_s * 1000)
    return CallRecord(
        1, "7", "m1", "+7", 0, connected, connected + int(airtime_s * 1000), result,
        bytes=rows * BYTES_PER_ROW, airtime_ms=int(airtime_s * 1000),
    )  # fmt: skip


def test_month_of_hours_over_a_csd_line_takes_three_minutes_and_more_for_the_set_up() -> None:
    """lis200.md 4: 744 rows in blocks of ten take 3.3 minutes."""
    assert Pace().seconds(744) == pytest.approx(3.3 * 60 + 37, rel=0.02)


def test_pace_is_learnt_from_calls_that_went_well() -> None:
    calls = [call(14, 9 + 24 * ROW_S, 24), call(18, 11 + 48 * ROW_S, 48), call(40, 8 + 24 * ROW_S, 24)]
    pace = learnt([*calls, call(90, 300, 0, CallResult.LOST)])
    assert pace.setup_s == pytest.approx(18)
    assert pace.base_s == pytest.approx(9, abs=0.1)
    assert pace.seconds(24) == pytest.approx(27 + 24 * ROW_S, abs=0.2)


def test_few_calls_teach_nothing() -> None:
    assert learnt([call(14, 9, 0), call(14, 9, 0)]) == Pace()
    assert learnt([call(14, 9, 0, CallResult.BUSY)] * 9) == Pace()


def test_meter_that_talks_faster_than_its_bytes_suggest_is_not_thought_to_take_no_time() -> None:
    assert learnt([call(10, 3, 500)] * 3).base_s == 1.0
