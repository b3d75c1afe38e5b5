"""Rows that have just come, before they are folded into the archive (`gateway_server.store.inbox`).

No index and no references: whatever is written per row is written while somebody waits. References are checked when
the rows come into the archive. `every_row` and `newest_row` are what readers ask: the archive and the inbox as one.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.files import migrations

__all__ = ["migrations"]

_COLUMNS = (
    "meter_id, archive, measured_at_ms, order_number, variant, received_at_ms, layout_id, vals, status, event, quality,"
    " marks, session_id, span_start, span_end, codec_version_id"
)

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
    f"CREATE VIEW every_row AS SELECT {_COLUMNS} FROM archive_row UNION ALL SELECT {_COLUMNS} FROM inbox_row",
    # of those that were the newest of their archive when they came, the last one
    f"""CREATE VIEW newest_row AS SELECT {_COLUMNS} FROM last_row
        WHERE (meter_id, archive) NOT IN (SELECT meter_id, archive FROM inbox_row WHERE newest = 1)
        UNION ALL SELECT {_COLUMNS} FROM inbox_row
        WHERE place IN (SELECT MAX(place) FROM inbox_row WHERE newest = 1 GROUP BY meter_id, archive)""",
)


@migrations()
def inbox(database: Database) -> None:
    """Where rows are as they come."""
    for statement in STATEMENTS:
        database.execute(statement)
