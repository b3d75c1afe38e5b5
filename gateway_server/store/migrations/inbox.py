"""Rows that have just come, before they are folded into the archive (`gateway_server.store.inbox`).

No index and no references: whatever is written per row is written while somebody waits. References are checked when
the rows come into the archive.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.files import migrations

__all__ = ["migrations"]

STATEMENTS = (
    """CREATE TABLE inbox_row (
        place INTEGER PRIMARY KEY,
        meter_id BIGINT NOT NULL,
        archive TEXT NOT NULL,
        measured_at_ms BIGINT NOT NULL,
        order_number BIGINT NOT NULL,
        variant BIGINT NOT NULL,
        received_at_ms BIGINT NOT NULL,
        layout_id BIGINT NOT NULL,
        vals TEXT NOT NULL,
        status TEXT NOT NULL,
        event TEXT NOT NULL,
        quality TEXT NOT NULL,
        marks TEXT NOT NULL,
        session_id BIGINT NOT NULL,
        span_start BIGINT NOT NULL,
        span_end BIGINT NOT NULL,
        codec_version_id BIGINT NOT NULL,
        newest BIGINT NOT NULL
    )""",
)


@migrations()
def inbox(database: Database) -> None:
    """Where rows are as they come."""
    for statement in STATEMENTS:
        database.execute(statement)
