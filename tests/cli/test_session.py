"""``session``: the auditor's view and its exports."""

from __future__ import annotations

from pathlib import Path

from gateway_server.model import Direction, Outcome
from gateway_server.workbench.capture import read_capture
from tests.cli.desk import ROW, ROW_START, SIGN_ON_MS, TALK, Desk, row

# The contract's fields of a session, in its order.
FIELDS = (
    "id, meter, transport, remote, started, ended, outcome, bytes_received, bytes_sent, readings, codec, codec_version"
)

GOLDEN = Path(__file__).with_name("session_show.txt")


def test_json_has_the_contracts_fields(desk: Desk) -> None:
    desk.hold_session()
    (session,) = desk.run("session", "list", "--json").json
    assert list(session)[:12] == FIELDS.split(", ")
    assert session["started"] == "2014-05-02T06:00:00Z"
    assert session["ended"] == "2014-05-02T06:00:02.420Z"
    assert (session["meter"], session["outcome"], session["transport"]) == ("41203377", "read", "tcp")


def test_show_is_what_an_auditor_expects_word_for_word(desk: Desk) -> None:
    number = desk.hold_session(rows=(row(640, SIGN_ON_MS, "882066.6309", "12.9437"),))
    shown = desk.run("session", "show", str(number))
    assert shown.status == 0
    assert shown.out == GOLDEN.read_text(encoding="utf-8")


def test_show_fits_80_columns_and_stands_beside_the_hex_at_120(desk: Desk) -> None:
    number = desk.hold_session()
    narrow = desk.run("session", "show", str(number)).out.splitlines()
    assert max(map(len, narrow)) <= 80
    desk.set_width(120)
    wide = desk.run("session", "show", str(number)).out.splitlines()
    assert max(map(len, wide)) <= 120
    assert len(wide) < len(narrow)
    assert any("2F 45 6C 73" in line for line in wide)


def test_show_hides_the_access_code_that_was_sent(desk: Desk) -> None:
    number = desk.hold_session()
    out = desk.run("session", "show", str(number)).out
    assert "30 30 30 30 30 30 30 30" not in out
    assert "(3:00000000)" not in out
    document = desk.run("session", "show", str(number), "--json").out
    assert b"(3:00000000)".hex() not in document


def test_show_as_json_covers_every_byte_with_frames_and_fields(desk: Desk) -> None:
    number = desk.hold_session(rows=(row(640, SIGN_ON_MS, "882066.6309", "12.9437"),))
    session = desk.run("session", "show", str(number), "--json").json
    received = "".join(entry["bytes"] for entry in session["log"] if entry["direction"] == "from_meter")
    assert received == b"".join(data for _, direction, data in TALK if direction is Direction.FROM_METER).hex()
    frame = next(frame for entry in session["log"] for frame in entry.get("frames", ()) if frame["start"] == ROW_START)
    assert frame["end"] == ROW_START + len(ROW)
    assert frame["fields"][0]["start"] == 0
    assert frame["fields"][-1]["end"] == len(ROW)
    assert "interval row 640" in frame["stored"][0]["text"]


def test_show_without_hex_or_fields_and_with_a_limit(desk: Desk) -> None:
    number = str(desk.hold_session())
    assert "2F 3F 21" not in desk.run("session", "show", number, "--no-hex").out
    assert "BCC" not in desk.run("session", "show", number, "--no-fields").out
    limited = desk.run("session", "show", number, "--limit", "2").out
    assert "and 11 more entries" in limited


def test_damaged_block_is_marked(desk: Desk) -> None:
    damaged = (*TALK[:-2], (2400, Direction.FROM_METER, ROW[:-1] + b"\x55"))
    out = desk.run("session", "show", str(desk.hold_session(damaged))).out
    assert "FAULT" in out
    assert "1 faulty frame" in out


