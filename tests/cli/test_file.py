"""``file``: what meters uploaded, from the folder of another server to readings."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from gateway_server.cli import file_import
from gateway_server.transports.folder import FolderFile
from gateway_server.workbench.containers import ContainerLimits
from tests.cli.desk import NOW_MS, Desk

# The contract's fields of a file, in its order.
FIELDS = "id, meter, name, size, sha256, received_at, state, codec, readings"
DAY = b"T;41203377\r\n2014-05-01 10:00;1000.25\r\n2014-05-01 11:00;1001.50\r\n"
WRITTEN_MS = NOW_MS - 3_600_000
CODEC = '''
"""Times and volumes, a semicolon between them."""

from datetime import datetime
from decimal import Decimal

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading
from gateway_server.model import Column, Identify, Row, Span

COLUMNS = (Column("base volume", "m3", cumulative=True),)


class Times:
    name = "times"
    version = "VERSION"
    framer = LineFramer

    def dissect(self, frame):
        return [Field("unknown", 0, len(frame.data))]

    def read_file(self, file):
        if not file.data.startswith(b"T;"):
            return None
        rows, at = [], 0
        for line in file.data.splitlines(keepends=True):
            time, _, value = line.decode().strip().partition(";")
            if time == "T":
                serial = value
            else:
                rows.append(Row(COLUMNS, (Decimal(value) * FACTOR,), "interval", datetime.fromisoformat(time),
                                span=Span(at, at + len(line))))
            at += len(line)
        return FileReading(Findings(rows=tuple(rows)), Identify(serial) if serial else None)


codec = Times()
'''


def put(desk: Desk, name: str, data: bytes, written_ms: int = WRITTEN_MS) -> Path:
    """A file in the folder of the old server."""
    path = desk.folder / "old" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(written_ms * 1_000_000, written_ms * 1_000_000))
    return path


def learn(desk: Desk, version: str = "1", factor: str = "1") -> None:
    """Gives the gateway a codec for the format; each version in a folder of its own, as one process loads one once."""
    folder = desk.folder / f"plugins.{version}"
    folder.mkdir()
    code = CODEC.replace("VERSION", version).replace("FACTOR", factor)
    (folder / "times.py").write_text(code)
    (desk.folder / "gateway.toml").write_text(
        f'[store]\nurl = "sqlite:///gateway.db"\n[plugins]\nfolders = ["{folder.name}"]\n'
    )


def values(desk: Desk) -> list[str]:
    return sorted(reading["value"] for reading in desk.run("reading", "list", "--json").json)


def test_imported_file_is_listed_with_the_contracts_fields(desk: Desk) -> None:
    put(desk, "DAY.TXT", DAY)
    ran = desk.run("file", "import", "old")
    assert (ran.status, ran.out) == (0, "")
    assert "1 files: 1 new" in ran.err
    (file,) = desk.run("file", "list", "--json").json
    assert list(file)[:9] == FIELDS.split(", ")
    assert (file["name"], file["size"], file["state"]) == ("DAY.TXT", len(DAY), "unknown")
    assert file["sha256"] == hashlib.sha256(DAY).hexdigest()
    assert file["received_at"] == "2014-05-02T11:00:00Z"
    assert desk.run("file", "export", str(file["id"]), "-o", "copy").status == 0
    assert (desk.folder / "copy").read_bytes() == DAY


def test_file_in_an_unknown_format_becomes_readings_when_the_format_is_learnt(desk: Desk) -> None:
    put(desk, "DAY.TXT", DAY)
    assert "--state unknown" in desk.run("file", "import", "old").err
    assert values(desk) == []
    learn(desk)
    dry = desk.run("file", "reprocess", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["files"][0]["new"], dry["files"][0]["state"]) == (True, 2, "decoded")
    assert values(desk) == []
    assert "1 files read again: 2 new" in desk.run("file", "reprocess").out
    assert values(desk) == ["1000.25", "1001.50"]
    (file,) = desk.run("file", "list", "--json", "--meter", "41203377", "--state", "decoded").json
    assert (file["codec"], file["readings"], file["meter"]) == ("times", 2, "41203377")
    again = desk.run("file", "reprocess").out
    assert "no change, 2 rows and events are as stored" in again
    assert values(desk) == ["1000.25", "1001.50"]


def test_newer_codec_replaces_what_the_older_one_read_and_says_how(desk: Desk) -> None:
    learn(desk)
    put(desk, "DAY.TXT", DAY)
    desk.run("file", "import", "old")
    learn(desk, "2", "10")
    out = desk.run("file", "reprocess", "1").out
    assert "file 1 DAY.TXT, meter 41203377, times 1 → 2: 2 changed" in out
    assert "1000.25 m3 → 10002.50 m3" in out
    assert values(desk) == ["10002.50", "10015.00"]
    with desk.store() as store:
        kept = store.connection.all("SELECT vals FROM archive_row WHERE variant < 0")
        assert sorted(kept) == [("1000.25",), ("1001.50",)]


def test_reprocess_reads_sessions_and_files_again(desk: Desk) -> None:
    learn(desk)
    put(desk, "DAY.TXT", DAY)
    desk.run("file", "import", "old", "--no-decode")
    desk.hold_session()
    out = desk.run("reprocess").out
    assert "1 sessions read again" in out
    assert "1 files read again: 2 new" in out
    assert "1000.25" in values(desk)
    again = desk.run("reprocess", "--json").json["sessions"]
    assert [one["no_change"] for one in again] == [True, True]
    assert "gone" not in desk.run("reprocess").out


def test_claimed_meters_files_become_readings_at_once(desk: Desk) -> None:
    learn(desk)
    put(desk, "DAY.TXT", DAY.replace(b"41203377", b"20511893"))
    desk.run("file", "import", "old")
    (file,) = desk.run("file", "list", "--json").json
    assert file["state"] == "unknown"
    assert "nobody has claimed meter 20511893" in file["detail"]
    assert "1 files were kept; 2 rows and events came of them" in desk.run("meter", "claim", "20511893").out
    assert values(desk) == ["1000.25", "1001.50"]


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


def test_same_content_under_another_name_of_one_meter_is_a_duplicate(desk: Desk) -> None:
    put(desk, "1.TXT", DAY)
    put(desk, "2.TXT", DAY, WRITTEN_MS + 1000)
    ran = desk.run("file", "import", "old", "--meter", "41203377", "--json")
    assert [one["verdict"] for one in ran.json["files"]] == ["new", "duplicate"]
    assert "content" not in desk.run("file", "reprocess").out
    assert "skipped, its content is that of file 1" in desk.run("file", "reprocess", "--verbose").out
    assert "skipped, its content is that of file 1" in desk.run("file", "reprocess", "2").out


def test_what_changed_stands_below_the_reasons_of_what_was_skipped(desk: Desk) -> None:
    put(desk, "0.TXT", DAY, WRITTEN_MS - 1)
    for number in range(1, 31):
        put(desk, f"{number}.BIN", bytes(number), WRITTEN_MS + number)
    desk.run("file", "import", "old")
    learn(desk)
    ran = desk.run("file", "reprocess", "--dry-run")
    reasons, changed, total = ran.out.splitlines()
    assert reasons.startswith("30 files skipped, the first of them file 2 1.BIN, meter ?: no codec reads it")
    assert changed.startswith("file 1 0.TXT, meter 41203377, times 1: 2 new")
    assert total.startswith("1 files read again: 2 new")
    assert total.endswith("30 skipped (dry run: nothing was written)")
    assert "reading files again (31 of 31)" in ran.err
    assert len(desk.run("file", "reprocess", "--verbose").out.splitlines()) == 32


def test_single_files_can_be_imported_and_links_are_not_followed(desk: Desk) -> None:
    secret = put(desk, "secret", b"not for us")
    (desk.folder / "in").mkdir()
    (desk.folder / "in" / "link").symlink_to(secret)
    (desk.folder / "in" / "half.part").write_bytes(b"unfinished")
    assert "1 files: 1 new" in desk.run("file", "import", "in", "old/secret").err
    assert [one["name"] for one in desk.run("file", "list", "--json").json] == ["secret"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "nowhere"), "nowhere"),
        (("import", "."), None),
        (("import", ".", "--login", "a", "--by-login"), "--login and --by-login say two different things"),
        (("import", ".", "--meter", "999"), "no meter 999 in the register"),
        (("import", ".", "--codec", "gas"), "gas"),
        (("show", "7"), "there is no file 7; `gateway-server file list` shows those there are"),
        (("export", "7"), "there is no file 7"),
        (("reprocess", "7"), "there is no file 7"),
        (("reprocess", "--codec", "gas"), "gas"),
        (("reprocess", "--serial", "999"), "no meter 999"),
    ],
)
def test_wrong_usage_says_what_to_do(desk: Desk, arguments: tuple[str, ...], said: str | None) -> None:
    ran = desk.run("file", *arguments)
    if said is None:
        assert ran.status == 0
    else:
        assert ran.status == 2
        assert said in ran.err


def test_nothing_to_do_is_said(desk: Desk) -> None:
    assert "no file fits" in desk.run("file", "reprocess").err
    assert "no files" in desk.run("file", "list").err


def test_file_is_shown_with_what_was_tried_and_its_text(desk: Desk) -> None:
    learn(desk)
    put(desk, "NOTE.TXT", b"h\xe9llo\x02;1\r\nx;2\r\n")
    desk.run("file", "import", "old", "--meter", "41203377")
    shown = desk.run("file", "show", "1")
    assert shown.status == 0
    assert "separated text: semicolons, 2 columns, 2 lines" in shown.out
    assert "not it    times: not of its kind" in shown.out
    assert "héllo\\x02;1" not in shown.out  # CP1251, as nothing says otherwise
    assert "hйllo\\x02;1" in shown.out
    assert "00000000  68 E9 6C 6C 6F 02" in desk.run("file", "show", "1", "--hex").out
    document = desk.run("file", "show", "1", "--json").json
    assert bytes.fromhex(document["bytes"]) == b"h\xe9llo\x02;1\r\nx;2\r\n"
    assert document["sessions"] == [{"session": 1, "start": 0, "end": 15}]
    assert {"codec": "times", "reads": False, "said": "not of its kind"} in document["tried"]


def test_what_is_within_a_packed_file_is_listed_and_shown(desk: Desk) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mon.csv", "Узел;1\n".encode("koi8-r"))
        archive.writestr("tue.csv", b"second;2\n")
    put(desk, "WEEK.ZIP", out.getvalue())
    desk.run("file", "import", "old")
    shown = desk.run("file", "show", "1").out
    assert "what it looks like: a zip archive" in shown
    assert "  1  mon.csv, 7 bytes: separated text: semicolons, 2 columns, 1 lines" in shown
    assert shown.endswith(
        "\nmon.csv:\n(text as koi8-r, a guess by its letters; --encoding NAME shows it otherwise)\nУзел;1\n"
    )
    assert desk.run("file", "show", "1", "--member", "tue.csv").out.endswith("\ntue.csv:\nsecond;2\n")
    assert desk.run("file", "show", "1", "--member", "1", "--encoding", "cp1251").out.endswith("\nхЪЕМ;1\n")
    assert "00000000  50 4B 03 04" in desk.run("file", "show", "1", "--hex").out
    document = desk.run("file", "show", "1", "--json").json
    assert [(one["number"], one["name"], one["size"]) for one in document["within"]] == [
        (1, "mon.csv", 7),
        (2, "tue.csv", 9),
    ]
    assert bytes.fromhex(document["bytes"]) == out.getvalue()
    assert desk.run("file", "show", "1", "--member", "2", "--json").json["bytes"] == b"second;2\n".hex()
    assert "say which by its number, 1 to 2" in desk.run("file", "show", "1", "--member", "9").err
    assert "no encoding 'klingon'" in desk.run("file", "show", "1", "--encoding", "klingon").err


def test_packed_file_that_is_too_large_to_be_opened_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put(desk, "BIG.GZ", gzip.compress(os.urandom(2000)))
    desk.run("file", "import", "old")
    monkeypatch.setattr("gateway_server.cli.file.DEFAULT_LIMITS", ContainerLimits(size=1000))
    assert "what is within it cannot be told: it has 20" in desk.run("file", "show", "1").out


def test_workbook_is_known_as_one_and_not_shown_as_its_parts(desk: Desk) -> None:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    put(desk, "DAY.XLSX", out.getvalue())
    desk.run("file", "import", "old")
    shown = desk.run("file", "show", "1").out
    assert "what it looks like: an Excel workbook (xlsx)" in shown
    assert "xl/workbook.xml" in shown
    assert "00000000  50 4B 03 04" in shown


def test_nothing_a_client_sent_can_move_the_cursor(desk: Desk) -> None:
    put(desk, "a\x1b[2Jb", b"clear the screen: \x1b[2J\n")
    desk.run("file", "import", "old")
    for arguments in (("list",), ("show", "1", "--text"), ("show", "1"), ("reprocess",), ("reprocess", "1")):
        ran = desk.run("file", *arguments)
        assert ran.status == 0
        assert "\x1b" not in ran.out + ran.err
    assert "clear the screen: \\x1b[2J" in desk.run("file", "show", "1", "--text").out


def test_showing_asks_todays_codecs_and_stores_nothing(desk: Desk) -> None:
    put(desk, "DAY.TXT", DAY)
    desk.run("file", "import", "old")
    learn(desk)
    assert "reads it  times: 2 rows" in desk.run("file", "show", "1").out
    assert desk.run("file", "list", "--json").json[0]["state"] == "unknown"


def test_long_file_is_shown_in_part(desk: Desk) -> None:
    put(desk, "BIG.BIN", bytes(20_000))
    desk.run("file", "import", "old")
    out = desk.run("file", "show", "1").out
    assert "and 11808 more bytes; --limit N shows N, `file export 1` writes all" in out
    assert "00001FF0" in out
    assert "00002000" not in out
    assert len(desk.run("file", "show", "1", "--json").json["bytes"]) == 40_000
    assert len(desk.run("file", "show", "1", "--json", "--limit", "5").json["bytes"]) == 10


def test_list_is_searched_and_limited(desk: Desk) -> None:
    for number in range(3):
        put(desk, f"day{number}.txt", b"%d" % number, WRITTEN_MS + number)
    desk.run("file", "import", "old")
    assert [one["name"] for one in desk.run("file", "list", "--json", "--search", "DAY1").json] == ["day1.txt"]
    assert [one["name"] for one in desk.run("file", "list", "--json", "--limit", "1").json] == ["day2.txt"]
    assert "and 2 more" not in desk.run("file", "list").out
    assert "day2.txt" in desk.run("file", "list").out


def test_session_that_brought_a_file_is_shown_and_verified_as_such(desk: Desk) -> None:
    learn(desk)
    put(desk, "1.TXT", DAY)
    put(desk, "2.TXT", DAY, WRITTEN_MS + 1000)
    desk.run("file", "import", "old", "--meter", "41203377")
    shown = desk.run("session", "show", "1").out
    assert "file       1 1.TXT, decoded" in shown
    assert "54 3B 34 31" in shown
    assert "noise" not in shown
    document = desk.run("session", "show", "2", "--json").json
    assert document["files"] == [2]
    assert [entry["direction"] for entry in document["log"]] == ["note"]
    for number in ("1", "2"):
        verified = desk.run("session", "verify", number)
        assert verified.status == 0, verified.out
        assert f"ok   content: file {number} is what was received" in verified.out


def test_verifying_notices_a_file_that_lost_bytes(desk: Desk) -> None:
    put(desk, "1.TXT", DAY)
    desk.run("file", "import", "old")
    with desk.store() as store:
        store.connection.raw.execute("UPDATE session_log SET data = x'00'")
    ran = desk.run("session", "verify", "1")
    assert ran.status == 1
    assert "NOT  content: file 1 is not what was received" in ran.out


def test_whose_a_file_is_can_be_said_where_nothing_else_says_it(desk: Desk) -> None:
    learn(desk)
    put(desk, "DAY.TXT", DAY.replace(b"41203377", b""))
    desk.run("file", "import", "old")
    (file,) = desk.run("file", "list", "--json").json
    assert "file reprocess --serial" in file["detail"]
    desk.run("file", "reprocess", "1", "--serial", "41203377")
    (file,) = desk.run("file", "list", "--json").json
    assert (file["meter"], file["state"], file["readings"]) == ("41203377", "decoded", 2)
