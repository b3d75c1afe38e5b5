"""The night before it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gateway_server.model import CallResult, ReadOrder
from gateway_server.scheduler.night import Modem
from gateway_server.scheduler.preview import minutes_begun, preview, summary
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.store.records import CallRecord, JobState, MeterRecord
from gateway_server.testing.fake_modems import FakeCall
from tests.scheduler.town import NIGHT, START_MS, Town

MODEMS = [Modem("m1"), Modem("m2")]
EVENING = START_MS - 4 * 3_600_000


def test_coming_night_is_told_in_its_order_with_modem_times_and_rows() -> None:
    town = Town(5)
    seen = preview(town.store, town.terms, MODEMS, EVENING)
    assert [call.modem for call in seen.plan.calls] == ["m1", "m2", "m1", "m2", "m1"]
    assert seen.plan.calls[0].start_ms == START_MS
    assert {seen.rows[call.candidate.job] for call in seen.plan.calls} == {48}
    assert summary(seen, 2) == "5 calls, 4 minutes in all on 2 modems, fits"
    assert minutes_begun(seen.plan) == 5
    assert town.jobs() == []  # nothing was written


def test_plan_beforehand_is_what_the_gateway_then_does() -> None:
    town = Town(9)
    wanted = [call.candidate.serial for call in preview(town.store, town.terms, MODEMS, START_MS).plan.calls]
    town.gateway(modems=2)
    town.until_done()
    assert [town.by_number[order.number] for order in town.pools[0].orders] == wanted


def test_whole_meters_are_counted_and_not_called() -> None:
    town = Town(3)
    town.gateway().look()
    town.until_done()
    again = replace(town.terms, schedules=(replace(NIGHT, name="again"),))
    seen = preview(town.store, again, MODEMS, START_MS)
    assert (seen.whole, seen.plan.calls) == (3, ())
    assert summary(seen, 2) == "nobody is to be called"


def test_jobs_of_the_night_that_is_on_are_not_counted_twice_and_done_ones_not_at_all() -> None:
    town = Town(6)
    town.gateway(modems=2)
    town.pass_seconds(45)
    seen = preview(town.store, town.terms, MODEMS, town.now_ms)
    assert 0 < len(seen.plan.calls) < 6
    assert all(number > 0 for number in seen.jobs if seen.jobs[number].due_ms == START_MS)
    said = dict(seen.so_far)
    assert (said["done"], said["in progress"]) == (2, 2)
    assert sum(said.values()) == 6


def test_night_that_is_on_says_what_keeps_the_rest_from_being_done() -> None:
    town = Town(3)
    town.gateway(lambda order, times: FakeCall(CallResult.BUSY, setup_s=5))
    town.pass_seconds(10)
    assert preview(town.store, town.terms, MODEMS, town.now_ms).so_far == (("waiting, last busy", 3),)
    assert preview(town.store, town.terms, MODEMS, town.now_ms + 6 * 3_600_000).so_far == ()


def test_night_of_a_day_can_be_asked_for() -> None:
    town = Town(1)
    seen = preview(town.store, town.terms, MODEMS, EVENING, date(2024, 4, 7))
    (call,) = seen.plan.calls
    assert call.start_ms == START_MS + 3 * 24 * 3_600_000
    assert preview(town.store, town.terms, MODEMS, EVENING, date(2024, 3, 1)).plan.calls == ()


def test_who_cannot_be_called_is_told_with_the_reason() -> None:
    town = Town(2)
    first, second = town.meters
    town.store.stop_plan(first, CallResult.REFUSED, "the meter refused", EVENING)
    town.store.put_meter(MeterRecord("1", routes=("ftp:one",)))
    short = replace(town.terms, schedules=(replace(NIGHT, window=Window.parse("01:00-01:01")),))
    seen = preview(town.store, short, MODEMS[:1], EVENING)
    assert [(one.candidate.serial, one.why) for one in seen.plan.left] == [(first, "the meter refused")]
    assert [call.candidate.serial for call in seen.plan.calls] == [second]
    assert seen.unreachable == (("1", "night"),)
    assert summary(seen, 1) == "1 calls, 1 minutes in all on 1 modems, fits, 1 must not be called"


def test_meters_with_a_line_are_listed_without_a_modem_and_a_persons_order_first() -> None:
    town = Town(2)
    serial = next(iter(town.meters))
    town.store.put_meter(MeterRecord("9", routes=("tcp:10.0.0.9:4001",)))
    number = town.store.add_job(serial, ReadOrder().to_json(), "", EVENING)
    job = town.store.job(number)
    assert job is not None
    town.store.update_job(replace(job, by_modem=True))
    seen = preview(town.store, replace(town.terms, schedules=(NIGHT, Schedule("x", "0 0 1 1 *"))), MODEMS, EVENING)
    assert [one.job.serial for one in seen.lines] == ["9"]
    assert seen.plan.calls[0].candidate.job == number
    assert seen.plan.calls[0].start_ms == EVENING


def test_schedule_that_is_due_every_minute_names_each_meter_once() -> None:
    town = Town(3)
    often = replace(town.terms, schedules=(replace(NIGHT, cron="* * * * *"),))
    seen = preview(town.store, often, MODEMS, START_MS)
    assert sorted(call.candidate.serial for call in seen.plan.calls) == sorted(town.meters)
    assert seen.plan.left == ()


def test_calls_in_progress_stand_apart_and_keep_their_modems() -> None:
    town = Town(6)
    town.gateway(modems=2)
    town.pass_seconds(22)
    first, second = town.jobs(JobState.RUNNING)
    for job, modem in ((first, "m1"), (second, "m2")):
        town.store.open_call(CallRecord(0, job.serial, modem, "", town.now_ms - 20_000, job=job.id))
    seen = preview(town.store, town.terms, MODEMS, town.now_ms)
    assert [(one.job.id, one.modem) for one in seen.in_progress] == [(first.id, "m1"), (second.id, "m2")]
    assert len(seen.plan.calls) == 4
    assert not {call.candidate.serial for call in seen.plan.calls} & {first.serial, second.serial}
    ends = {one.modem: one.end_ms for one in seen.in_progress}
    assert all(call.start_ms >= ends[call.modem] > town.now_ms for call in seen.plan.calls)
    assert minutes_begun(seen.plan) == 4
    assert summary(seen, 2).startswith("2 in progress, 4 calls")


def test_call_that_comes_in_keeps_its_modem_for_a_while() -> None:
    town = Town(3)
    town.store.open_call(CallRecord(0, "", "m1", "", START_MS, inbound=True))
    seen = preview(town.store, town.terms, MODEMS, START_MS)
    assert [(call.modem, call.start_ms - START_MS) for call in seen.plan.calls] == [
        ("m2", 0),
        ("m2", 49_860),
        ("m1", 60_000),
    ]


def test_job_whose_gateway_is_gone_is_to_be_called_and_not_in_progress() -> None:
    town = Town(1)
    town.gateway()
    town.pass_seconds(22)
    town.kill()
    seen = preview(town.store, town.terms, MODEMS, town.now_ms + 120_000)
    assert (len(seen.in_progress), len(seen.plan.calls)) == (0, 1)


def test_schedule_that_no_meter_is_of_is_told() -> None:
    town = Town(1)
    typo = replace(NIGHT, name="typo", groups=("nroth",))
    seen = preview(town.store, replace(town.terms, schedules=(NIGHT, typo)), MODEMS, EVENING)
    assert seen.slips == ('schedule typo: no meter is in group "nroth"', "schedule typo: no meter in care is of it")
