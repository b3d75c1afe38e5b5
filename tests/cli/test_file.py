"""``file``: what meters uploaded, from the folder of another server to readings."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zipfile

import openpyxl
import pytest

from tests.cli.desk import Desk
from tests.cli.old_server import DAY, WRITTEN_MS, learn, put, values

# The contract's fields of a file, in its order.
FIELDS = "id, meter, name, size, sha256, received_at, state, codec, readings"


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


def test_packed_file_that_is_too_large_to_be_opened_is_said(desk: Desk) -> None:
    (desk.folder / "gateway.toml").write_text(
        '[store]\nurl = "sqlite:///gateway.db"\n[limits]\nlargest_decoded_mb = 1\n'
    )
    put(desk, "BIG.GZ", gzip.compress(os.urandom(1 << 20)))
    desk.run("file", "import", "old", "--no-decode")
    assert "more than the 1048576 that are opened at once" in desk.run("file", "show", "1").out


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
