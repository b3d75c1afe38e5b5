"""The schema step of the inbox."""

from __future__ import annotations

from pathlib import Path

from gateway_server.model import Direction
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.migrations.inbox import STATEMENTS
from gateway_server.store.open import open_store
from gateway_server.store.records import LogEntry
from tests.store.samples import NOON, contents, hour, known_session

METER = "41203377"


def test_a_store_without_an_inbox_keeps_what_it_holds_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    key = known_session(store)
    store.save(key, METER, [hour(1)])
    store.fold()
    with store.connection.transaction("as it was"):
        for number, data in enumerate((b"one chunk", b"an entry"), 1):
            store.connection.execute(
                "INSERT INTO session_log (id, session_id, at_ms, direction, data) VALUES (?, ?, ?, '<', ?)",
                (number, key.id, NOON, data),
            )
        store.connection.execute("INSERT INTO session_log_part (session_id, part) VALUES (?, 0)", (key.id,))
        for view in ("every_row", "newest_row"):
            store.connection.execute(f"DROP VIEW {view}")
        store.connection.execute("DROP TABLE inbox_row")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'inbox'")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert pending(connection) == ["inbox"]
    assert migrate(connection) == ["inbox"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    store.save(key, METER, [hour(2)])
    store.log([(key, NOON, Direction.FROM_METER, b"many"), (key, NOON, Direction.TO_METER, b"together")])
    assert [row[1] for row in contents(store)] == [1, 2]
    assert list(store.session_log(key.id)) == [
        LogEntry(NOON, Direction.FROM_METER, b"one chunk"),
        LogEntry(NOON, Direction.FROM_METER, b"an entry"),
        LogEntry(NOON, Direction.FROM_METER, b"many"),
        LogEntry(NOON, Direction.TO_METER, b"together"),
    ]
    store.close()


def test_the_step_is_sql_that_both_databases_understand() -> None:
    for statement in STATEMENTS:
        assert "PRAGMA" not in statement.upper()
        assert "AUTOINCREMENT" not in statement.upper()
