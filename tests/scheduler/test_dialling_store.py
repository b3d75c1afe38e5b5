"""What calling asks of the store, and what becomes of a night when the store fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import ReadOrder
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.planning import jobs_of
from gateway_server.store.records import JobState
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_modems import FakeCall
from tests.scheduler.town import NIGHT, Town, always

pytestmark = pytest.mark.usefixtures("failed_calls_are_no_news")

T = TypeVar("T")


class Counting(DirectWriter):
    """Counts what is asked of the store; ``refuses`` says whether it fails instead."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.asked = 0
        self.refuses = False

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        self.asked += 1
        if self.refuses:
            done(StoreError("the disk is full"))
        else:
            super().call(work, done)


def test_meter_of_two_schedules_is_never_in_two_calls_and_its_second_job_costs_no_work_meanwhile() -> None:
    town = Town(1)
    writer = Counting(town.store)
    both = (NIGHT, replace(NIGHT, name="events", what=frozenset({"events"})))
    town.gateway(always(FakeCall(online_s=300)), modems=2, schedules=both, writer=writer)
    town.pass_seconds(100)
    assert len(town.pools[0].orders) == 1
    before = writer.asked
    town.pass_seconds(200)
    assert writer.asked - before < 100
    town.until_done()
    first, second = town.pools[0].made
    assert first.ended <= second.started < first.ended + 2


def test_meter_that_another_process_is_at_is_asked_for_every_few_seconds_and_delays_nobody() -> None:
    town = Town(2)
    first, second = town.meters
    writer = Counting(town.store)
    duty = town.gateway(modems=1, writer=writer, schedules=(), limits=Limits(operator_at_once=1, spread_s=20))
    town.store.add_job(first, ReadOrder().to_json(), "tcp:10.0.0.1:4001", town.now_ms)
    town.store.connection.execute(
        "UPDATE job SET state = 'running', lease_owner = 'other', lease_until_ms = ?", (town.now_ms + 60_000,)
    )
    town.store.make_jobs(jobs_of(NIGHT, town.store.meters(), town.now_ms), town.now_ms)
    duty.look()
    town.pass_seconds(1)
    assert [town.by_number[order.number] for order in town.pools[0].orders] == [second]
    town.pass_seconds(57)
    assert writer.asked < 200
    town.until_done()
    assert {job.serial for job in town.jobs(JobState.DONE) if job.schedule} == {first, second}


def test_store_that_fails_in_the_night_is_asked_less_and_less_and_the_night_goes_on_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    town = Town(40)
    writer = Counting(town.store)
    town.gateway(modems=2, writer=writer, limits=Limits(spread_s=0))
    town.pass_seconds(100)
    writer.refuses = True
    with caplog.at_level(logging.WARNING):
        town.pass_seconds(600)
    assert len(caplog.records) < 60
    writer.refuses = False
    town.until_done()
    assert town.percent() == {"100.00"}


def test_store_that_gives_no_job_away_is_asked_after_twice_as_long_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    town = Town(4)
    town.store.connection.execute(
        "CREATE TRIGGER no_take BEFORE UPDATE ON job WHEN OLD.state = 'queued' AND NEW.state = 'running'"
        " BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    with caplog.at_level(logging.WARNING):
        town.gateway(modems=4, limits=Limits(spread_s=0))
        town.pass_seconds(250)
    said = [record.getMessage() for record in caplog.records if "no job could be taken" in record.getMessage()]
    assert [one.partition(": ")[0].rpartition("in ")[2] for one in said] == [
        *("2 s", "4 s", "8 s", "16 s", "32 s"),
        *("60 s", "60 s", "60 s", "60 s"),
    ]
    town.store.connection.execute("DROP TRIGGER no_take")
    town.until_done()
    assert town.percent() == {"100.00"}
