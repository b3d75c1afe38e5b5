from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError
from gateway_server.model import Direction, Outcome
from gateway_server.store.check import back_up, check_store
from gateway_server.store.file_records import UploadEnd
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord, SessionClosing, Upload
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, OPENING, contents, entry, hour, known_session, opened

METER = "41203377"


def test_a_sound_store_is_counted(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2)], [entry(1)])
    store.add_job(METER, "{}", "", 1)
    report = check_store(store)
    assert report.sound
    assert report.counts == {
        "meters": 1,
        "sessions": 1,
        "log entries": 0,
        "files": 0,
        "archive rows": 2,
        "events": 1,
        "jobs": 1,
        "calls": 0,
    }
    assert report.running == (key.id,)


def test_sessions_without_an_end_are_told_apart_by_whether_their_process_lives(store: SqlStore) -> None:
    alive, dead = store.open_session(OPENING), store.open_session(OPENING)
    store.connection.execute("UPDATE session SET owner = 'x' WHERE id = ?", (dead.id,))
    report = check_store(store)
    assert (report.running, report.killed) == ((alive.id,), (dead.id,))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM session", "1 rows of archive_row belong to a session that is missing"),
        ("DELETE FROM meter", "refers to a meter that is missing"),
        ("DELETE FROM session_log_part", "1 log entries are in a part of the log where nobody looks"),
        ("DELETE FROM archive_row", "meter 41203377: the newest row of archive interval is not in the archive"),
    ],
)
def test_what_is_missing_is_told(store: SqlStore, damage: str, told: str) -> None:
    key = known_session(store)
    store.log([(key, NOON, Direction.FROM_METER, b"row")])
    store.save(key, METER, [hour(1)])
    store.fold()
    store.connection.execute("PRAGMA foreign_keys = OFF")
    store.connection.execute(damage)
    report = check_store(store)
    assert not report.sound
    assert told in "\n".join(report.problems)


def test_a_flipped_bit_in_an_index_is_found(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as store:
        key = known_session(store)
        store.save(key, METER, [hour(number) for number in range(200)])
    contents = bytearray(path.read_bytes())
    place = contents.index(b"1100.25\t7.5") - 20
    contents[place : place + 8] = bytes(8)
    path.write_bytes(contents)
    with opened(path) as store:
        assert not check_store(store).sound


def test_a_backup_taken_while_others_write_is_a_store(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store, opened(tmp_path / "gateway.db") as other:
        store.put_meter(MeterRecord(METER), "87654321")
        key = known_session(store)
        store.save(key, METER, [hour(1)])
        with other.connection.transaction("writing"):
            other.save(key, METER, [hour(2)])
            back_up(store, tmp_path / "backup.db")
        before = list(store.rows())
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["backup.db"]
    copy = open_store(f"sqlite:///{tmp_path}/backup.db", tmp_path / "gateway.db.key")
    assert list(copy.rows()) == before[:1]
    assert copy.known_meter(METER).access_code == "87654321"
    copy.close()


def test_a_backup_never_overwrites_and_never_stays_half_done(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        (tmp_path / "backup.db").write_text("last year's")
        with pytest.raises(OperatorError, match="exists already"):
            back_up(store, tmp_path / "backup.db")
        with pytest.raises(OperatorError, match=r"the folder .*no folder is missing"):
            back_up(store, tmp_path / "no folder" / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "last year's"


def test_a_backup_stands_alone_without_side_files(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        store.save(known_session(store), METER, [hour(1)])
        back_up(store, tmp_path / "backup.db")
        assert len(contents(store)) == 1
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_received_file_that_lost_bytes_is_told(store: SqlStore) -> None:
    key = store.open_session(OPENING._replace(upload=Upload("DAY.TXT")))
    for piece in (b"half", b"half"):
        store.log([(key, NOON, Direction.FROM_METER, piece)])
    end = UploadEnd(True, 8, hashlib.sha256(b"halfhalf").hexdigest())
    store.finish_upload(key, end, SessionClosing(NOON, Outcome.READ))
    assert check_store(store).sound
    store.connection.execute("DELETE FROM session_log WHERE id = 2")
    assert check_store(store).problems == ("file 1: 4 of 8 bytes are there, and they are not what was received",)


def test_a_flipped_bit_in_the_log_of_many_sessions_is_told(store: SqlStore) -> None:
    keys = [known_session(store) for _ in range(3)]
    store.log([(key, NOON, Direction.FROM_METER, b"41203377") for key in keys])
    assert check_store(store).sound
    (segment,) = store.connection.one("SELECT data FROM session_log")
    store.connection.execute("UPDATE session_log SET data = ?", (segment.replace(b"41203377", b"41203378", 1),))
    assert check_store(store).problems == (
        "log entry 3: a log segment is damaged (its check sum does not match); run `store check`",
    )


def test_a_session_that_nobody_finds_in_the_log_of_many_is_told(store: SqlStore) -> None:
    keys = [known_session(store) for _ in range(3)]
    store.log([(key, NOON, Direction.FROM_METER, b"41203377") for key in keys])
    store.connection.execute("DELETE FROM session_log_part WHERE session_id = ?", (keys[1].id,))
    assert "1 log entries are in a part of the log where nobody looks" in check_store(store).problems[0]
