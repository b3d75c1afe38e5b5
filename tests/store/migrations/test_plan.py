"""The schema step of the plan."""

from __future__ import annotations

from pathlib import Path

from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.migrations.plan import JOB_COLUMNS, STATEMENTS
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, JobState, Origin
from tests.store.samples import NOON, contents, hour, known_session


def test_store_of_an_earlier_release_keeps_its_orders_which_are_persons_and_due(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    store.save(known_session(store), "41203377", [hour(1)])
    before = contents(store)
    with store.connection.transaction("back to the release before"):
        for table in ("plan_stop", "lost_range", "settled"):
            store.connection.execute(f"DROP TABLE {table}")
        for index in ("job_night", "job_waiting", "job_running", "job_open"):
            store.connection.execute(f"DROP INDEX {index}")
        for column in JOB_COLUMNS:
            store.connection.execute(f"ALTER TABLE job DROP COLUMN {column.split()[0]}")
        store.connection.execute(
            "INSERT INTO job (serial, read_order, route, state, created_ms) VALUES ('1', '{}', '', 'queued', ?)",
            (NOON,),
        )
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name IN ('plan', 'rest')")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert pending(connection) == ["plan", "rest"]
    assert migrate(connection) == ["plan", "rest"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert contents(store) == before
    (job,) = store.jobs(Filter())
    assert (job.state, job.origin, job.by_modem, job.window_end_ms) == (JobState.QUEUED, Origin.PERSON, False, None)
    taken = store.take_job(NOON, 1000)
    assert taken is not None
    store.close()


def test_the_step_is_sql_that_both_databases_understand() -> None:
    for statement in STATEMENTS:
        words = statement.upper()
        assert "PRAGMA" not in words
        assert "STRICT" not in words
        assert "AUTOINCREMENT" not in words
