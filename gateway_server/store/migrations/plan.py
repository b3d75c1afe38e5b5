"""The plan: when a job is due, who is at it, what a night has ordered, and what will not come any more.

A night's job of a meter exists once, however often the planner runs. ``plan_stop`` keeps a meter from being called
until somebody acts; ``lost_range`` are rows that were asked for and that the device does not have; ``settled`` says up
to where an archive needs no second look every night.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.calls import migrations

__all__ = ["migrations"]

JOB_COLUMNS = (
    "due_ms BIGINT NOT NULL DEFAULT 0",
    "window_end_ms BIGINT",
    "next_ms BIGINT NOT NULL DEFAULT 0",
    "priority BIGINT NOT NULL DEFAULT 0",
    "attempts BIGINT NOT NULL DEFAULT 0",
    "tries BIGINT NOT NULL DEFAULT 0",
    "most_attempts BIGINT NOT NULL DEFAULT 1",
    "lease_owner TEXT NOT NULL DEFAULT ''",
    "waits BIGINT NOT NULL DEFAULT 0",
    "by_modem BIGINT NOT NULL DEFAULT 0",
    "avoid TEXT NOT NULL DEFAULT ''",
    "result TEXT",
    "origin TEXT NOT NULL DEFAULT 'person'",
    "schedule TEXT NOT NULL DEFAULT ''",
    "night TEXT NOT NULL DEFAULT ''",
)
STATEMENTS = (
    *(f"ALTER TABLE job ADD COLUMN {column}" for column in JOB_COLUMNS),
    "CREATE UNIQUE INDEX job_night ON job (schedule, night, serial) WHERE schedule <> ''",
    # few jobs wait or run at any time, and these are looked for again and again
    "CREATE INDEX job_waiting ON job (by_modem, priority, id) WHERE state = 'queued'",
    "CREATE INDEX job_running ON job (serial) WHERE state = 'running'",
    "CREATE INDEX job_open ON job (schedule, serial) WHERE state IN ('queued', 'running')",
    """CREATE TABLE plan_stop (
        meter_id BIGINT NOT NULL PRIMARY KEY REFERENCES meter (id),
        result TEXT NOT NULL,
        detail TEXT NOT NULL,
        evidence TEXT NOT NULL,
        since_ms BIGINT NOT NULL
    )""",
    """CREATE TABLE lost_range (
        meter_id BIGINT NOT NULL REFERENCES meter (id),
        archive TEXT NOT NULL,
        first_ms BIGINT NOT NULL,
        last_ms BIGINT NOT NULL,
        asked BIGINT NOT NULL,
        asked_ms BIGINT NOT NULL,
        PRIMARY KEY (meter_id, archive, first_ms, last_ms)
    )""",
    """CREATE TABLE settled (
        meter_id BIGINT NOT NULL REFERENCES meter (id),
        archive TEXT NOT NULL,
        period_ms BIGINT NOT NULL,
        first_ms BIGINT NOT NULL,
        until_ms BIGINT NOT NULL,
        expected BIGINT NOT NULL,
        stored BIGINT NOT NULL,
        checked_ms BIGINT NOT NULL,
        PRIMARY KEY (meter_id, archive)
    )""",
)


@migrations()
def plan(database: Database) -> None:
    """Jobs with a window and a lease of somebody's; stops, lost rows, settled archives."""
    for statement in STATEMENTS:
        database.execute(statement)
