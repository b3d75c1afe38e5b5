"""Orders: what a person or the plan wants read, who is at it, and how it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway_server.errors import StoreError
from gateway_server.model import Outcome
from gateway_server.store.queries import Queries, Where, limited
from gateway_server.store.records import Filter, JobRecord, JobState

_COLUMNS = (
    "id, serial, read_order, route, state, created_ms, lease_until_ms, progress, progress_done, progress_total,"
    " session_id, outcome, detail"
)


class JobQueries(Queries):
    """Verbs of jobs."""

    def add_job(self, serial: str, order: str, route: str, at_ms: int) -> int:
        """Queues an order; gives its number."""
        with self.connection.transaction("add job"):
            return int(
                self.connection.one(
                    "INSERT INTO job (serial, read_order, route, state, created_ms) VALUES (?, ?, ?, ?, ?)"
                    " RETURNING id",
                    (serial, order, route, JobState.QUEUED.value, at_ms),
                )[0]
            )

    def take_job(self, at_ms: int, lease_ms: int) -> JobRecord | None:
        """The next queued job (or one whose lease ran out), now ours until the lease ends.

        `update_job` with a later ``lease_until_ms`` keeps it; one statement, so no two processes get the same job.
        """
        with self.connection.transaction("take job"):
            row = self.connection.one(
                "UPDATE job SET state = ?, lease_until_ms = ? WHERE id = (SELECT id FROM job WHERE state = ?"
                f" OR (state = ? AND lease_until_ms < ?) ORDER BY id LIMIT 1) RETURNING {_COLUMNS}",
                (JobState.RUNNING.value, at_ms + lease_ms, JobState.QUEUED.value, JobState.RUNNING.value, at_ms),
            )
        return None if row is None else _job(row)

    def update_job(self, job: JobRecord) -> None:
        """Writes how far a job is. One that was cancelled meanwhile stays so: look at `job` to notice.

        Raises `StoreError` if there is no such job.
        """
        with self.connection.transaction("update job"):
            changed = self.connection.execute(
                "UPDATE job SET state = CASE WHEN state = ? THEN state ELSE ? END, lease_until_ms = ?, progress = ?,"
                " progress_done = ?, progress_total = ?, session_id = ?, outcome = ?, detail = ? WHERE id = ?",
                (
                    JobState.CANCELLED.value,
                    job.state.value,
                    job.lease_until_ms,
                    job.progress,
                    job.progress_done,
                    job.progress_total,
                    job.session,
                    None if job.outcome is None else job.outcome.value,
                    job.detail,
                    job.id,
                ),
            ).rowcount
            if not changed:
                raise StoreError(f"job {job.id} is not in the store")

    def cancel_job(self, job_id: int) -> bool:
        """Cancels a job that is queued or running; False if it was over already (or never was)."""
        with self.connection.transaction("cancel job"):
            cursor = self.connection.execute(
                "UPDATE job SET state = ? WHERE id = ? AND state IN (?, ?)",
                (JobState.CANCELLED.value, job_id, JobState.QUEUED.value, JobState.RUNNING.value),
            )
            return bool(cursor.rowcount)

    def job(self, job_id: int) -> JobRecord | None:
        """One job."""
        row = self.connection.one(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job_id,))
        return None if row is None else _job(row)

    def jobs(self, wanted: Filter = Filter()) -> Iterator[JobRecord]:  # noqa: B008  # cannot be changed
        """Jobs in the order they were given."""
        where = Where()
        where.among("serial", wanted.serials)
        where.among("state", wanted.states)
        where.among("outcome", wanted.outcomes)
        where.between("created_ms", wanted.since_ms, wanted.until_ms)
        direction = "DESC" if wanted.newest_first else "ASC"
        for row in self.connection.stream(
            f"SELECT {_COLUMNS} FROM job{where} ORDER BY id {direction}{limited(wanted.limit)}", where.parameters
        ):
            yield _job(row)


def _job(row: Sequence[Any]) -> JobRecord:
    job_id, serial, order, route, state, created, lease, progress, done, total, session, outcome, detail = row
    return JobRecord(
        job_id, serial, order, route, JobState(state), created, lease, progress, done, total, session,
        None if outcome is None else Outcome(outcome), detail,
    )  # fmt: skip
