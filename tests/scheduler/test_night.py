"""What waits to be called, and in which order."""

from __future__ import annotations

from gateway_server.scheduler.night import Candidate, ranked

HOUR = 3_600_000


def test_priority_goes_before_windows_windows_before_failed_calls_and_these_before_length() -> None:
    calls = [
        Candidate(1, "long", 500, until_ms=9 * HOUR),
        Candidate(2, "failed", 40, until_ms=9 * HOUR, tries=2),
        Candidate(3, "closes soon", 40, until_ms=HOUR),
        Candidate(4, "person", 40, priority=1000),
    ]
    assert [one.serial for one in ranked(calls)] == ["person", "closes soon", "failed", "long"]
