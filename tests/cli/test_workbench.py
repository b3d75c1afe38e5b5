"""``workbench``: a person with a profile and captures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway_server.cli.program import call
from gateway_server.codec.registry import bundled_plugins
from gateway_server.workbench.readings import read_readings
from tests.plugins.first_profile import blocks, saved_in, tutorial

CAPTURES = Path(__file__).parent.parent / "captures/reference-push"
PUSH = str(CAPTURES / "push.capture")


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)


def test_installed_profile_is_verified_against_a_capture(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "verify", "reference-push", PUSH]) == 0
    said = capsys.readouterr().out
    assert "ok     the meter's messages: 1 hello, 1 beat, 1 hourly, 1 happened; 0 not read" in said
    assert "wrong" not in said


def test_every_check_as_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "verify", "reference-push", PUSH, "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert {check["capture"] for check in checks} == {"", PUSH}
    assert {check["ok"] for check in checks} == {True}
    assert set(checks[0]) == {"capture", "check", "ok", "remark", "detail"}
    (told,) = [check["readings"] for check in checks if "readings" in check]
    assert told == read_readings(Path(PUSH).with_suffix(".readings").read_text("utf-8"))


def test_wrong_profile_is_told_with_file_line_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "box.yaml"
    path.write_text("reads: meter_profile\nframing: {name: f, ends: LF}\nmessages: [{name: m}]\n", "utf-8")
    assert call(["workbench", "verify", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}: line 2: framing: " in said


def test_profile_that_misses_a_check_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(
        "reads: meter_profile\nsource: guess\nframing: {name: f, end: LF, characters: text}\n"
        "messages: [{name: m, fields: [{name: a, type: text}]}]\n",
        "utf-8",
    )
    assert call(["workbench", "verify", str(path), PUSH]) == 1
    told = capsys.readouterr()
    assert "wrong  readings: 0 readings and events; missing: " in told.out
    assert "guesses: 3 parts are guesses: framing f, message m, message m: a" in told.out
    assert "checks of box are not met" in told.err


def test_codec_that_is_no_profile_and_a_file_that_is_not_there_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "verify", "lis200"]) == 2
    assert "the codec lis200 is no meter profile" in capsys.readouterr().err
    assert call(["workbench", "verify", "none.yaml"]) == 2
    assert "there is no file none.yaml" in capsys.readouterr().err


def test_what_the_first_profile_reads_is_what_its_document_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, capture = saved_in(tmp_path)
    assert call(["workbench", "verify", str(profile), str(capture)]) == 0
    said = capsys.readouterr().out
    (shown,) = blocks(tutorial(), "readings")
    assert [line.strip() for line in said.partition("what was read:\n")[2].splitlines()] == shown.splitlines()
    profile.write_text(
        profile.read_text("utf-8").replace("type: u32, scale", "type: u32, order: little, scale"), "utf-8"
    )
    assert call(["workbench", "verify", str(profile), str(capture)]) == 0
    assert "base_volume_total 10885532.16 m3" in capsys.readouterr().out  # 40E20100: whoever looks sees it


def test_first_rows_of_many_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile, capture = tmp_path / "box.yaml", tmp_path / "box.capture"
    profile.write_text(
        "reads: meter_profile\nframing: {name: f, start: AA, size: 2}\nmessages: [{name: m, fields:"
        " [{name: v, type: u8}], rows: {order_number: v, values: {value: v, quantity: temprature}}}]\n"
    )
    capture.write_text(
        "# capture 1\nmeter: 7\n\n2026-09-01T09:00:00.000Z < " + " ".join(f"AA {n:02X}" for n in range(25))
    )
    assert call(["workbench", "verify", str(profile), str(capture)]) == 0
    said = capsys.readouterr().out
    assert said.count(" temprature ") == 20 + 1
    assert said.endswith("  and 5 rows more; --json has them all\n")
    assert "note   names: quantity temprature is none of ours; near: temperature" in said


def test_readings_are_kept_beside_a_capture_that_has_none_and_count_from_then_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, capture = saved_in(tmp_path)
    beside = capture.with_suffix(".readings")
    assert call(["workbench", "verify", str(profile), str(capture), "--write-readings"]) == 0
    assert f"{beside}: 4 readings and events written" in capsys.readouterr().err
    kept = beside.read_text("utf-8")
    assert len(read_readings(kept)) == 4
    profile.write_text(profile.read_text("utf-8").replace("scale: 0.1}", "scale: 0.2}"), "utf-8")
    assert call(["workbench", "verify", str(profile), str(capture), "--write-readings"]) == 1
    assert "wrong  readings: 4 readings and events; missing: " in capsys.readouterr().out
    assert beside.read_text("utf-8") == kept


def test_readings_file_that_cannot_be_read_is_told_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, capture = saved_in(tmp_path)
    beside = capture.with_suffix(".readings")
    beside.write_text("interval 311\n")
    assert call(["workbench", "verify", str(profile), str(capture)]) == 2
    said = capsys.readouterr().err
    assert f"{beside}: line 1: " in said
    assert "a line is one JSON object, as `workbench verify --write-readings` writes it" in said


@pytest.mark.parametrize("name", ["modbus-example", "map.yaml"])
def test_map_of_registers_is_verified_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "map.yaml":
        Path(name).write_bytes((bundled_plugins() / "modbus-example.yaml").read_bytes())
    capture = CAPTURES.parent / "modbus-example/pymodbus.capture"
    assert call(["workbench", "verify", name, str(capture)]) == 0
    said = capsys.readouterr().out
    assert "ok     the meter's frames: 5 answer; 0 bytes of noise" in said
    assert "ok     readings: 7 readings and events" in said


def test_mistake_in_a_map_of_registers_is_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "map.yaml"
    wrong.write_text("reads: modbus\nframing: tcp\nunti: 1\n")
    assert call(["workbench", "verify", str(wrong)]) == 2
    said = capsys.readouterr().err
    assert f"{wrong}: " in said
    assert "list of tables" not in said


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "meter profile"
