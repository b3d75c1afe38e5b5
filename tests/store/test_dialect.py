from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_server.errors import StoreFull
from gateway_server.store.check import check_store
from gateway_server.store.dialect import CACHE_KIB, CHECKPOINT_PAGES, PAGE_SIZE, Dialect, SQLiteDialect, Trouble
from gateway_server.store.records import MeterRecord
from gateway_server.store.sql import SqlStore
from tests.store.samples import opened


def test_sqlite_answers_the_questions(tmp_path: Path) -> None:
    dialect: Dialect = SQLiteDialect(str(tmp_path / "t.db"))
    connection = dialect.connect()
    connection.execute(f"CREATE TABLE t (id {dialect.identity}, data {dialect.blob})")
    insert = f"INSERT INTO t (data) VALUES ({dialect.placeholder}) RETURNING id"
    assert [connection.execute(insert, (b"x",)).fetchone() for _ in range(2)] == [(1,), (2,)]
    connection.execute("DELETE FROM t")
    assert connection.execute(insert, (b"x",)).fetchone() == (3,), "a number is never given twice"
    assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_SIZE,)
    assert not connection.in_transaction
    connection.close()


def test_a_store_in_memory_is_known_as_such() -> None:
    assert SQLiteDialect(":memory:").in_memory
    assert not SQLiteDialect("memory").in_memory


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_BUSY, Trouble.BUSY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.BUSY),
        (sqlite3.SQLITE_LOCKED, Trouble.BUSY),
        (sqlite3.SQLITE_FULL, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_FSYNC, Trouble.BROKEN),
        (sqlite3.SQLITE_IOERR_SHORT_READ, Trouble.BROKEN),
        (sqlite3.SQLITE_CORRUPT_INDEX, Trouble.BROKEN),
        (sqlite3.SQLITE_NOTADB, Trouble.BROKEN),
        (sqlite3.SQLITE_READONLY_DBMOVED, Trouble.BROKEN),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Trouble.WRONG),
        (sqlite3.SQLITE_ERROR, Trouble.WRONG),
        (None, Trouble.WRONG),
    ],
)
def test_an_error_says_whether_the_same_again_may_succeed(code: int | None, trouble: Trouble) -> None:
    error = sqlite3.OperationalError("?")
    if code is not None:
        error.sqlite_errorcode = code
    assert SQLiteDialect(":memory:").trouble(error) is trouble


def test_another_connections_writing_shows(tmp_path: Path) -> None:
    dialect = SQLiteDialect(str(tmp_path / "t.db"))
    one, two = dialect.connect(), dialect.connect()
    before = dialect.version(one)
    one.execute("CREATE TABLE t (x)")
    assert dialect.version(one) == before
    two.execute("INSERT INTO t VALUES (1)")
    assert dialect.version(one) != before
    one.close()
    two.close()


def test_the_write_ahead_log_has_its_size_before_anything_is_written(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        before = (tmp_path / "gateway.db").stat().st_size
        store.reserve()
        log = tmp_path / "gateway.db-wal"
        assert log.stat().st_size >= CHECKPOINT_PAGES * PAGE_SIZE
        assert (tmp_path / "gateway.db").stat().st_size == before
        size = log.stat().st_size
        store.put_meter(MeterRecord("1"))
        store.reserve()
        assert log.stat().st_size == size
        assert store.connection.one("PRAGMA cache_size") == (-CACHE_KIB,)
        assert check_store(store).sound
    with opened(tmp_path / "gateway.db") as store:
        assert [meter.serial for meter in store.meters()] == ["1"]


def test_a_disk_with_little_room_keeps_it_for_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "gateway.db") as store:
        log = tmp_path / "gateway.db-wal"
        size = log.stat().st_size
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=3 * CHECKPOINT_PAGES * PAGE_SIZE))
        store.reserve()
        assert log.stat().st_size == size


def test_a_disk_too_small_for_the_log_leaves_the_store_as_it_was(store: SqlStore, tmp_path: Path) -> None:
    store.reserve()  # a store in memory has no log
    with opened(tmp_path / "gateway.db") as small:
        (pages,) = small.connection.one("PRAGMA page_count")
        small.connection.one(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreFull):
            small.reserve()
        assert not small.connection.raw.in_transaction
        small.put_meter(MeterRecord("1"))
