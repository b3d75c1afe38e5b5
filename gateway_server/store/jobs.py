"""Orders: what a person or the plan wants read, who is at it, and how it went.

Taking a job is one statement, so no two processes get the same one; and none gets a job of a meter that another one is
at. Whoever took a job holds it by a lease under its own name: when that ran out and somebody else took it up, the
former owner can no longer change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway_server.errors import StoreError
from gateway_server.model import CallResult, Outcome
from gateway_server.store.owner import alive
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.queries import Queries, Where, limited
from gateway_server.store.records import Filter, JobRecord, JobState, Origin

PERSONS_PRIORITY = 1000
"""A person waits: behind this comes what any schedule wants."""
WINDOW_ENDED = "its window ended"

_COLUMNS = (
    "id, serial, read_order, route, state, created_ms, lease_until_ms, progress, progress_done, progress_total,"
    " session_id, outcome, detail, due_ms, window_end_ms, next_ms, priority, attempts, most_attempts, tries, waits,"
    " by_modem, avoid, result, origin, schedule, night"
)
_MAKE = (
    "INSERT INTO job (serial, read_order, route, state, created_ms, due_ms, window_end_ms, next_ms, priority,"
    " most_attempts, by_modem, origin, schedule, night) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
)
_FREE = "(j.state = 'queued' OR (j.state = 'running' AND j.lease_until_ms < ?))"
_OPEN_WINDOW = "(j.window_end_ms IS NULL OR j.window_end_ms > ?)"
_OTHERS = (
    "EXISTS (SELECT 1 FROM job r WHERE r.state = 'running' AND r.serial = j.serial AND r.id <> j.id AND r.waits = 0"
    " AND r.lease_until_ms >= ?"
)


class JobQueries(Queries):
    """Verbs of jobs."""

    def add_job(self, serial: str, order: str, route: str, at_ms: int) -> int:
        """Queues what a person wants now; gives its number."""
        with self.connection.transaction("add job"):
            return int(
                self.connection.one(
                    f"{_MAKE} RETURNING id",
                    (
                        serial, order, route, JobState.QUEUED.value, at_ms, at_ms, None, at_ms, PERSONS_PRIORITY, 1,
                        0, Origin.PERSON.value, "", "",
                    ),
                )[0]
            )  # fmt: skip

    def make_jobs(self, jobs: Iterable[JobToMake], at_ms: int) -> int:
        """Queues what the plan wants, each job of a night once; gives how many are new.

        None for a meter of which the same schedule still has a job open.
        """
        made = 0
        with self.connection.transaction("make jobs"):
            for job in jobs:
                made += self.connection.execute(
                    f"{_MAKE} WHERE NOT EXISTS (SELECT 1 FROM job WHERE schedule = ? AND serial = ?"
                    " AND state IN ('queued', 'running'))"
                    " ON CONFLICT (schedule, night, serial) WHERE schedule <> '' DO NOTHING",
                    (
                        job.serial, job.order, job.route, JobState.QUEUED.value, at_ms, job.due_ms, job.window_end_ms,
                        job.due_ms, job.priority, job.most_attempts, int(job.by_modem), job.origin.value, job.schedule,
                        job.night, job.schedule, job.serial,
                    ),
                ).rowcount  # fmt: skip
        return made

    def take_job(self, at_ms: int, lease_ms: int) -> JobRecord | None:
        """The next job that is due and needs no modem (or whose lease ran out), now ours until the lease ends.

        Not one of a meter that another process is at, or a modem. `update_job` with a later ``lease_until_ms`` keeps
        it.
        """
        return self._take(
            f"SELECT j.id FROM job j WHERE j.by_modem = 0 AND {_FREE} AND j.next_ms <= ? AND {_OPEN_WINDOW}"
            f" AND NOT {_OTHERS} AND (r.by_modem = 1 OR r.lease_owner <> ?)) ORDER BY j.priority DESC, j.id LIMIT 1",
            (at_ms, at_ms, at_ms, at_ms, self._owner),
            at_ms + lease_ms,
        )

    def take_call(self, job_id: int, at_ms: int, lease_ms: int) -> JobRecord | None:
        """This job that waits for a modem, if it is still to be had and nobody is at its meter, now ours."""
        return self._take(
            f"SELECT j.id FROM job j WHERE j.id = ? AND j.by_modem = 1 AND {_FREE} AND j.next_ms <= ?"
            f" AND {_OPEN_WINDOW} AND NOT {_OTHERS})",
            (job_id, at_ms, at_ms, at_ms, at_ms),
            at_ms + lease_ms,
        )

    def _take(self, which: str, parameters: tuple[Any, ...], until_ms: int) -> JobRecord | None:
        with self.connection.transaction("take job"):
            row = self.connection.one(
                f"UPDATE job SET state = 'running', lease_until_ms = ?, lease_owner = ?, waits = 0 WHERE id = ({which})"
                f" RETURNING {_COLUMNS}",
                (until_ms, self._owner, *parameters),
            )
        return None if row is None else _job(row)

    def calls_wanted(self, at_ms: int) -> list[JobRecord]:
        """Jobs that wait for a modem, due now or later, and nobody is at them."""
        rows = self.connection.all(
            f"SELECT {_COLUMNS} FROM job j WHERE j.by_modem = 1 AND {_FREE} AND {_OPEN_WINDOW}"
            " ORDER BY j.priority DESC, j.id",
            (at_ms, at_ms),
        )
        return list(map(_job, rows))

    def calls_to_line(self, serial: str, at_ms: int) -> int:
        """The meter is on a line: what the plan wants of it by modem, and is due, needs none. Gives how many."""
        with self.connection.transaction("calls to line"):
            given = self.connection.execute(
                "UPDATE job AS j SET by_modem = 0, next_ms = ? WHERE j.serial = ? AND j.by_modem = 1 AND j.origin = ?"
                f" AND j.state = 'queued' AND j.due_ms <= ? AND {_OPEN_WINDOW}",
                (at_ms, serial, Origin.SCHEDULE.value, at_ms, at_ms),
            )
            return int(given.rowcount)

    def end_windows(self, at_ms: int) -> list[JobRecord]:
        """Fails the jobs whose window ended before anybody came to them, or to the end with them; gives them."""
        with self.connection.transaction("end windows"):
            rows = self.connection.all(
                "UPDATE job SET state = 'failed', lease_until_ms = NULL, lease_owner = '',"
                " detail = CASE WHEN detail = '' THEN ? ELSE ? || '; ' || detail END"
                " WHERE window_end_ms <= ? AND (state = 'queued' OR (state = 'running' AND lease_until_ms < ?))"
                f" RETURNING {_COLUMNS}",
                (WINDOW_ENDED, WINDOW_ENDED, at_ms, at_ms),
            )
        return list(map(_job, rows))

    def update_job(self, job: JobRecord) -> None:
        """Writes how far a job is. One that was cancelled meanwhile stays so: look at `job` to notice.

        A job that is not running is nobody's. Raises `StoreError` if there is no such job, or it is another's by now.
        """
        with self.connection.transaction("update job"):
            changed = self.connection.execute(
                "UPDATE job SET state = CASE WHEN state = 'cancelled' THEN state ELSE ? END, lease_until_ms = ?,"
                " lease_owner = ?, progress = ?, progress_done = ?, progress_total = ?, session_id = ?, outcome = ?,"
                " detail = ?, next_ms = ?, attempts = ?, tries = ?, waits = ?, by_modem = ?, avoid = ?, result = ?"
                " WHERE id = ? AND lease_owner IN ('', ?)",
                (
                    job.state.value, job.lease_until_ms, self._owner if job.state is JobState.RUNNING else "",
                    job.progress, job.progress_done, job.progress_total, job.session,
                    None if job.outcome is None else job.outcome.value, job.detail, job.next_ms, job.attempts,
                    job.tries, int(job.waits), int(job.by_modem), job.avoid,
                    None if job.result is None else job.result.value, job.id, self._owner,
                ),
            ).rowcount  # fmt: skip
            if not changed:
                raise StoreError(
                    f"job {job.id} is not in the store"
                    if self.job(job.id) is None
                    else f"job {job.id} was taken up by another gateway when its lease had run out"
                )

    def free_jobs(self) -> int:
        """Gives the jobs of processes of this machine that live no more back to the queue; gives how many.

        For the one gateway that has just started: their leases need not be waited for.
        """
        with self.connection.transaction("free jobs"):
            owners = self.connection.all("SELECT DISTINCT lease_owner FROM job WHERE state = 'running'")
            dead = [owner for (owner,) in owners if owner != self._owner and not alive(owner)]
            return sum(
                self.connection.execute(
                    "UPDATE job SET state = 'queued', lease_until_ms = NULL, lease_owner = '', waits = 0"
                    " WHERE state = 'running' AND lease_owner = ?",
                    (owner,),
                ).rowcount
                for owner in dead
            )

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
        """Jobs in the order they were given. ``names`` are schedules."""
        where = Where()
        where.among("serial", wanted.serials)
        where.among("state", wanted.states)
        where.among("outcome", wanted.outcomes)
        where.among("schedule", wanted.names)
        where.between("created_ms", wanted.since_ms, wanted.until_ms)
        direction = "DESC" if wanted.newest_first else "ASC"
        for row in self.connection.stream(
            f"SELECT {_COLUMNS} FROM job{where} ORDER BY id {direction}{limited(wanted.limit)}", where.parameters
        ):
            yield _job(row)


def _job(row: Sequence[Any]) -> JobRecord:
    (
        job_id, serial, order, route, state, created, lease, progress, done, total, session, outcome, detail, due,
        window_end, next_ms, priority, attempts, most, tries, waits,
        by_modem, avoid, result, origin, schedule, night,
    ) = row  # fmt: skip
    return JobRecord(
        job_id, serial, order, route, JobState(state), created, lease, progress, done, total, session,
        None if outcome is None else Outcome(outcome), detail, due, window_end, next_ms, priority, attempts, most,
        tries, bool(waits), bool(by_modem), avoid, None if result is None else CallResult(result),
        Origin(origin), schedule, night,
    )  # fmt: skip
