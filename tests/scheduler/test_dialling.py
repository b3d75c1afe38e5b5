"""Nights of calls in simulated time: real sessions with simulated meters, over modems that fail in every way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway_server.model import CallResult, Outcome
from gateway_server.scheduler.jobs import NOTHING_MISSING
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.schedules import Acceptance, Window
from gateway_server.scheduler.waiting import Rules
from gateway_server.store.records import JobState, MeterRecord
from gateway_server.testing.fake_modems import FakeCall
from gateway_server.transports.calls import CallOrder
from tests.scheduler.town import NIGHT, Town, always, at_first, only_job

pytestmark = pytest.mark.usefixtures("failed_calls_are_no_news")

DONE = {"done"}


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
