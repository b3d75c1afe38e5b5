"""Jobs of ours, told in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.codec.dialogue import Progress
from gateway_server.scheduler.books import Books, HeldJob
from gateway_server.store.records import JobRecord, JobState
from tests.session.conversations import Scene


class Desk(Scene):
    """One job, taken."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled: list[str] = []
        self.books = Books(self.facilities, 60, lambda held, why: self.cancelled.append(why))
        self.store.add_job("41203377", "{}", "", self.facilities.now_ms())
        job = self.store.take_job(self.facilities.now_ms(), self.books.lease_ms)
        assert job is not None
        self.held = HeldJob(job)

    def job(self) -> JobRecord:
        job = self.store.job(1)
        assert job is not None
        return job


def test_progress_is_told_twice_a_second_at_most_unless_it_is_news() -> None:
    desk = Desk()
    desk.books.tell(desk.held, Progress("blocks", 1, 9))
    desk.books.tell(desk.held, Progress("blocks", 2, 9))
    assert desk.job().progress_done == 1
    desk.clock.advance(0.5)
    desk.books.tell(desk.held, Progress("blocks", 3, 9))
    desk.books.tell(desk.held, Progress("done"), at_once=True)
    assert desk.job().progress == "done"


def test_lease_is_kept_by_being_renewed() -> None:
    desk = Desk()
    desk.clock.advance(40)
    desk.books.renew(desk.held)
    assert desk.job().lease_until_ms == desk.facilities.now_ms() + 60_000


def test_cancelled_job_is_heard_of_with_the_next_renewal() -> None:
    desk = Desk()
    desk.store.cancel_job(1)
    desk.books.renew(desk.held)
    assert desk.cancelled == ["the order was cancelled"]


def test_end_is_written_as_whoever_looks_at_what_came_of_it_says() -> None:
    desk = Desk()
    told: list[JobRecord] = []
    over = replace(desk.held.job, state=JobState.DONE, lease_until_ms=None)
    desk.books.close(desk.held, over, lambda store, job: replace(job, detail="looked at"), told.append)
    assert (desk.job().state, desk.job().detail) == (JobState.DONE, "looked at")
    assert told == [desk.job()]


def test_store_that_cannot_keep_how_far_a_job_is_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.store.connection.execute("ALTER TABLE job RENAME TO job_away")
    for _ in range(5):
        desk.books.renew(desk.held)
    desk.store.connection.execute("ALTER TABLE job_away RENAME TO job")
    assert caplog.text.count("could not be stored") == 1
    desk.books.renew(desk.held)
    assert desk.job().lease_until_ms == desk.facilities.now_ms() + 60_000


def test_job_that_another_gateway_took_up_is_left_to_it(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.store.connection.execute("UPDATE job SET lease_owner = 'other'")
    told: list[JobRecord] = []
    desk.books.close(desk.held, replace(desk.held.job, state=JobState.FAILED), None, told.append)
    desk.books.renew(desk.held)
    assert desk.job().state is JobState.RUNNING
    assert told == []
    assert "taken up by another gateway" in caplog.text
