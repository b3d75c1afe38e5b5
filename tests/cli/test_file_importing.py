"""``file import``: whose the files of another server are, and each of them once."""

from __future__ import annotations

import pytest

from gateway_server.cli import file_import
from gateway_server.transports.folder import FolderFile
from tests.cli.desk import Desk
from tests.cli.old_server import DAY, WRITTEN_MS, learn, put


def test_importing_again_changes_nothing(desk: Desk) -> None:
    put(desk, "1.TXT", DAY)
    put(desk, "2.TXT", b"other")
    desk.run("file", "import", "old", "--meter", "41203377")
    before = desk.run("file", "list", "--json").json
    ran = desk.run("file", "import", "old", "--meter", "41203377")
    assert "2 files: 0 new, 2 known" in ran.err
    put(desk, "1.TXT", DAY, WRITTEN_MS + 60_000)  # somebody copied the folder, and the times are new
    assert "2 files: 0 new, 2 known" in desk.run("file", "import", "old", "--meter", "41203377").err
    assert desk.run("file", "list", "--json").json == before


def test_import_goes_on_where_it_was_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(130):
        put(desk, f"{number:03}.TXT", b"%d" % number, WRITTEN_MS + number)
    taken: list[str] = []

    def stopped(store: object, file: FolderFile, serial: str) -> None:
        taken.append(file.name)
        if len(taken) == 100:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(file_import, "known_as", stopped)
        assert desk.run("file", "import", "old", "--no-decode").status == 130
    assert len(desk.run("file", "list", "--json").json) == 64  # the first portion; nothing of the second
    assert "130 files: 66 new, 64 known" in desk.run("file", "import", "old", "--no-decode").err
    assert len(desk.run("file", "list", "--json").json) == 130


def test_dry_run_of_an_import_says_what_is_new(desk: Desk) -> None:
    put(desk, "1.TXT", DAY)
    desk.run("file", "import", "old")
    put(desk, "2.TXT", b"other")
    ran = desk.run("file", "import", "old", "--dry-run", "--json")
    assert [(one["name"], one["verdict"]) for one in ran.json["files"]] == [("1.TXT", "known"), ("2.TXT", "new")]
    assert len(desk.run("file", "list", "--json").json) == 1


def test_folders_named_after_accounts_say_whose_the_files_are(desk: Desk) -> None:
    desk.run("meter", "add", "41203377", "--route", "ftp:boiler4")
    put(desk, "boiler4/2014/DAY.TXT", DAY)
    put(desk, "stranger/DAY.TXT", b"from nobody")
    put(desk, "beside.txt", b"no account")
    desk.run("file", "import", "old", "--by-login")
    files = desk.run("file", "list", "--json").json
    assert {(one["login"], one["name"], one["meter"]) for one in files} == {
        ("boiler4", "2014/DAY.TXT", "41203377"),
        ("stranger", "DAY.TXT", ""),
    }
    assert [one["name"] for one in desk.run("file", "list", "--json", "--login", "stranger").json] == ["DAY.TXT"]


def test_files_of_two_meters_with_one_name_size_and_time_are_both_imported(desk: Desk) -> None:
    for serial, folder in (("1001", "A"), ("1002", "B")):
        desk.run("meter", "add", serial)
        put(desk, f"{folder}/day.dat", f"{serial};5".encode())
        assert "1 files: 1 new" in desk.run("file", "import", f"old/{folder}", "--meter", serial).err
    files = desk.run("file", "list", "--json").json
    assert {(one["name"], one["meter"]) for one in files} == {("day.dat", "1001"), ("day.dat", "1002")}
    for serial, folder in (("1001", "A"), ("1002", "B")):
        assert "0 new, 1 known" in desk.run("file", "import", f"old/{folder}", "--meter", serial).err


