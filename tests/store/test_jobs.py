from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CallResult, Outcome, ReadOrder
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.jobs import PERSONS_PRIORITY, WINDOW_ENDED
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import Filter, JobRecord, JobState, Origin
from gateway_server.store.secrets import Vault, new_key
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, opened

LEASE = 60_000


def test_orders_are_taken_one_after_the_other_and_each_once(store: SqlStore) -> None:
    order = ReadOrder(frozenset({"archive"})).to_json()
    first = store.add_job("1", order, "tcp:10.0.0.5:8000", NOON)
    second = store.add_job("2", order, "", NOON + 1)
    assert store.take_job(NOON + 2, LEASE) == JobRecord(
        first, "1", order, "tcp:10.0.0.5:8000", JobState.RUNNING, NOON, NOON + 2 + LEASE, due_ms=NOON, next_ms=NOON,
        priority=PERSONS_PRIORITY,
    )  # fmt: skip
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


def planned(serial: str, night: str = "2026-11-27T01:00", **said: object) -> JobToMake:
    job = JobToMake(serial, "{}", Origin.SCHEDULE, "night", night, NOON, NOON + 3600_000, by_modem=True)
    return replace(job, **said)  # type: ignore[arg-type]  # whatever the test names


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two gateways on one store."""
    path = tmp_path / "gateway.db"
    with opened(path) as one:
        other = SqlStore(Connection(SQLiteDialect(str(path))), Vault(new_key()), "the other gateway")
        yield one, other
        other.close()


def taken(store: SqlStore, number: int, at_ms: int = NOON) -> JobRecord:
    job = store.take_call(number, at_ms, LEASE)
    assert job is not None
    return job


def test_job_of_a_night_is_made_once_however_often_the_planner_runs(two: tuple[SqlStore, SqlStore]) -> None:
    jobs = [planned("1"), planned("2")]
    assert [store.make_jobs(jobs, NOON) for store in (*two, *two)] == [2, 0, 0, 0]
    store = two[0]
    store.update_job(replace(taken(store, 1), state=JobState.DONE))
    assert store.make_jobs(jobs, NOON) == 0
    assert store.make_jobs([planned("1", "2026-11-28T01:00")], NOON) == 1
    (made,) = store.jobs(Filter(names=("night",), serials=("2",)))
    assert (made.due_ms, made.window_end_ms, made.origin, made.by_modem) == (
        NOON,
        NOON + 3600_000,
        Origin.SCHEDULE,
        True,
    )


def test_meter_whose_last_job_is_still_open_gets_no_second_one_of_the_same_schedule(store: SqlStore) -> None:
    assert store.make_jobs([planned("1")], NOON) == 1
    assert store.make_jobs([planned("1", "2026-11-28T01:00")], NOON) == 0
    assert store.make_jobs([planned("1", schedule="other")], NOON) == 1


def test_two_gateways_never_call_the_same_meter(two: tuple[SqlStore, SqlStore]) -> None:
    one, other = two
    one.make_jobs([planned("1"), planned("1", schedule="other")], NOON)
    job = taken(one, 1)
    assert other.take_call(1, NOON, LEASE) is None
    assert other.take_call(2, NOON, LEASE) is None  # another job, but the meter is in a call
    assert one.take_call(2, NOON, LEASE) is None
    one.update_job(replace(job, state=JobState.DONE))
    assert other.take_call(2, NOON, LEASE) is not None


def test_meter_that_another_gateway_speaks_with_is_not_called_nor_the_other_way_round(
    two: tuple[SqlStore, SqlStore],
) -> None:
    one, other = two
    one.add_job("1", "{}", "tcp:10.0.0.5:8000", NOON)
    one.make_jobs([planned("1"), planned("2")], NOON)
    assert one.take_job(NOON, LEASE) is not None
    assert other.take_call(2, NOON, LEASE) is None
    call = taken(other, 3)
    one.add_job(call.serial, "{}", "tcp:10.0.0.6:8000", NOON)
    assert one.take_job(NOON, LEASE) is None
    assert other.take_job(NOON, LEASE) is None
    other.update_job(replace(call, state=JobState.DONE))
    assert one.take_job(NOON, LEASE) is not None


def test_job_that_waits_until_a_meter_calls_in_keeps_nobody_from_it(two: tuple[SqlStore, SqlStore]) -> None:
    one, other = two
    one.add_job("1", "{}", "", NOON)
    one.make_jobs([planned("1")], NOON)
    waiting = one.take_job(NOON, LEASE)
    assert waiting is not None
    one.update_job(replace(waiting, waits=True))
    assert other.take_call(2, NOON, LEASE) is not None


def test_lease_that_ran_out_is_taken_up_and_the_former_owner_changes_nothing_any_more(
    two: tuple[SqlStore, SqlStore],
) -> None:
    one, other = two
    one.make_jobs([planned("1")], NOON)
    lost = taken(one, 1)
    assert [job.id for job in other.calls_wanted(NOON + LEASE)] == []
    assert [job.id for job in other.calls_wanted(NOON + LEASE + 1)] == [1]
    taken(other, 1, NOON + LEASE + 1)
    with pytest.raises(StoreError, match="job 1 was taken up by another gateway"):
        one.update_job(replace(lost, state=JobState.FAILED))
    stored = one.job(1)
    assert stored is not None
    assert stored.state is JobState.RUNNING


def test_jobs_of_a_killed_gateway_are_free_at_once_and_those_of_a_living_one_are_not(
    two: tuple[SqlStore, SqlStore],
) -> None:
    one, other = two
    one.make_jobs([planned("1"), planned("2")], NOON)
    taken(one, 1)
    taken(other, 2)
    assert one.free_jobs() == 1
    assert [job.id for job in one.calls_wanted(NOON)] == [2]
    living = one.job(1)
    freed = one.job(2)
    assert living is not None
    assert freed is not None
    assert (living.state, freed.state, freed.lease_until_ms, freed.attempts) == (
        JobState.RUNNING, JobState.QUEUED, None, 0,
    )  # fmt: skip
    assert one.free_jobs() == 0


def test_job_is_taken_when_it_is_due_again_and_not_behind_its_window(store: SqlStore) -> None:
    store.make_jobs([planned("1")], NOON)
    job = taken(store, 1)
    busy = replace(
        job, state=JobState.QUEUED, lease_until_ms=None, next_ms=NOON + 90_000, attempts=1, tries=2, avoid="m1",
        result=CallResult.BUSY,
    )  # fmt: skip
    store.update_job(busy)
    assert store.job(1) == busy
    assert store.take_call(1, NOON + 89_999, LEASE) is None
    assert store.calls_wanted(NOON + 1) == [busy]
    again = taken(store, 1, NOON + 90_000)
    store.update_job(replace(busy, next_ms=NOON))
    assert store.take_call(1, again.window_end_ms or 0, LEASE) is None


def test_job_whose_window_ended_has_failed_with_what_was_known_of_it(store: SqlStore) -> None:
    store.make_jobs([planned("1"), planned("2"), planned("3")], NOON)
    store.update_job(replace(taken(store, 1), state=JobState.QUEUED, detail="busy"))
    taken(store, 3, NOON + 3600_000 - 1)
    assert store.end_windows(NOON + 3600_000 - 1) == []
    ended = store.end_windows(NOON + 3600_000)
    assert [(job.id, job.state, job.detail) for job in ended] == [
        (1, JobState.FAILED, f"{WINDOW_ENDED}; busy"),
        (2, JobState.FAILED, WINDOW_ENDED),
    ]


def test_what_a_person_ordered_goes_before_what_any_schedule_wants(store: SqlStore) -> None:
    store.make_jobs([planned("1", by_modem=False), planned("2", by_modem=False, priority=100)], NOON)
    store.add_job("3", "{}", "", NOON)
    order = [job.serial for _ in range(3) if (job := store.take_job(NOON, LEASE)) is not None]
    assert order == ["3", "2", "1"]


def test_jobs_for_a_modem_are_not_taken_by_who_has_only_lines(store: SqlStore) -> None:
    store.make_jobs([planned("1")], NOON)
    assert store.take_job(NOON, LEASE) is None
