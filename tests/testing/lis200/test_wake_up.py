"""A simulated sleeper is woken as the documents say, and not otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway_server.testing.lis200.wake_up import Sleeper

START = datetime(2024, 4, 3, 12)


def woken(step: float, count: int, pause: float = 1.5) -> bool:
    sleeper = Sleeper()
    at = START
    for number in range(count):
        at = START + timedelta(seconds=step * number)
        sleeper.heard_nuls(at)
    return sleeper.is_awake(at + timedelta(seconds=pause))


@pytest.mark.parametrize(("step", "count"), [(0.1, 23), (0.02, 106), (0.45, 6)])
def test_nuls_for_two_seconds_wake(step: float, count: int) -> None:
    assert woken(step, count)


@pytest.mark.parametrize(("step", "count"), [(0.0, 53), (0.1, 19), (0.5, 20), (1.0, 10)])
def test_a_burst_too_short_a_time_or_gaps_do_not(step: float, count: int) -> None:
    assert not woken(step, count)


def test_request_within_the_pause_comes_too_early() -> None:
    assert not woken(0.1, 23, pause=0.5)


def test_gap_begins_the_count_again_and_sleep_forgets_it() -> None:
    sleeper = Sleeper()
    for at in (0.0, 0.4, 0.8, 1.2, 1.9, 2.3, 2.7):
        sleeper.heard_nuls(START + timedelta(seconds=at))
    assert not sleeper.is_awake(START + timedelta(seconds=5))
    for at in (3.1, 3.5, 3.9):
        sleeper.heard_nuls(START + timedelta(seconds=at))
    assert sleeper.is_awake(START + timedelta(seconds=5))
    sleeper.sleep()
    assert not sleeper.is_awake(START + timedelta(seconds=5))
