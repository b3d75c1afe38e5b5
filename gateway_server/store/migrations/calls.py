"""Calls by modem, and which PIN was tried with which modem.

What a modem was tried with is told by the state of the file that holds the PIN, never by the PIN.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.inbox import migrations

__all__ = ["migrations"]

STATEMENTS = (
    """CREATE TABLE call (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        serial TEXT NOT NULL DEFAULT '',
        modem TEXT NOT NULL,
        number TEXT NOT NULL,
        started_ms BIGINT NOT NULL,
        connected_ms BIGINT,
        ended_ms BIGINT,
        result TEXT,
        detail TEXT NOT NULL DEFAULT '',
        cause TEXT NOT NULL DEFAULT '',
        bytes BIGINT NOT NULL DEFAULT 0,
        airtime_ms BIGINT NOT NULL DEFAULT 0,
        attempt BIGINT NOT NULL DEFAULT 1,
        session_id BIGINT NOT NULL DEFAULT 0,
        job_id BIGINT NOT NULL DEFAULT 0,
        bearer TEXT NOT NULL DEFAULT '',
        operator TEXT NOT NULL DEFAULT '',
        signal BIGINT,
        inbound BIGINT NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX call_started ON call (started_ms)",
    "CREATE INDEX call_meter ON call (serial, started_ms)",
    "CREATE INDEX call_session ON call (session_id)",
    # few at any time, and looked for at each start
    "CREATE INDEX call_open ON call (owner) WHERE ended_ms IS NULL",
    "CREATE TABLE modem_pin (modem TEXT NOT NULL PRIMARY KEY, tried TEXT NOT NULL)",
)


@migrations()
def calls(database: Database) -> None:
    """The book of calls, and what keeps a wrong PIN from being tried twice."""
    for statement in STATEMENTS:
        database.execute(statement)
