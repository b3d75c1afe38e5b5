"""A backup takes the store's place as a whole or not at all, and the way back is kept."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError
from gateway_server.model import Outcome
from gateway_server.store.check import back_up, check_store
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord
from gateway_server.store.restore import check_backup, restore
from tests.store.samples import OPENING, contents, entry, hour, known_session, opened

NOW_MS = 1_764_273_600_000  # 2025-11-27 20:00 UTC
METER = "41203377"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a store of one row and an access code, and a backup of it; the store has gone on since."""
    with opened(tmp_path / "gateway.db") as store:
        store.put_meter(MeterRecord(METER), "87654321")
        key = known_session(store)
        store.save(key, METER, [hour(1)], [entry(1)])
        store.fold()
        back_up(store, tmp_path / "backup.db")
        store.save(key, METER, [hour(2)])
        store.connection.execute("UPDATE session SET owner = 'another boot:1:1'")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


def test_backup_takes_the_place_of_the_store_and_what_was_there_is_kept(place: Path) -> None:
    with opened(place / "gateway.db") as store:
        later = contents(store)
    done = restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert done.report.counts["archive rows"] == 1
    with opened(place / "gateway.db") as store:
        assert contents(store) != later
        assert store.known_meter(METER).access_code == "87654321"
        assert check_store(store).sound
        assert [session.outcome for session in store.sessions()] == [Outcome.GATEWAY_FAULT], "nobody goes on with it"
    assert done.before == place / "gateway.db.before-20251127-200000"
    with opened(done.before, place / "gateway.db.key") as store:
        assert contents(store) == later


def test_store_that_was_killed_with_rows_in_its_log_is_kept_with_them(place: Path) -> None:
    left_open = open_store(f"sqlite:///{place}/gateway.db")
    left_open.connection.execute("PRAGMA wal_autocheckpoint = 0")
    left_open.put_meter(MeterRecord("99887766"))
    assert (place / "gateway.db-wal").stat().st_size > 0
    done = restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert done.before is not None
    assert not (place / "gateway.db-wal").exists()
    with opened(done.before, place / "gateway.db.key") as store:
        assert store.meter("99887766") is not None
    with opened(place / "gateway.db") as store:
        assert store.meter("99887766") is None
    left_open.close()


def test_store_that_is_damaged_can_be_replaced(place: Path) -> None:
    (place / "gateway.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    done = restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert done.before is not None
    assert done.before.read_bytes().startswith(b"SQLite format 3\0\0")
    with opened(place / "gateway.db") as store:
        assert check_store(store).sound


def test_backup_can_be_restored_where_no_store_is_as_long_as_the_key_is_there(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "new"
    elsewhere.mkdir()
    with pytest.raises(OperatorError, match=r"key file .* restore it"):
        restore(place / "backup.db", elsewhere / "gateway.db", None, NOW_MS)
    assert list(elsewhere.iterdir()) == []
    done = restore(place / "backup.db", elsewhere / "gateway.db", place / "gateway.db.key", NOW_MS)
    assert done.before is None
    assert [path.name for path in elsewhere.iterdir()] == ["gateway.db"]


def test_restored_store_keeps_the_mode_of_the_one_before(place: Path) -> None:
    (place / "gateway.db").chmod(0o640)
    restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert stat.S_IMODE((place / "gateway.db").stat().st_mode) == 0o640


def damaged(backup: Path) -> None:
    data = bytearray(backup.read_bytes())
    data[2 * 2048 : 12 * 2048] = os.urandom(10 * 2048)
    backup.write_bytes(data)


def newer(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as there, there:
        there.execute("UPDATE _sqlite_migrations SET name = 'the_web' WHERE name = 'files'")


def incomplete(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as there, there:
        there.execute("DELETE FROM archive_row")


def foreign(backup: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as there:
        there.execute("CREATE TABLE letters (a)")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damaged, "backup .*backup.db"),
        (newer, "newer program"),
        (incomplete, "it is damaged .*take an older one"),
        (foreign, "another program"),
        (lambda backup: backup.write_text("Dear gas company"), "not a database"),
        (lambda backup: backup.unlink(), "no such file"),
    ],
)
def test_backup_that_cannot_be_trusted_changes_nothing(place: Path, spoil: object, said: str) -> None:
    spoil(place / "backup.db")  # type: ignore[operator]
    before = files(place)
    with pytest.raises(OperatorError, match=said):
        restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert files(place) == before
    with pytest.raises(OperatorError, match=said):
        check_backup(place / "backup.db", place / "gateway.db", None)


def test_checking_a_backup_changes_nothing(place: Path) -> None:
    before = files(place)
    assert check_backup(place / "backup.db", place / "gateway.db", None).counts["archive rows"] == 1
    assert files(place) == before


def test_store_in_which_a_session_goes_on_is_not_replaced(place: Path) -> None:
    with opened(place / "gateway.db") as store:
        key = store.open_session(OPENING)
        with pytest.raises(OperatorError, match=f"session {key.id} is going on in it"):
            restore(place / "backup.db", place / "gateway.db", None, NOW_MS)


def test_store_is_not_restored_from_itself(place: Path) -> None:
    with pytest.raises(OperatorError, match="the store itself"):
        restore(place / "gateway.db", place / "gateway.db", None, NOW_MS)


def test_way_back_is_never_overwritten(place: Path) -> None:
    done = restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    with pytest.raises(OperatorError, match="exists already"):
        restore(place / "backup.db", place / "gateway.db", None, NOW_MS)
    assert done.before is not None
    with opened(done.before, place / "gateway.db.key") as store:
        assert store.meter(METER) is not None
