"""Following an order that the gateway carries out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.cli.errors import Failed
from gateway_server.cli.following import follow_job
from gateway_server.model import Outcome, ReadOrder
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import CallRecord, JobRecord, JobState, Origin
from gateway_server.store.sql import SqlStore
from tests.cli.desk import Desk

AT = 1_399_010_400_000


class FakeGateway:
    """Does one step of a job whenever the one who follows it pauses."""

    def __init__(self, store: SqlStore, steps: list[dict[str, object]]) -> None:
        self._store = store
        self._steps = steps
        self._job: JobRecord | None = None

    def step(self) -> None:
        self._job = self._job or self._store.take_job(AT, 60_000)
        assert self._job is not None
        self._job = replace(self._job, **self._steps.pop(0))  # type: ignore[arg-type]  # fields of the record
        self._store.update_job(self._job)


def test_progress_is_shown_until_the_order_is_done(desk: Desk) -> None:
    shown: list[tuple[str, int, int]] = []
    with desk.store() as store:
        number = store.add_job("41203377", ReadOrder().to_json(), "", AT)
        steps: list[dict[str, object]] = [
            {"progress": "hourly rows", "progress_done": 240, "progress_total": 744},
            {"state": JobState.DONE, "outcome": Outcome.READ, "session": 7},
        ]
        job = follow_job(store, number, lambda *one: shown.append(one), lambda: True, FakeGateway(store, steps).step)
    assert shown == [("waiting for the gateway", 0, 0), ("hourly rows", 240, 744)]
    assert (job.outcome, job.session) == (Outcome.READ, 7)


def test_order_that_a_nights_call_holds_up_says_so(desk: Desk) -> None:
    shown: list[str] = []
    with desk.store() as store:
        plan = JobToMake("41203377", ReadOrder().to_json(), Origin.SCHEDULE, "night", "1", AT, by_modem=True)
        store.make_jobs([plan], AT)
        call = store.take_call(1, AT, 60_000)
        assert call is not None
        store.open_call(CallRecord(0, "41203377", "m1", "+79160000001", AT, job=call.id))
        number = store.add_job("41203377", ReadOrder().to_json(), "", AT)

        def hang_up() -> None:
            store.update_job(replace(call, state=JobState.DONE))
            job = store.take_job(AT, 60_000)
            assert job is not None
            store.update_job(replace(job, state=JobState.DONE))

        follow_job(store, number, lambda text, *_: shown.append(text), lambda: True, hang_up)
    assert shown == ["another call with this meter is running (modem m1)"]


def test_cancelled_order_is_a_failure(desk: Desk) -> None:
    with desk.store() as store:
        number = store.add_job("41203377", ReadOrder().to_json(), "", AT)

        def cancel() -> None:
            store.cancel_job(number)

        with pytest.raises(Failed, match="cancelled"):
            follow_job(store, number, lambda *_: None, lambda: True, cancel)
        with pytest.raises(Failed, match="no longer"):
            follow_job(store, number + 1, lambda *_: None, lambda: True, lambda: None)


def test_who_waits_is_told_when_the_gateway_stays_away_and_not_when_it_is_started_again(desk: Desk) -> None:
    with desk.store() as store:
        number = store.add_job("41203377", ReadOrder().to_json(), "", AT)
        answers = iter([True, False, False, True, False, False, False])
        with pytest.raises(Failed, match=f"the gateway has ended; order {number} is kept"):
            follow_job(store, number, lambda *_: None, lambda: next(answers), lambda: None)
        assert list(answers) == []
