"""The schema of the first release.

Every value is exact text, every time UTC milliseconds. An archive row is one SQL row with its values packed, because
rows of 14 to 20 values arrive together and are read together; the archive is clustered by meter and time, because a
year of one meter is what people ask for. `last_row` repeats the newest row of each archive: "what does every meter say
now" must not search the archive.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("gateway_server")

ROW_COLUMNS = """
    meter_id BIGINT NOT NULL REFERENCES meter (id),
    archive TEXT NOT NULL,
    measured_at_ms BIGINT NOT NULL,
    order_number BIGINT NOT NULL,
    variant BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    layout_id BIGINT NOT NULL REFERENCES layout (id),
    vals TEXT NOT NULL,
    status TEXT NOT NULL,
    event TEXT NOT NULL,
    quality TEXT NOT NULL,
    marks TEXT NOT NULL,
    session_id BIGINT NOT NULL REFERENCES session (id),
    span_start BIGINT NOT NULL,
    span_end BIGINT NOT NULL,
    codec_version_id BIGINT NOT NULL
"""

STATEMENTS = (
    # the register: what operators maintain, and apart from it what changes with every call
    """CREATE TABLE meter (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        serial TEXT NOT NULL UNIQUE,
        serial_core TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        codec TEXT NOT NULL DEFAULT '',
        profile TEXT NOT NULL DEFAULT '',
        meter_group TEXT NOT NULL DEFAULT '',
        time_zone TEXT NOT NULL,
        gas_day_start TEXT NOT NULL,
        state TEXT NOT NULL,
        manufacturer TEXT NOT NULL DEFAULT '',
        model TEXT NOT NULL DEFAULT '',
        software_version TEXT NOT NULL DEFAULT '',
        address TEXT NOT NULL DEFAULT '',
        access_code BLOB
    )""",
    "CREATE INDEX meter_serial_core ON meter (serial_core)",
    """CREATE TABLE contact (
        meter_id BIGINT NOT NULL PRIMARY KEY REFERENCES meter (id),
        first_ms BIGINT NOT NULL,
        last_ms BIGINT NOT NULL
    )""",
    """CREATE TABLE route (
        route TEXT NOT NULL PRIMARY KEY,
        meter_id BIGINT NOT NULL REFERENCES meter (id),
        place BIGINT NOT NULL
    )""",
    "CREATE INDEX route_meter ON route (meter_id, place)",
    """CREATE TABLE memory (
        meter_id BIGINT NOT NULL REFERENCES meter (id),
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (meter_id, name)
    )""",
    # sessions and what the wire did
    """CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        meter_id BIGINT REFERENCES meter (id),
        serial TEXT NOT NULL DEFAULT '',
        transport TEXT NOT NULL,
        remote TEXT NOT NULL,
        listener TEXT NOT NULL DEFAULT '',
        caller TEXT NOT NULL DEFAULT '',
        job_id BIGINT NOT NULL DEFAULT 0,
        codec TEXT NOT NULL DEFAULT '',
        codec_version TEXT NOT NULL DEFAULT '',
        started_ms BIGINT NOT NULL,
        ended_ms BIGINT,
        outcome TEXT,
        detail TEXT NOT NULL DEFAULT '',
        bytes_received BIGINT NOT NULL DEFAULT 0,
        bytes_sent BIGINT NOT NULL DEFAULT 0,
        readings BIGINT NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX session_meter ON session (meter_id, started_ms)",
    "CREATE INDEX session_started ON session (started_ms)",
    "CREATE INDEX session_open ON session (owner) WHERE ended_ms IS NULL",
    """CREATE TABLE session_log (
        id INTEGER PRIMARY KEY,
        session_id BIGINT NOT NULL REFERENCES session (id),
        at_ms BIGINT NOT NULL,
        direction TEXT NOT NULL,
        data BLOB NOT NULL
    )""",
    # which parts of the log (`sessions.LOG_PART` entries each) hold something of a session: an index over single
    # entries would touch one more page for every frame of every session
    """CREATE TABLE session_log_part (
        session_id BIGINT NOT NULL REFERENCES session (id),
        part BIGINT NOT NULL,
        PRIMARY KEY (session_id, part)
    ) WITHOUT ROWID""",
    # what was read. codec_version_id 0 means: by the codec of the session itself. variant is 0 for what is valid,
    # 1 and up for the same row with other values, below 0 for what a newer codec version replaced.
    "CREATE TABLE layout (id INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE)",
    """CREATE TABLE codec_version (
        id INTEGER PRIMARY KEY,
        codec TEXT NOT NULL,
        version TEXT NOT NULL,
        UNIQUE (codec, version)
    )""",
    f"""CREATE TABLE archive_row ({ROW_COLUMNS},
        PRIMARY KEY (meter_id, archive, measured_at_ms, order_number, variant)
    ) WITHOUT ROWID""",
    f"CREATE TABLE last_row ({ROW_COLUMNS}, PRIMARY KEY (meter_id, archive)) WITHOUT ROWID",
    "CREATE TABLE event_kind (id INTEGER PRIMARY KEY, code TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (code, text))",
    """CREATE TABLE event (
        meter_id BIGINT NOT NULL REFERENCES meter (id),
        measured_at_ms BIGINT NOT NULL,
        order_number BIGINT NOT NULL,
        code TEXT NOT NULL,
        variant BIGINT NOT NULL,
        kind_id BIGINT NOT NULL REFERENCES event_kind (id),
        received_at_ms BIGINT NOT NULL,
        quality TEXT NOT NULL,
        session_id BIGINT NOT NULL REFERENCES session (id),
        span_start BIGINT NOT NULL,
        span_end BIGINT NOT NULL,
        codec_version_id BIGINT NOT NULL,
        PRIMARY KEY (meter_id, measured_at_ms, order_number, code, variant)
    ) WITHOUT ROWID""",
    # orders
    """CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        serial TEXT NOT NULL,
        read_order TEXT NOT NULL,
        route TEXT NOT NULL,
        state TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        lease_until_ms BIGINT,
        progress TEXT NOT NULL DEFAULT '',
        progress_done BIGINT NOT NULL DEFAULT 0,
        progress_total BIGINT NOT NULL DEFAULT 0,
        session_id BIGINT NOT NULL DEFAULT 0,
        outcome TEXT,
        detail TEXT NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX job_state ON job (state, id)",
    "CREATE TABLE fact (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL)",
)


@migrations()
def the_spine(database: Database) -> None:
    """Register, sessions and their log, archives, events, jobs."""
    for statement in STATEMENTS:
        database.execute(statement)
    database.table("meter").enable_fts(
        ["serial", "name", "meter_group", "manufacturer", "model"], create_triggers=True, tokenize="unicode61"
    )
    database.table("event_kind").enable_fts(["code", "text"], create_triggers=True, tokenize="unicode61")
