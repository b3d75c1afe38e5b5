"""Who waits for a modem, as the plan counts with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from gateway_server.model import ArchiveRange, CallResult, MeterState, ReadOrder
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.durations import Pace
from gateway_server.scheduler.night import ANY_TIME
from gateway_server.scheduler.obligations import Budget, Obligations
from gateway_server.scheduler.schedules import Acceptance, Window
from gateway_server.scheduler.waiting import (
    Rules,
    Seen,
    Waiting,
    candidate,
    operator_of,
    pace_of,
    route_of,
    rows_of,
    see,
)
from gateway_server.store.open import open_store
from gateway_server.store.plan_records import JobToMake, PlanStop
from gateway_server.store.records import CallRecord, JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.sql import SqlStore

NOW = 1_712_181_600_000  # one o'clock at night in Moscow
HOUR = 3_600_000
METER = MeterRecord("7", routes=("tcp:10.0.0.1:4001", "csd:+79161234567@m2"), group="north/boilers")
JOB = JobRecord(
    5, "7", ReadOrder(frozenset({"archive"})).to_json(), "", JobState.QUEUED, NOW, due_ms=NOW, next_ms=NOW,
    window_end_ms=NOW + 5 * HOUR, by_modem=True, origin=Origin.SCHEDULE, schedule="night", priority=3,
    tries=1, avoid="m1",
)  # fmt: skip
FIT = Obligations(Terms(first_days=2), Budget(1000, 1)).fit


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    store.put_meters([(METER, None), (replace(METER, serial="8", routes=("csd:+79160000008",)), None)])
    yield store
    store.close()


def test_job_and_meter_make_what_the_plan_counts_with() -> None:
    one = candidate(JOB, METER, 90, Rules(operators={"north": "MTS"}), {}, 12.0, NOW)
    assert (one.job, one.serial, one.expected_s, one.from_ms, one.until_ms) == (5, "7", 90, NOW, NOW + 5 * HOUR)
    assert (one.priority, one.tries, one.avoid, one.group, one.operator) == (3, 1, "m1", "north/boilers", "MTS")
    assert (one.modem, one.used_s, one.blocked, one.accepts) == ("m2", 12.0, "", ())


def test_person_is_bound_by_no_window_and_no_stop() -> None:
    rules = Rules([Acceptance((Window.parse("08:00-09:00"),), groups=("north",))])
    stops = {"7": PlanStop("7", CallResult.REFUSED, "it refused", "", NOW)}
    ordered = replace(JOB, origin=Origin.PERSON, window_end_ms=None)
    one = candidate(ordered, METER, 90, rules, stops, 0, NOW)
    assert (one.blocked, one.accepts, one.until_ms) == ("", (), ANY_TIME)
    assert candidate(JOB, METER, 90, rules, stops, 0, NOW).blocked == "it refused"


def test_meter_that_never_answers_within_the_window_is_not_called_at_any_time() -> None:
    rules = Rules([Acceptance((Window.parse("08:00-09:00"),), groups=("north",))])
    assert candidate(JOB, METER, 90, rules, {}, 0, NOW).opens_at(NOW) is None
    wide = replace(JOB, window_end_ms=NOW + 10 * HOUR)
    assert candidate(wide, METER, 90, rules, {}, 0, NOW).opens_at(NOW) == NOW + 7 * HOUR


@pytest.mark.parametrize(
    ("meter", "why"),
    [
        (None, "is not in the register"),
        (replace(METER, state=MeterState.DISABLED), "is disabled"),
        (replace(METER, routes=("tcp:10.0.0.1:4001",)), "has no route csd:NUMBER"),
    ],
)
def test_job_that_cannot_be_called_says_why(meter: MeterRecord | None, why: str) -> None:
    assert why in candidate(JOB, meter, 90, Rules(), {}, 0, NOW).blocked


def test_number_is_the_jobs_or_the_meters_first_one() -> None:
    assert route_of(JOB, METER) == "csd:+79161234567@m2"
    assert route_of(replace(JOB, route="csd:+7999"), METER) == "csd:+7999"


def test_operator_is_said_of_the_meter_or_the_nearest_group_above_it() -> None:
    assert operator_of(METER, {"north": "MTS", "north/boilers": "Beeline"}) == "Beeline"
    assert operator_of(METER, {"north": "MTS", "7": "Tele2"}) == "Tele2"
    assert operator_of(METER, {"south": "MTS"}) == ""


def test_rows_of_ranges_are_hours_and_days() -> None:
    start = datetime(2024, 4, 1, 10)
    order = ReadOrder(
        ranges=(
            ArchiveRange("interval", start, datetime(2024, 4, 2, 9)),
            ArchiveRange("daily", start, datetime(2024, 4, 3, 10)),
            ArchiveRange("monthly1", start, start),
        )
    )
    assert rows_of(order) == 24 + 3 + 1


def test_calls_are_estimated_by_what_is_missing_some_at_a_time(store: SqlStore) -> None:
    order = ReadOrder(frozenset({"archive"})).to_json()
    store.make_jobs([JobToMake(one, order, Origin.SCHEDULE, "n", "k", NOW, by_modem=True) for one in ("7", "8")], NOW)
    waiting = Waiting(Rules())
    seen = see(store, FIT, (), NOW, most=1)
    assert seen.seconds == {1: pytest.approx(Pace().seconds(48))}
    waiting.update(seen, NOW)
    unsure = [waiting.unsure]
    waiting.update(see(store, FIT, waiting.estimated, NOW, most=1), NOW)
    assert [*unsure, waiting.unsure] == [True, False]
    assert [one.serial for one in waiting.queue] == ["7", "8"]


def test_pace_is_learnt_from_the_meters_own_calls(store: SqlStore) -> None:
    for number in range(3):
        store.open_call(
            CallRecord(0, "7", "m1", "+7", NOW + number, NOW + number + 15_000, NOW, CallResult.OK, airtime_ms=8000)
        )
    assert pace_of(store, "7").setup_s == 15
    assert pace_of(store, "8") == Pace()


def test_air_time_spent_since_the_store_was_asked_counts(store: SqlStore) -> None:
    waiting = Waiting(Rules())
    waiting.update(see(store, FIT, (), NOW), NOW)
    waiting.spend("7", "m1", 30)
    waiting.spend("7", "m2", 12)
    assert waiting.used_by("m1") == 30
    assert waiting.as_candidate(JOB, NOW).used_s == 42


def test_job_that_waits_again_takes_its_place_once(store: SqlStore) -> None:
    waiting = Waiting(Rules())
    assert not waiting.add(replace(JOB, id=1, priority=0), NOW), "nothing is known of its meter yet"
    waiting.update(Seen(meters={JOB.serial: MeterRecord(JOB.serial, routes=("csd:+79160000007",))}), NOW)
    assert waiting.add(replace(JOB, id=1, priority=0), NOW)
    assert waiting.add(replace(JOB, id=2, priority=9), NOW)
    assert waiting.add(replace(JOB, id=2, priority=9), NOW)
    assert [one.job for one in waiting.queue] == [2, 1]
