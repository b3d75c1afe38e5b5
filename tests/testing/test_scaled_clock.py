"""A clock that goes faster."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway_server.testing.scaled_clock import ScaledClock


def test_call_set_up_of_half_a_minute_takes_a_second_thirty_times_as_fast() -> None:
    clock = Clock()
    clock.advance(1000)
    fast = ScaledClock(clock, 30)
    called: list[float] = []
    fast.callLater(30, lambda: called.append(fast.seconds()))
    clock.advance(0.9)
    assert called == []
    clock.advance(0.1)
    assert called == [pytest.approx(1030)]
    assert fast.getDelayedCalls() == []


def test_time_that_would_stand_still_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        ScaledClock(Clock(), 0)
