"""Received files and upload accounts.

A file's bytes are those of the sessions it came in: a part is a span of a session's received stream. The place of
that session's entries in the log stands beside it, so that reading a small file back does not search the log.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.first import migrations

__all__ = ["migrations"]

STATEMENTS = (
    """CREATE TABLE file (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        meter_id BIGINT REFERENCES meter (id),
        login TEXT NOT NULL,
        name TEXT NOT NULL,
        raw_name TEXT NOT NULL DEFAULT '',
        size BIGINT NOT NULL DEFAULT 0,
        sha256 TEXT NOT NULL DEFAULT '',
        received_at_ms BIGINT NOT NULL,
        state TEXT NOT NULL,
        codec TEXT NOT NULL DEFAULT '',
        codec_version TEXT NOT NULL DEFAULT '',
        readings BIGINT NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        session_id BIGINT NOT NULL REFERENCES session (id),
        same_as BIGINT REFERENCES file (id),
        continues BIGINT NOT NULL DEFAULT 0,
        kept BIGINT NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX file_name ON file (login, name, received_at_ms)",
    "CREATE INDEX file_content ON file (sha256)",
    "CREATE INDEX file_received ON file (received_at_ms)",
    "CREATE INDEX file_meter ON file (meter_id, received_at_ms)",
    "CREATE INDEX file_session ON file (session_id)",
    "CREATE INDEX file_first ON file (same_as) WHERE same_as IS NOT NULL",
    # few at any time, and looked for again and again; the index of all states would change with each of them
    "CREATE INDEX file_waiting ON file (received_at_ms) WHERE state = 'stored'",
    """CREATE TABLE file_part (
        file_id BIGINT NOT NULL REFERENCES file (id),
        place BIGINT NOT NULL,
        session_id BIGINT NOT NULL REFERENCES session (id),
        span_start BIGINT NOT NULL,
        span_end BIGINT NOT NULL,
        log_first BIGINT NOT NULL,
        log_last BIGINT NOT NULL,
        PRIMARY KEY (file_id, place)
    ) WITHOUT ROWID""",
    "CREATE TABLE upload_account (login TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL)",
)


@migrations()
def files(database: Database) -> None:
    """Files, where their bytes lie, and who may upload."""
    for statement in STATEMENTS:
        database.execute(statement)