def test_file_that_another_meter_has_is_said_to_be_its(desk: Desk) -> None:
    learn(desk)
    for serial in ("1001", "1002"):
        desk.run("meter", "add", serial)
    put(desk, "day.dat", DAY.replace(b"41203377", b""))
    desk.run("file", "import", "old", "--meter", "1001")
    ran = desk.run("file", "import", "old", "--meter", "1002")
    assert "1 of the known files are another meter's, as file 1 of meter 1001" in ran.err
    assert "`gateway-server file reprocess 1 --serial 1002` gives it to this one" in ran.err
    desk.run("file", "reprocess", "1", "--serial", "1002")
    assert desk.run("file", "list", "--json").json[0]["meter"] == "1002"


def test_calling_the_import_again_can_say_whose_the_files_are(desk: Desk) -> None:
    desk.run("meter", "add", "1001")
    put(desk, "day.dat", b"unknown format")
    desk.run("file", "import", "old")
    ran = desk.run("file", "import", "old", "--meter", "1001")
    assert "0 new, 1 known (1 of them had not been decoded)" in ran.err
    assert desk.run("file", "list", "--json").json[0]["meter"] == "1001"
    assert desk.run("file", "import", "old", "--meter", "1001").err.endswith("1 files: 0 new, 1 known\n")


def test_account_that_gets_its_meter_later_has_its_files_read_then(desk: Desk) -> None:
    learn(desk)
    put(desk, "ghost/DAY.TXT", DAY.replace(b"41203377", b""))
    ran = desk.run("file", "import", "old", "--by-login")
    assert "no meter has the route ftp:ghost (`gateway-server meter add SERIAL --route ftp:ghost`): 1 files" in ran.err
    (file,) = desk.run("file", "list", "--json").json
    assert "does not say of which meter, and no meter has the route ftp:ghost" in file["detail"]
    desk.run("meter", "add", "20511893", "--route", "ftp:ghost")
    assert "1 files read again: 2 new" in desk.run("file", "reprocess", "--login", "ghost").out
    (file,) = desk.run("file", "list", "--json").json
    assert (file["meter"], file["state"]) == ("20511893", "decoded")


def test_calling_the_import_again_reads_what_has_its_meter_by_now(desk: Desk) -> None:
    learn(desk)
    put(desk, "ghost/DAY.TXT", DAY.replace(b"41203377", b""))
    desk.run("file", "import", "old", "--by-login")
    desk.run("meter", "add", "20511893", "--route", "ftp:ghost")
    ran = desk.run("file", "import", "old", "--by-login")
    assert "0 new, 1 known (1 of them had not been decoded); 0 bytes, 1 decoded, 2 readings" in ran.err
    assert "no meter" not in ran.err


def test_what_an_import_leaves_out_is_said(desk: Desk) -> None:
    put(desk, "boiler4/DAY.TXT", DAY)
    put(desk, "beside.txt", b"no account")
    put(desk, "boiler4/half.part", b"")
    ran = desk.run("file", "import", "old", "--by-login")
    assert ran.status == 0
    assert f"beside the folders of the accounts, so nobody's: 1, as {desk.folder}/old/beside.txt" in ran.err
    assert f"left out by its name: 1, as {desk.folder}/old/boiler4/half.part" in ran.err
    ran = desk.run("file", "import", "old/boiler4/DAY.TXT", "--by-login")
    assert ran.status == 2
    assert "DAY.TXT is a file, and its folder says nothing of an account" in ran.err


def test_single_files_can_be_imported_and_links_are_not_followed(desk: Desk) -> None:
    secret = put(desk, "secret", b"not for us")
    (desk.folder / "in").mkdir()
    (desk.folder / "in" / "link").symlink_to(secret)
    (desk.folder / "in" / "half.part").write_bytes(b"unfinished")
    assert "1 files: 1 new" in desk.run("file", "import", "in", "old/secret").err
    assert [one["name"] for one in desk.run("file", "list", "--json").json] == ["secret"]
