"""Nights of calls in simulated time: real sessions with simulated meters, over modems that fail in every way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CallResult, Outcome, ReadOrder
from gateway_server.scheduler.jobs import NOTHING_MISSING
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.planning import jobs_of
from gateway_server.scheduler.schedules import Acceptance, Window
from gateway_server.scheduler.waiting import Rules
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.records import Filter, JobRecord, JobState, MeterRecord
from gateway_server.store.secrets import Vault, new_key
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_modems import FakeCall
from gateway_server.transports.calls import CallOrder
from tests.scheduler.town import NIGHT, START_MS, Town

T = TypeVar("T")

DONE = {"done"}


@pytest.fixture(autouse=True)
def failed_calls_are_no_news(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.ERROR):
        yield


def always(how: FakeCall) -> Callable[[CallOrder, int], FakeCall]:
    return lambda order, times: how


def at_first(town: Town, how: FakeCall, times_failing: int = 1) -> Callable[[CallOrder, int], FakeCall]:
    return lambda order, times: how if times <= times_failing else town.answers(order, times)


def only_job(town: Town) -> JobRecord:
    (job,) = town.jobs()
    return job


def gaps(town: Town) -> list[float]:
    """Seconds between the end of a call and the beginning of the next one, to the one meter of the town."""
    made = town.pools[0].made
    return [after.started - before.ended for before, after in pairwise(made)]


def test_two_hundred_meters_are_whole_within_the_night_though_every_fifth_call_fails() -> None:
    town = Town(200)
    town.gateway(town.failing(0.2, seed=3))
    seconds = town.until_done()
    pool = town.pools[0]
    results = Counter(call.end.result for call in pool.made)
    assert seconds < 3600
    assert {job.state.value for job in town.jobs()} == DONE
    assert town.percent() == {"100.00"}
    assert town.faults() == []
    assert len(results) == 10
    assert 0.15 < 1 - results[CallResult.OK] / len(pool.made) < 0.3
    assert Counter(call.number for call in pool.made if call.end.result is CallResult.OK).most_common(1)[0][1] == 1


def test_a_call_asks_only_for_rows_that_are_missing_and_a_whole_meter_is_not_called() -> None:
    town = Town(1)
    duty = town.gateway()
    town.until_done()
    duty.stop()
    (session,) = town.store.sessions()
    assert session.readings > 47 * 8
    again = Town.gateway(town, schedules=(replace(NIGHT, name="again"),))
    town.pass_seconds(1)
    job = town.jobs()[1]
    assert (job.state, job.detail, job.session) == (JobState.DONE, NOTHING_MISSING, 0)
    assert town.pools[1].made == []
    again.stop()


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


def test_busy_meter_is_called_again_after_a_minute_three_and_ten() -> None:
    town = Town(1)
    town.gateway(always(FakeCall(CallResult.BUSY, setup_s=8)), schedules=(replace(NIGHT, attempts=4),))
    town.until_done()
    for wanted, had in zip((60, 180, 600), gaps(town), strict=True):
        assert 0.8 * wanted <= had <= 1.2 * wanted + 1
    job = only_job(town)
    assert (job.state, job.result, job.attempts) == (JobState.FAILED, CallResult.BUSY, 4)
    assert "4 of 4 attempts made" in job.detail


@pytest.mark.parametrize("online_s", [95, 105, 115])
def test_meter_whose_call_lasted_while_the_plan_was_looked_at_is_called_again_when_its_gap_is_over(
    online_s: float,
) -> None:
    town = Town(1)
    silent = FakeCall(CallResult.SILENT, online_s=online_s)
    town.gateway(at_first(town, silent), gaps=0.05)
    town.pass_seconds(240)
    (gap,) = gaps(town)
    assert 2 <= gap <= 5


def test_modem_fault_is_no_attempt_of_the_meters_and_another_modem_calls() -> None:
    town = Town(1)
    town.gateway(at_first(town, FakeCall(CallResult.MODEM_FAULT, setup_s=1)), modems=2)
    town.until_done()
    job = only_job(town)
    assert (job.state, job.attempts, job.tries) == (JobState.DONE, 0, 2)
    assert len({call.modem for call in town.pools[0].made}) == 2


def test_wrong_password_stops_the_plan_until_the_access_code_is_changed(caplog: pytest.LogCaptureFixture) -> None:
    town = Town(1)
    (serial,) = town.meters
    town.gateway(always(FakeCall(CallResult.REFUSED, outcome=Outcome.REFUSED)))
    town.pass_seconds(7200)
    assert len(town.pools[0].made) == 1
    assert only_job(town).state is JobState.FAILED
    assert set(town.store.plan_stops(town.now_ms)) == {serial}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    record = town.store.meter(serial)
    assert record is not None
    town.store.put_meter(record, "3:4711")
    assert town.store.plan_stops(town.now_ms) == {}


def test_wrong_number_stops_the_plan_until_the_number_is_edited() -> None:
    town = Town(1)
    (serial,) = town.meters
    town.gateway(always(FakeCall(CallResult.WRONG_NUMBER, setup_s=3, cause="1")))
    town.pass_seconds(3600)
    assert len(town.pools[0].made) == 1
    assert town.store.plan_stops(town.now_ms)[serial].result is CallResult.WRONG_NUMBER
    town.store.put_meter(MeterRecord(serial, codec="lis200", routes=("csd:+79990000001",)))
    assert town.store.plan_stops(town.now_ms) == {}


def test_barred_number_is_left_alone_though_its_schedule_is_due_every_ten_minutes() -> None:
    town = Town(1)
    (serial,) = town.meters
    often = replace(NIGHT, cron="*/10 * * * *")
    town.gateway(always(FakeCall(CallResult.BARRED, setup_s=2)), schedules=(often,), barred_for_s=7200)
    town.pass_seconds(7000)
    assert len(town.pools[0].made) == 2
    assert town.store.plan_stops(town.now_ms)[serial].result is CallResult.BARRED
    town.pass_seconds(1200)
    assert len(town.pools[0].made) == 4
    record = town.store.meter(serial)
    assert record is not None
    town.store.put_meter(replace(record, routes=("csd:+79990000001",)))
    town.pass_seconds(900)
    assert len(town.pools[0].made) > 4


def test_meter_that_refused_is_not_called_though_its_schedule_is_due_every_ten_minutes() -> None:
    town = Town(1)
    often = replace(NIGHT, cron="*/10 * * * *")
    town.gateway(always(FakeCall(CallResult.REFUSED, outcome=Outcome.REFUSED)), schedules=(often,))
    town.pass_seconds(14_000)
    assert len(town.pools[0].made) == 1


def test_what_stands_in_the_register_but_is_no_number_never_reaches_a_modem() -> None:
    town = Town(1)
    (serial,) = town.meters
    town.store.put_meter(MeterRecord(serial, codec="lis200", routes=("csd:+7916;+CFUN=0",)))
    town.gateway()
    town.pass_seconds(60)
    assert town.pools[0].orders == []
    assert "is no phone number" in only_job(town).detail


def test_carrier_lost_in_the_middle_is_gone_on_with_behind_what_came() -> None:
    town = Town(1)
    good = town.answers(CallOrder(next(iter(town.by_number)), None), 1)  # type: ignore[arg-type]  # not looked at
    town.gateway(at_first(town, replace(good, lost_after_s=6.5)))
    town.until_done()
    first, second = town.store.sessions()
    assert first.outcome is Outcome.PARTIAL
    assert 0 < first.readings < second.readings + first.readings
    assert town.percent() == {"100.00"}
    assert town.faults() == []
    assert second.readings < first.readings + 47 * 8


def test_person_who_orders_a_call_goes_first() -> None:
    town = Town(20)
    town.gateway(modems=1)
    town.pass_seconds(5)
    serial = list(town.meters)[13]
    number = town.store.add_job(
        serial, ReadOrder(frozenset({"current"})).to_json(), f"csd:+7916{serial[1:]}", town.now_ms
    )
    town.pass_seconds(120)
    assert [order.errand.job for order in town.pools[0].orders][1] == number
    job = town.store.job(number)
    assert job is not None
    assert (job.state, job.outcome) == (JobState.DONE, Outcome.READ)


def test_order_of_a_person_over_a_modem_is_seen_going_on() -> None:
    town = Town(1)
    (serial,) = town.meters
    duty = town.gateway(schedules=())
    number = town.store.add_job(serial, ReadOrder().to_json(), f"csd:+7916{serial[1:]}", town.now_ms)
    duty.look()
    seen = set()
    for _ in range(120):
        town.pass_seconds(0.5)
        job = town.store.job(number)
        assert job is not None
        seen.add(job.progress)
    assert {"called by modem m1", "session begun", "identifying"} <= seen
    assert only_job(town).state is JobState.DONE


def test_person_hears_why_nobody_calls_and_the_order_is_given_up_in_time() -> None:
    town = Town(1)
    (serial,) = town.meters
    duty = town.gateway(schedules=(), modems=2, patience_s=60)
    town.pools[0].take_out("m2", "/dev/ttyUSB1 is not there")
    town.store.add_job(serial, ReadOrder().to_json(), f"csd:+7916{serial[1:]}@m2", town.now_ms)
    duty.look()
    town.pass_seconds(10)
    assert "/dev/ttyUSB1 is not there" in only_job(town).progress
    town.pass_seconds(60)
    assert only_job(town).state is JobState.FAILED
    assert "modem m2" in only_job(town).detail
    assert town.pools[0].orders == []


def test_persons_order_behind_a_long_call_is_not_given_up() -> None:
    town = Town(2)
    first, second = town.meters
    duty = town.gateway(always(FakeCall(online_s=600)), schedules=(), modems=1, patience_s=60)
    for serial in (first, second):
        town.store.add_job(serial, ReadOrder().to_json(), f"csd:+7916{serial[1:]}", town.now_ms)
    duty.look()
    town.pass_seconds(500)
    assert [job.state for job in town.jobs()] == [JobState.RUNNING, JobState.QUEUED]
    assert town.jobs()[1].progress.startswith("waits for a modem: modem m1: online")
    town.pass_seconds(1000)
    assert {job.state for job in town.jobs()} == {JobState.DONE}


def test_cancelled_call_is_hung_up() -> None:
    town = Town(1)
    town.gateway()
    town.pass_seconds(24)
    town.store.cancel_job(only_job(town).id)
    town.pass_seconds(30)
    assert only_job(town).state is JobState.CANCELLED
    (call,) = town.pools[0].made
    assert call.ended < 40


def test_nobody_is_called_outside_the_window_or_when_the_meter_answers_no_calls() -> None:
    town = Town(2)
    first, second = town.meters
    rules = Rules(
        (Acceptance((Window.parse("02:00-02:30"),), (first,)), Acceptance((Window.parse("08:00-09:00"),), (second,)))
    )
    town.gateway(rules=rules)
    town.pass_seconds(17_000)
    (call,) = town.pools[0].made
    assert town.by_number[call.number] == first
    assert 3600 <= call.started < 3660
    states = {job.serial: job.state for job in town.jobs()}
    assert states == {first: JobState.DONE, second: JobState.FAILED}


def test_call_is_over_when_the_meter_answers_no_calls_any_more() -> None:
    town = Town(1)
    (serial,) = town.meters
    rules = Rules((Acceptance((Window.parse("01:10-01:11"), Window.parse("01:30-01:45"))),))
    town.gateway(always(FakeCall(meter=town.on_line(serial), setup_s=56)), rules=rules)
    town.until_done()
    first, second = town.pools[0].made[:2]
    assert first.end.result is CallResult.OVER_BUDGET
    assert 600 <= first.started < 601
    assert 660 <= first.ended < 661
    assert second.started >= 1800
    assert town.percent() == {"100.00"}


def test_limits_hold_calls_back() -> None:
    town = Town(12)
    town.gateway(modems=4, limits=Limits(group_at_once=1, spread_s=7))
    town.until_done()
    starts = sorted(call.started for call in town.pools[0].made)
    assert town.percent() == {"100.00"}
    by_group: dict[str, list[tuple[float, float]]] = {}
    for call in town.pools[0].made:
        by_group.setdefault(call.number[-1], []).append((call.started, call.ended))
    for spans in by_group.values():
        spans.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert len(starts) == 12


def test_meter_whose_air_time_of_the_day_is_used_up_is_not_called_any_more() -> None:
    town = Town(1)
    town.gateway(always(FakeCall(CallResult.SILENT, online_s=60)), limits=Limits(meter_day_s=100))
    town.pass_seconds(16_230)
    assert len(town.pools[0].made) == 2
    assert only_job(town).state is JobState.FAILED


def test_call_lasts_no_longer_than_a_call_may() -> None:
    town = Town(1)
    town.gateway(limits=Limits(call_s=27))
    town.pass_seconds(40)
    (call,) = town.pools[0].made
    assert call.end.result is CallResult.OVER_BUDGET
    assert call.ended - call.started <= 28
    town.until_done()
    assert town.percent() == {"100.00"}


def test_modem_out_of_service_leaves_the_night_to_the_others() -> None:
    town = Town(6)
    town.gateway(modems=2)
    town.pools[0].take_out("m2", "3 resets in an hour")
    town.until_done()
    assert town.percent() == {"100.00"}
    assert {call.modem for call in town.pools[0].made[2:]} == {"m1"}


def test_long_call_is_kept_by_a_short_lease() -> None:
    town = Town(1)
    duty = town.gateway(always(FakeCall(online_s=300)), modems=2, lease_seconds=5)
    for _ in range(30):
        town.pass_seconds(10)
        duty.look()
    assert len(town.pools[0].orders) == 1


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


def test_jobs_keep_the_meters_night_once_however_often_the_planner_runs() -> None:
    town = Town(2)
    for _ in range(3):
        duty = town.gateway()
        town.pass_seconds(400)
        duty.stop()
    assert len(town.jobs()) == 2
    assert {job.night for job in town.jobs()} == {"2024-04-04T01:00"}
    assert min(job.due_ms for job in town.store.jobs(Filter())) == START_MS
