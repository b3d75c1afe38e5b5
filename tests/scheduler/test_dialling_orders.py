"""What a person orders: a call that goes first, is seen going on, is given up in time, and is hung up at a word."""

from __future__ import annotations

import pytest

from gateway_server.model import Outcome, ReadOrder
from gateway_server.store.records import JobState
from gateway_server.testing.fake_modems import FakeCall
from tests.scheduler.town import Town, always, only_job

pytestmark = pytest.mark.usefixtures("failed_calls_are_no_news")


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
