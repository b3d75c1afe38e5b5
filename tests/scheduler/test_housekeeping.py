"""Old jobs and calls go, at a quiet time, a few at once."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from gateway_server.model import CallResult
from gateway_server.scheduler.housekeeping import APART_SECONDS, DAY_MS, LOOK_SECONDS, PORTION, Housekeeping
from gateway_server.store.records import CallRecord, JobState
from tests.session.conversations import Scene


class Office(Scene):
    """A store with jobs and calls that are over, made so many days ago."""

    def __init__(self, keep_days: int = 30) -> None:
        super().__init__()
        self.keeper = Housekeeping(self.facilities, keep_days)

    def past(self, days: int, count: int = 1) -> None:
        at_ms = self.facilities.now_ms() - days * DAY_MS
        for _ in range(count):
            number = self.store.add_job("7", "{}", "", at_ms)
            job = self.store.job(number)
            assert job is not None
            self.store.update_job(replace(job, state=JobState.DONE))
            call = CallRecord(0, "7", "m1", "+7916", at_ms, None, at_ms, CallResult.OK)
            self.store.open_call(call)

    def kept(self) -> tuple[int, int]:
        return len(list(self.store.jobs())), len(list(self.store.calls()))


def test_what_is_older_than_the_operator_wants_goes_and_the_rest_stays(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.past(31, 3)
    office.past(29, 2)
    waiting = office.store.add_job("8", "{}", "", office.facilities.now_ms() - 90 * DAY_MS)
    office.keeper.start()
    assert office.kept() == (6, 5)
    with caplog.at_level(logging.INFO):
        office.clock.pump([LOOK_SECONDS, APART_SECONDS])
    assert office.kept() == (3, 2)
    assert office.store.job(waiting) is not None, "an order that nobody came to is an order"
    assert caplog.messages == ["6 old jobs and calls were removed"]
    office.clock.advance(2 * DAY_MS / 1000)
    office.clock.pump([1, APART_SECONDS])
    assert office.kept() == (1, 0)


def test_much_goes_in_portions() -> None:
    office = Office()
    office.past(31, PORTION + 1)
    office.keeper.start()
    office.clock.advance(LOOK_SECONDS)
    assert office.kept() == (1, 1)
    office.clock.advance(APART_SECONDS)
    assert office.kept() == (0, 0)


def test_nothing_goes_while_a_meter_is_read_but_a_day_of_that_is_enough() -> None:
    office = Office()
    office.past(31)
    office.store.add_job("7", "{}", "", office.facilities.now_ms())
    office.store.take_job(office.facilities.now_ms(), 9 * DAY_MS)
    office.keeper.start()
    office.clock.pump([LOOK_SECONDS] * 100)
    assert office.kept() == (2, 1)
    office.clock.pump([LOOK_SECONDS] * 50)
    assert office.kept() == (1, 0)


def test_gateway_that_is_told_to_keep_everything_or_stops_removes_nothing() -> None:
    office = Office(keep_days=0)
    office.past(10_000)
    office.keeper.start()
    office.clock.advance(LOOK_SECONDS)
    assert office.kept() == (1, 1)
    office = Office()
    office.past(10_000)
    office.keeper.start()
    office.keeper.stop()
    office.clock.advance(LOOK_SECONDS)
    assert office.kept() == (1, 1)
    assert office.clock.getDelayedCalls() == []
