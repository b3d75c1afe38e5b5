"""``store``: check, backup and the way back, and the schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from gateway_server.store.migrations import migrations
from tests.cli.desk import SIGN_ON_MS, Desk, row
from tests.cli.programs import started


def test_sound_store_is_counted_and_said_to_be_sound(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0"),))
    ran = desk.run("store", "check")
    assert ran.status == 0
    assert "the store is sound" in ran.out
    assert desk.run("store", "check", "--json").json["counts"]["sessions"] == 1


def test_damaged_store_is_a_check_not_met(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0"),))
    path = desk.folder / "gateway.db"
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = bytes(len(data) - 4096)
    path.write_bytes(data)
    ran = desk.run("store", "check")
    assert ran.status == 1
    assert "gateway.db" in ran.err
    assert "store restore BACKUP" in ran.err


def test_store_with_a_page_gone_in_its_middle_is_a_check_not_met(desk: Desk) -> None:
    desk.hold_session(rows=tuple(row(number, SIGN_ON_MS + number, "1.0") for number in range(2000)))
    path = desk.folder / "gateway.db"
    with closing(sqlite3.connect(path)) as there:
        (root,) = there.execute("SELECT rootpage FROM sqlite_master WHERE name = 'archive_row'").fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 2048 : root * 2048] = b"\xff" * 2048
    path.write_bytes(data)
    ran = desk.run("store", "check")
    assert ran.status == 1
    assert "gateway.db" in ran.err
    assert "store restore BACKUP" in ran.err


def test_store_that_is_not_there_is_not_made_by_checking_it(desk: Desk) -> None:
    (desk.folder / "gateway.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    assert desk.run("store", "check").status == 2
    assert not (desk.folder / "other.db").exists()


def test_backup_is_a_store_of_its_own(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0"),))
    assert desk.run("store", "backup", "copy.db").status == 0
    (desk.folder / "gateway.toml").write_text('[store]\nurl = "sqlite:///copy.db"\nkey_file = "gateway.db.key"\n')
    assert [reading["value"] for reading in desk.run("reading", "list", "--json").json] == ["1.0"]
    assert desk.run("store", "backup", "copy.db").status == 2


def test_restore_goes_back_to_the_backup_and_keeps_what_was_there(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0"),))
    assert "store restore backup.db" in desk.run("store", "backup", "backup.db").err
    desk.hold_session(rows=(row(641, SIGN_ON_MS + 3_600_000, "2.0"),))
    tried = desk.run("store", "restore", "backup.db", "--dry-run")
    assert (tried.status, len(desk.run("reading", "list", "--json").json)) == (0, 2)
    assert "nothing was changed" in tried.out
    done = desk.run("store", "restore", "backup.db")
    assert done.status == 0, done.err
    assert "is now what backup.db holds" in done.out
    assert "is kept as" in done.err
    assert [reading["value"] for reading in desk.run("reading", "list", "--json").json] == ["1.0"]


def test_nothing_is_restored_from_what_is_no_backup(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0"),))
    (desk.folder / "letter.txt").write_text("Dear gas company")
    for file in ("letter.txt", "none.db"):
        refused = desk.run("store", "restore", file)
        assert refused.status == 2
        assert file in refused.err
    assert desk.run("reading", "list", "--json").json


@pytest.mark.end_to_end
def test_store_of_a_running_gateway_is_neither_restored_nor_migrated_but_backed_up(desk: Desk) -> None:
    with started(desk, "run") as gateway:
        gateway.line("ready")
        assert desk.run("store", "backup", "backup.db").status == 0
        refused = desk.run("store", "restore", "backup.db")
        assert refused.status == 2
        assert "a gateway runs on the store" in refused.err
        assert desk.run("store", "restore", "backup.db", "--dry-run").status == 0
        assert gateway.end().status == 0
    assert desk.run("store", "restore", "backup.db").status == 0


FIRST_RELEASE = """
    INSERT INTO meter (id, serial, serial_core, time_zone, gas_day_start, state)
        VALUES (1, '41203377', '41203377', 'Europe/Moscow', '10:00', 'active');
    INSERT INTO session (id, owner, meter_id, serial, transport, remote, started_ms, ended_ms, outcome, readings)
        VALUES (1, '', 1, '41203377', 'tcp', '10.8.0.17:4001', 1762500000000, 1762500009000, 'read', 1);
    INSERT INTO layout (id, columns) VALUES (1, '[["base_volume", "m3", "", "Vb", "2:300", true]]');
    INSERT INTO archive_row
        VALUES (1, 'interval', 1762498800000, 640, 0, 1762500000000, 1, '1.0', '', '', '', '', 1, 0, 0, 0);
"""


def test_schema_of_the_first_release_is_brought_up_to_date_with_a_backup_before(desk: Desk) -> None:
    path = desk.folder / "gateway.db"
    path.unlink(missing_ok=True)
    with closing(Database(path)) as database:
        migrations.apply(database, stop_before=["files"])
        database.conn.executescript(FIRST_RELEASE)
        later = [step.name for step in migrations.pending(database)]
    missing = [f"missing  {name}" for name in later]
    tried = desk.run("store", "migrate", "--dry-run")
    assert tried.out.splitlines() == ["taken    the_spine", *missing, "nothing was changed (dry run)"]
    done = desk.run("store", "migrate")
    taken = [f"now      {name}" for name in later]
    assert done.out.splitlines() == ["taken    the_spine", *taken, "the schema is up to date"]
    assert desk.run("store", "migrate").out.splitlines()[-1] == "the schema is up to date"
    with closing(sqlite3.connect(desk.folder / "gateway.db.before-files")) as old:
        assert old.execute("SELECT name FROM sqlite_master WHERE name = 'file'").fetchall() == []
        assert old.execute("SELECT COUNT(*) FROM archive_row").fetchone() == (1,)
    assert desk.run("store", "check").status == 0


def test_store_that_is_not_there_is_not_migrated(desk: Desk) -> None:
    (desk.folder / "gateway.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    assert desk.run("store", "migrate").status == 2
    assert not (desk.folder / "other.db").exists()
