"""``workbench``: a person with a profile and captures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway_server.cli.program import call

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
    assert set(checks[0]) == {"capture", "check", "ok", "detail"}


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


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "meter profile"