def test_filters_narrow_the_list(desk: Desk) -> None:
    desk.hold_session()
    silent = desk.hold_session(TALK[:2], outcome=Outcome.SILENT, detail="3 requests", started_ms=SIGN_ON_MS + 3_600_000)
    other = desk.hold_session(serial="20511893", transport="serial", started_ms=SIGN_ON_MS + 7_200_000)

    def ids(*filters: str) -> list[int]:
        return [session["id"] for session in desk.run("session", "list", "--json", *filters).json]

    assert ids("--outcome", "silent") == [silent]
    assert ids("--transport", "serial") == [other]
    assert ids("--meter", "20511893") == [other]
    assert ids("--from", "2014-05-02T06:30:00Z", "--to", "2014-05-02T07:30:00Z") == [silent]
    assert ids("--meter", "41203377", "--from", "2014-05-02 10:30") == [silent]
    assert ids("--limit", "1") == [other]
    assert ids("--search", "3 requests") == [silent]


def test_terminal_shows_times_in_the_meters_zone(desk: Desk) -> None:
    desk.hold_session()
    assert "2014-05-02 10:00:00+04:00" in desk.run("session", "list").out


def test_sessions_of_a_list_are_in_one_zone_whoever_was_identified(desk: Desk) -> None:
    desk.hold_session()
    desk.hold_session(TALK[:2], serial="", outcome=Outcome.SILENT)
    started = "2014-05-02 10:00:00"
    assert desk.run("session", "list").out.count(f"{started}+04:00") == 2
    assert desk.run("meter", "add", "20511893", "--time-zone", "Asia/Yekaterinburg").status == 0
    assert desk.run("session", "list").out.count("2014-05-02 06:00:00+00:00") == 2
    assert f"{started}+04:00" in desk.run("session", "list", "--meter", "41203377").out


def test_session_that_is_not_there_says_so(desk: Desk) -> None:
    ran = desk.run("session", "show", "99")
    assert ran.status == 2
    assert "session list" in ran.err


def test_session_of_a_codec_that_is_gone_shows_its_bytes(desk: Desk) -> None:
    number = desk.hold_session()
    with desk.store() as store:
        store.connection.raw.execute("UPDATE session SET codec = 'gone'")
        store.connection.raw.commit()
    ran = desk.run("session", "show", str(number))
    assert ran.status == 0
    assert "2F 45 6C 73" in ran.out


def test_verify_finds_totals_that_differ_from_the_log(desk: Desk) -> None:
    number = str(desk.hold_session())
    with desk.store() as store:
        store.connection.raw.execute("UPDATE session SET bytes_received = bytes_received + 1")
        store.connection.raw.commit()
    ran = desk.run("session", "verify", number)
    assert ran.status == 1
    assert "NOT  bytes received" in ran.out


def test_verify_finds_a_reading_that_the_bytes_do_not_give(desk: Desk) -> None:
    number = str(desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0", "2.0"),)))
    ran = desk.run("session", "verify", number, "--json")
    assert ran.status == 1
    failed = [check["check"] for check in ran.json["checks"] if not check["ok"]]
    assert failed == ["replay"]


def test_capture_export_is_the_session(desk: Desk) -> None:
    number = desk.hold_session()
    assert desk.run("session", "export", str(number), "--format", "capture", "-o", "x.capture").status == 0
    capture = read_capture((desk.folder / "x.capture").read_text(encoding="utf-8"))
    assert capture.header.meter == "41203377"
    assert capture.header.zone == "Europe/Moscow"
    shown = [(entry.at_ms - SIGN_ON_MS, entry.direction, entry.data) for entry in capture.entries]
    assert [entry for entry in shown if b"(3:" not in entry[2]] == [entry for entry in TALK if b"(3:" not in entry[2]]


def test_export_goes_to_a_named_file_by_itself(desk: Desk) -> None:
    number = desk.hold_session()
    ran = desk.run("session", "export", str(number))
    assert ran.status == 0
    assert (desk.folder / f"session-{number}.pcapng").read_bytes().startswith(bytes.fromhex("0A 0D 0D 0A"))
    assert f"session-{number}.pcapng" in ran.err
