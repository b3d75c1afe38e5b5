"""The schema step of calls by modem."""

from __future__ import annotations

from pathlib import Path

from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.migrations.calls import STATEMENTS
from gateway_server.store.open import open_store
from tests.store.samples import contents, hour, known_session


def test_a_store_without_calls_keeps_what_it_holds_and_learns_them(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    store.save(known_session(store), "41203377", [hour(1)])
    before = contents(store)
    with store.connection.transaction("back to before calls"):
        for table in ("call", "modem_pin"):
            store.connection.execute(f"DROP TABLE {table}")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'calls'")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert pending(connection) == ["calls"]
    assert migrate(connection) == ["calls"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert contents(store) == before
    assert list(store.calls()) == []
    store.close()


def test_the_step_is_sql_that_both_databases_understand() -> None:
    for statement in STATEMENTS:
        words = statement.upper()
        assert "PRAGMA" not in words
        assert "STRICT" not in words
        assert "INTEGER PRIMARY KEY" not in words or "AUTOINCREMENT" in words
