from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import Outcome, ReadOrder
from gateway_server.store.records import Filter, JobRecord, JobState
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, opened

LEASE = 60_000


def test_orders_are_taken_one_after_the_other_and_each_once(store: SqlStore) -> None:
    order = ReadOrder(frozenset({"archive"})).to_json()
    first = store.add_job("1", order, "tcp:10.0.0.5:8000", NOON)
    second = store.add_job("2", order, "", NOON + 1)
    assert store.take_job(NOON + 2, LEASE) == JobRecord(
        first, "1", order, "tcp:10.0.0.5:8000", JobState.RUNNING, NOON, NOON + 2 + LEASE
    )
    taken = store.take_job(NOON + 2, LEASE)
    assert taken is not None
    assert taken.id == second
    assert store.take_job(NOON + 2, LEASE) is None


def test_an_order_whose_gateway_died_is_taken_again_when_its_lease_ends(store: SqlStore) -> None:
    number = store.add_job("1", "{}", "", NOON)
    store.take_job(NOON, LEASE)
    assert store.take_job(NOON + LEASE, LEASE) is None
    again = store.take_job(NOON + LEASE + 1, LEASE)
    assert again is not None
    assert (again.id, again.lease_until_ms) == (number, NOON + 2 * LEASE + 1)


def test_the_progress_of_an_order_is_seen_by_whoever_waits(store: SqlStore) -> None:
    store.add_job("1", "{}", "", NOON)
    job = store.take_job(NOON, LEASE)
    assert job is not None
    job = replace(
        job, progress="hourly rows", progress_done=10, progress_total=720, session=5, lease_until_ms=NOON + 9 * LEASE
    )
    store.update_job(job)
    assert store.job(job.id) == job
    assert store.take_job(NOON + 8 * LEASE, LEASE) is None
    done = replace(job, state=JobState.DONE, outcome=Outcome.READ, detail="720 rows")
    store.update_job(done)
    assert store.job(job.id) == done
    assert store.take_job(NOON + 99 * LEASE, LEASE) is None


def test_a_cancelled_order_stays_cancelled_whatever_its_session_still_says(store: SqlStore) -> None:
    store.add_job("1", "{}", "", NOON)
    job = store.take_job(NOON, LEASE)
    assert job is not None
    assert store.cancel_job(job.id)
    store.update_job(replace(job, state=JobState.DONE, detail="720 rows"))
    stored = store.job(job.id)
    assert stored is not None
    assert (stored.state, stored.detail) == (JobState.CANCELLED, "720 rows")
    assert not store.cancel_job(job.id)


def test_an_order_that_waits_can_be_cancelled_and_is_not_taken(store: SqlStore) -> None:
    assert store.cancel_job(store.add_job("1", "{}", "", NOON))
    assert store.take_job(NOON, LEASE) is None
    assert not store.cancel_job(99)


def test_an_order_nobody_gave_cannot_be_updated(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="job 99 is not in the store"):
        store.update_job(JobRecord(99, "1", "{}", "", JobState.DONE, NOON))


def test_orders_are_listed_by_meter_state_and_time(store: SqlStore) -> None:
    for number in range(3):
        store.add_job(str(number), "{}", "", NOON + number)
    store.cancel_job(2)
    listed = {
        name: [job.id for job in store.jobs(wanted)]
        for name, wanted in {
            "all": Filter(),
            "newest": Filter(newest_first=True, limit=1),
            "meter": Filter(serials=("0", "2")),
            "state": Filter(states=("queued",)),
            "time": Filter(since_ms=NOON + 1, until_ms=NOON + 1),
        }.items()
    }
    assert listed == {"all": [1, 2, 3], "newest": [3], "meter": [1, 3], "state": [1, 3], "time": [2]}


def test_two_processes_never_take_the_same_order(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as one, opened(tmp_path / "gateway.db") as two:
        for number in range(20):
            one.add_job(str(number), "{}", "", NOON)
        taken = [store.take_job(NOON, LEASE) for _ in range(10) for store in (one, two)]
    assert sorted(job.id for job in taken if job) == list(range(1, 21))
