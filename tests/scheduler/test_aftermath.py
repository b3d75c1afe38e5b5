"""What becomes of a job after a call."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway_server.model import CallResult, Outcome, ReadOrder
from gateway_server.scheduler.aftermath import Aftermath
from gateway_server.scheduler.obligations import Fitted
from gateway_server.scheduler.policy import Policy
from gateway_server.session.endings import Ending
from gateway_server.store.open import open_store
from gateway_server.store.records import JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.transports.calls import CallEnd

NOW = 1_712_181_600_000
JOB = JobRecord(
    1, "7", ReadOrder().to_json(), "", JobState.RUNNING, NOW, window_end_ms=NOW + 3_600_000, next_ms=NOW,
    most_attempts=4, by_modem=True, origin=Origin.SCHEDULE, schedule="night",
)  # fmt: skip


class Left:
    """So many rows are still missing behind each call."""

    def __init__(self, left: int) -> None:
        self.left = left

    def fit(self, store: Store, job: JobRecord, meter: MeterRecord, now_ms: int) -> Fitted:
        raise AssertionError("nobody asks")

    def settle(self, store: Store, job: JobRecord, asked: Fitted, outcome: Outcome, now_ms: int) -> int:
        return self.left


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    store.put_meter(MeterRecord("7", routes=("csd:+79160000001",)))
    yield store
    store.close()


def settled(store: SqlStore, end: CallEnd, left: int = 0, job: JobRecord = JOB) -> JobRecord:
    aftermath = Aftermath(Left(left), Policy(random.Random(1)))
    asked = Fitted(ReadOrder())
    return aftermath.settle(store, job, end, asked, "m1", aftermath.came(job.id, end), NOW)


def test_call_that_brought_everything_is_done_and_one_that_left_rows_is_made_again(store: SqlStore) -> None:
    good = CallEnd(CallResult.OK, "ok", "m1", ending=Ending(Outcome.READ, "", "7", stored=24))
    assert settled(store, good).state is JobState.DONE
    again = settled(store, good, left=3)
    assert (again.state, again.attempts, again.tries) == (JobState.QUEUED, 0, 1)
    assert NOW + 24_000 <= again.next_ms <= NOW + 36_000


def test_meter_whose_window_ends_before_the_next_call_has_failed(store: SqlStore) -> None:
    busy = CallEnd(CallResult.BUSY, "BUSY", "m1")
    job = settled(store, busy, job=replace(JOB, window_end_ms=NOW + 10_000))
    assert (job.state, job.result) == (JobState.FAILED, CallResult.BUSY)
    assert job.detail == "BUSY; its window ends before it could be called again"


def test_modems_fault_sends_the_job_to_another_modem(store: SqlStore) -> None:
    job = settled(store, CallEnd(CallResult.MODEM_FAULT, "it hangs", "m1", our_fault=True))
    assert (job.state, job.avoid, job.attempts) == (JobState.QUEUED, "m1", 0)


def test_meter_at_whose_number_another_answers_is_called_no_more_whatever_was_wanted(store: SqlStore) -> None:
    other = Ending(Outcome.UNKNOWN_METER, "meter 7 was expected, but 8 answered", "7")
    job = settled(store, CallEnd(CallResult.WRONG_NUMBER, other.detail, "m1", ending=other))
    assert (job.state, job.outcome) == (JobState.FAILED, Outcome.UNKNOWN_METER)
    assert job.detail.startswith("meter 7 was expected, but 8 answered; the number is not this meter's")
    assert store.plan_stops(NOW)["7"].detail == other.detail


def test_wrong_number_stops_the_meter_and_is_told_as_an_error(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        job = settled(store, CallEnd(CallResult.WRONG_NUMBER, "no such number", "m1"))
    assert job.state is JobState.FAILED
    assert store.plan_stops(NOW)["7"].result is CallResult.WRONG_NUMBER
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_calls_that_went_alike_are_counted_until_one_goes_otherwise_or_the_job_is_over() -> None:
    aftermath = Aftermath(Left(0), Policy(random.Random(1)))
    busy, silent = CallEnd(CallResult.BUSY, "", "m1"), CallEnd(CallResult.SILENT, "", "m1")
    assert [aftermath.came(1, end) for end in (busy, busy, silent, busy)] == [1, 2, 1, 1]
    aftermath.forget(1)
    assert aftermath.came(1, busy) == 1


def test_failed_job_says_what_was_wrong_once(store: SqlStore) -> None:
    busy = CallEnd(CallResult.BUSY, "the number is busy: another collector, or an earlier call of ours", "m1")
    job = settled(store, busy, job=replace(JOB, most_attempts=1))
    assert job.detail == f"{busy.detail}; 1 of 1 attempts made"
