from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.migrations.first import STATEMENTS


def test_an_empty_file_becomes_a_store_and_stays_one(tmp_path: Path) -> None:
    dialect = SQLiteDialect(str(tmp_path / "gateway.db"))
    connection = Connection(dialect)
    steps = ["the_spine", "files", "inbox", "calls", "plan", "rest", "modems"]
    assert pending(connection) == steps
    assert migrate(connection) == steps
    assert migrate(connection) == []
    tables = {name for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"meter", "route", "session", "session_log", "archive_row", "last_row", "event", "job"} <= tables
    connection.close()


def test_a_step_that_fails_leaves_the_store_as_it_was() -> None:
    connection = Connection(SQLiteDialect(":memory:"))
    connection.execute("CREATE TABLE job (id INTEGER)")
    with pytest.raises(Exception, match="table job already exists"):
        migrate(connection)
    assert not connection.in_transaction
    assert connection.one("SELECT COUNT(*) FROM sqlite_master WHERE name = 'meter'") == (0,)
    connection.execute("DROP TABLE job")
    assert migrate(connection) == ["the_spine", "files", "inbox", "calls", "plan", "rest", "modems"]


def test_the_archive_is_clustered_so_that_a_year_of_one_meter_lies_together() -> None:
    connection = Connection(SQLiteDialect(":memory:"))
    migrate(connection)
    for table in ("archive_row", "last_row", "event"):
        with pytest.raises(StoreError, match="no such column: rowid"):
            connection.one(f"SELECT rowid FROM {table}")


def test_the_statements_are_ones_that_postgresql_understands_but_for_two_words() -> None:
    """What a PostgreSQL twin has to replace: the identity column, the blob type and the clustering."""
    for statement in STATEMENTS:
        left = re.sub(r"AUTOINCREMENT|WITHOUT ROWID|\bBLOB\b", "", statement)
        assert not re.search(r"\b(REAL|FLOAT|DOUBLE|NUMERIC|DATETIME|STRICT|GLOB|COLLATE)\b", left)
        assert "rowid" not in left.lower()
