"""The schema step of received files."""

from __future__ import annotations

from pathlib import Path

from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.migrations.files import STATEMENTS
from gateway_server.store.migrations.first import STATEMENTS as FIRST
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter
from tests.store.samples import contents, hour, known_session


def test_a_store_of_the_first_release_keeps_what_it_holds_and_learns_files(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    store.save(known_session(store), "41203377", [hour(1)])
    before = contents(store)
    with store.connection.transaction("back to the first release"):
        for table in ("file_part", "upload_account", "file"):
            store.connection.execute(f"DROP TABLE {table}")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'files'")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert pending(connection) == ["files"]
    assert migrate(connection) == ["files"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert contents(store) == before
    assert list(store.files(Filter())) == []
    store.close()


def test_the_step_is_sql_that_both_databases_understand() -> None:
    for statement in STATEMENTS:
        words = statement.upper()
        assert "PRAGMA" not in words
        assert "STRICT" not in words
        assert "INTEGER PRIMARY KEY" not in words or "AUTOINCREMENT" in words
    assert not set(STATEMENTS) & set(FIRST)
