"""What waits to be called, and in which order."""

from __future__ import annotations

from gateway_server.scheduler.night import Candidate, ranked

HOUR = 3_600_000
MINUTE = 60_000


def test_priority_goes_before_windows_windows_before_failed_calls_and_these_before_length() -> None:
    calls = [
        Candidate(1, "long", 500, until_ms=9 * HOUR),
        Candidate(2, "failed", 40, until_ms=9 * HOUR, tries=2),
        Candidate(3, "closes soon", 40, until_ms=HOUR),
        Candidate(4, "person", 40, priority=1000),
    ]
    assert [one.serial for one in ranked(calls)] == ["person", "closes soon", "failed", "long"]


def test_call_begins_within_the_schedules_window_and_ends_while_the_meter_answers() -> None:
    one = Candidate(1, "a", 1200, until_ms=2 * HOUR, accepts=((HOUR, HOUR + MINUTE), (2 * HOUR - 1, 3 * HOUR)))
    assert one.opens_at(0) == HOUR
    assert one.opens_at(HOUR + MINUTE // 2) == HOUR + MINUTE // 2
    assert one.opens_at(HOUR + MINUTE // 2 + 1) == 2 * HOUR - 1
    assert one.opens_at(2 * HOUR) is None
    assert one.answers_for(HOUR + 20_000) == 40
    assert one.answers_for(2 * HOUR - 1) == 3600.001
    assert one.answers_for(HOUR + MINUTE) == 0
    assert Candidate(2, "b", 60, until_ms=HOUR).answers_for(HOUR - 1) > 1e12
