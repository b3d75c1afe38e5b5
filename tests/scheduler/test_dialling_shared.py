"""Nights that several gateways call in, at once or one after the other: nothing is lost, nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CallResult
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.records import Filter, JobState
from gateway_server.store.secrets import Vault, new_key
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import DirectWriter
from tests.scheduler.town import START_MS, Town

pytestmark = pytest.mark.usefixtures("failed_calls_are_no_news")

T = TypeVar("T")
DONE = {"done"}


def test_gateway_killed_in_the_middle_costs_nothing_but_the_calls_in_progress() -> None:
    town = Town(40)
    town.gateway(town.failing(0.2, seed=8))
    town.pass_seconds(70)
    first = town.pools[0]
    before = {job.id for job in town.jobs(JobState.DONE)}
    in_progress = {job.id for job in town.jobs(JobState.RUNNING)}
    assert before
    assert len(in_progress) == 8
    town.kill()
    made = len(first.made)
    town.gateway(town.failing(0.2, seed=9))
    assert town.until_done() < 3600
    assert town.percent() == {"100.00"}
    assert town.faults() == []
    assert len(first.made) == made
    called_again = {order.errand.job for order in town.pools[1].orders} & before
    assert called_again == set()
    assert {job.state.value for job in town.jobs()} == DONE


def test_calls_in_progress_of_a_killed_gateway_are_made_again_as_soon_as_the_next_one_runs() -> None:
    town = Town(2)
    town.gateway(modems=2)
    town.pass_seconds(22)
    in_progress = {job.id for job in town.jobs(JobState.RUNNING)}
    town.kill()
    town.store.connection.execute("UPDATE job SET lease_owner = 'boot:999999:1'")
    town.gateway(modems=2)
    town.pass_seconds(1)
    assert {order.errand.job for order in town.pools[1].orders} == in_progress
    assert len(in_progress) == 2
    town.until_done()
    assert town.percent() == {"100.00"}


def test_gateway_that_is_stopped_gives_its_jobs_back_without_an_attempt_lost() -> None:
    town = Town(3)
    duty = town.gateway(modems=1)
    town.pass_seconds(22)
    duty.stop()
    assert {job.state for job in town.jobs()} == {JobState.QUEUED}
    assert {job.attempts for job in town.jobs()} == {0}
    assert CallResult.INTERRUPTED in {job.result for job in town.jobs()}
    town.gateway()
    town.until_done()
    assert town.percent() == {"100.00"}


class Killed(DirectWriter):
    """A writer whose process is gone after so many steps: nothing it is given is done, nobody hears of it."""

    def __init__(self, store: SqlStore, steps: int) -> None:
        super().__init__(store)
        self.steps = steps

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        self._step(lambda: super(Killed, self).call(work, done))

    def save(self, *arguments: Any) -> None:
        self._step(lambda: super(Killed, self).save(*arguments))

    def close_session(self, *arguments: Any) -> None:
        self._step(lambda: super(Killed, self).close_session(*arguments))

    def _step(self, what: Callable[[], None]) -> None:
        if self.steps > 0:
            self.steps -= 1
            what()


def other_gateway(path: Path) -> SqlStore:
    return SqlStore(Connection(SQLiteDialect(str(path))), Vault(new_key()), "other")


def test_kill_between_any_two_steps_forgets_nothing_and_doubles_nothing() -> None:
    """T14: the steps are the transactions of one gateway; the other one goes on when the lease has run out."""
    steps = 0
    while True:
        town = Town(2)
        writer = Killed(town.store, steps)
        town.gateway(writer=writer, modems=1)
        town.until_done(240)
        if writer.steps > 0:
            break  # it came to its end
        town.kill()
        town.store = SqlStore(town.store.connection, Vault(new_key()), "other")
        town.gateway(modems=1)
        town.until_done()
        assert town.percent() == {"100.00"}, steps
        assert town.faults() == [], steps
        assert Counter(job.serial for job in town.jobs()) == {"40000000": 1, "40000001": 1}, steps
        town.store.close()
        steps += 1
    assert steps > 20
    town.store.close()


def test_two_gateways_on_one_store_share_the_night_and_never_call_the_same_meter(tmp_path: Path) -> None:
    town = Town(30, tmp_path / "gateway.db")
    town.gateway(town.failing(0.2, seed=1), modems=2)
    two = other_gateway(tmp_path / "gateway.db")
    town.gateway(town.failing(0.2, seed=2), modems=2, writer=DirectWriter(two))
    town.until_done()
    assert town.percent() == {"100.00"}
    assert town.faults() == []
    spans = sorted((call.number, call.started, call.ended) for pool in town.pools for call in pool.made)
    assert all(len(pool.made) > 8 for pool in town.pools)
    for one, other in pairwise(spans):
        assert one[0] != other[0] or one[2] <= other[1]
    good = Counter(call.number for pool in town.pools for call in pool.made if call.end.result is CallResult.OK)
    assert set(good.values()) == {1}
    two.close()


def test_jobs_keep_the_meters_night_once_however_often_the_planner_runs() -> None:
    town = Town(2)
    for _ in range(3):
        duty = town.gateway()
        town.pass_seconds(400)
        duty.stop()
    assert len(town.jobs()) == 2
    assert {job.night for job in town.jobs()} == {"2024-04-04T01:00"}
    assert min(job.due_ms for job in town.store.jobs(Filter())) == START_MS
