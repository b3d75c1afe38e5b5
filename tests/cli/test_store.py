"""``store``: check and backup."""

from __future__ import annotations

from tests.cli.desk import SIGN_ON_MS, Desk, row


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
    assert "Traceback" not in ran.err


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
