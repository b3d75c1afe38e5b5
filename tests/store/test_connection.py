from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.errors import StoreBroken, StoreBusy, StoreError, StoreFull
from gateway_server.store.connection import BUSY_ATTEMPTS, Connection
from gateway_server.store.dialect import SQLiteDialect


def fresh(path: Path | None = None) -> Connection:
    connection = Connection(SQLiteDialect(str(path or ":memory:"), busy_timeout_ms=1))
    connection.execute("CREATE TABLE IF NOT EXISTS t (x INTEGER PRIMARY KEY)")
    return connection


def values(connection: Connection) -> list[int]:
    return [x for (x,) in connection.all("SELECT x FROM t ORDER BY x")]


def insert_and_fail(connection: Connection, name: str) -> None:
    with connection.transaction(name):
        connection.execute("INSERT INTO t VALUES (3)")
        raise KeyError


def test_a_transaction_is_all_or_nowhere() -> None:
    connection = fresh()
    with connection.transaction("good"):
        connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    with pytest.raises(KeyError):
        insert_and_fail(connection, "bad")
    assert values(connection) == [1, 2]
    assert not connection.in_transaction


def test_a_transaction_inside_another_is_part_of_it() -> None:
    connection = fresh()

    def outer() -> None:
        with connection.transaction("outer"):
            with connection.transaction("inner"):
                connection.execute("INSERT INTO t VALUES (1)")
            assert connection.in_transaction
            raise KeyError

    with pytest.raises(KeyError):
        outer()
    assert values(connection) == []


def test_an_attempt_fails_alone() -> None:
    connection = fresh()
    with connection.transaction("outer"):
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(StoreError, match="UNIQUE"), connection.attempt("part"):
            connection.executemany("INSERT INTO t VALUES (?)", [(2,), (2,)])
        with connection.attempt("part"):
            connection.execute("INSERT INTO t VALUES (3)")
    assert values(connection) == [1, 3]


def test_what_is_remembered_is_forgotten_when_it_may_not_be_so(tmp_path: Path) -> None:
    connection, other = fresh(tmp_path / "t.db"), fresh(tmp_path / "t.db")
    forgotten: list[str] = []
    connection.on_doubt(lambda: forgotten.append("!"))
    with connection.transaction("first look"):
        pass
    forgotten.clear()
    with connection.transaction("ours"):
        connection.execute("INSERT INTO t VALUES (1)")
    assert not forgotten, "our own writing leaves no doubt"
    with pytest.raises(KeyError), connection.transaction("rolled back"):
        raise KeyError
    assert len(forgotten) == 1
    with other.transaction("theirs"):
        other.execute("INSERT INTO t VALUES (2)")
    with connection.transaction("after theirs"):
        assert len(forgotten) == 2
        with pytest.raises(KeyError), connection.attempt("part"):
            raise KeyError
    assert len(forgotten) == 3
    connection.close()
    other.close()


def test_a_store_that_another_process_keeps_locked_is_tried_again_and_then_told(tmp_path: Path) -> None:
    connection, other = fresh(tmp_path / "t.db"), fresh(tmp_path / "t.db")
    begun: list[str] = []
    connection.raw.set_trace_callback(begun.append)
    with (
        other.transaction("theirs"),
        pytest.raises(StoreBusy, match="locked in 'ours'"),
        connection.transaction("ours"),
    ):
        pass
    assert begun.count("BEGIN IMMEDIATE") == BUSY_ATTEMPTS
    with connection.transaction("ours"):
        connection.execute("INSERT INTO t VALUES (1)")
    assert values(other) == [1]
    connection.close()
    other.close()


def test_a_full_disk_is_told_as_such_and_leaves_no_transaction() -> None:
    connection = fresh()
    connection.one(f"PRAGMA max_page_count = {connection.one('PRAGMA page_count')[0]}")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
    said = r"^no room on the store's disk in 'writing': database or disk is full$"  # what to do says who tells it
    with pytest.raises(StoreFull, match=said), connection.transaction("writing"):
        connection.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(100_000)))
    assert values(connection) == []


def test_a_damaged_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_bytes(b"\x00" * 4096)
    with pytest.raises(StoreBroken, match="check the disk"):
        fresh(tmp_path / "t.db")


def test_a_wrong_statement_is_an_error_of_the_store() -> None:
    connection = fresh()
    for verb in (connection.execute, connection.one, connection.all):
        with pytest.raises(StoreError, match="no such table: nowhere"):
            verb("SELECT * FROM nowhere")
    connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(StoreError, match="UNIQUE"):
        connection.executemany("INSERT INTO t VALUES (?)", [(1,)])


def test_a_long_result_is_fetched_as_it_is_asked_for() -> None:
    connection = fresh()
    connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
    stream = connection.stream("SELECT x FROM t ORDER BY x")
    assert [next(stream) for _ in range(3)] == [(0,), (1,), (2,)]
    assert len(list(stream)) == 997


def test_an_error_of_a_library_on_the_same_connection_is_ours_too() -> None:
    connection = fresh()
    with pytest.raises(StoreError, match="no such table"), connection.transaction("library"):
        connection.raw.execute("SELECT * FROM nowhere")
