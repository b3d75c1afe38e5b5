"""``workbench export``: a person who has Wireshark or Kaitai."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway_server.cli.program import call


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)


def test_installed_profile_becomes_a_dissector_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["workbench", "export", "reference-push", "--format", "wireshark"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("-- reference-push ")
    assert 'DissectorTable.get("tcp.port")' in said


def test_file_becomes_a_format_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile, written = tmp_path / "box.yaml", tmp_path / "box.ksy"
    profile.write_text(
        "reads: meter_profile\nframing: {name: f, start: AA, size: 3}\n"
        "messages: [{name: m, fields: [{name: volume, type: u16}]}]\n"
    )
    assert call(["workbench", "export", str(profile), "--format", "kaitai", "--output", str(written)]) == 0
    assert capsys.readouterr().out == f"written to {written}\n"
    document = yaml.safe_load(written.read_text("utf-8"))
    assert document["types"]["message_m"]["seq"] == [{"id": "volume", "type": "u2be"}]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["lis200", "--format", "kaitai"], "the codec lis200 is no meter profile"),
        (
            ["modbus-example", "--format", "kaitai"],
            "modbus-example is declared, but no meter profile, and only those can be exported",
        ),
        (["nowhere.yaml", "--format", "kaitai"], "there is no file nowhere.yaml"),
        (["reference-push", "--format", "kaitai", "--output", "no/such/place"], "cannot write no/such/place"),
    ],
)
def test_what_cannot_be_exported_is_told(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["workbench", "export", *arguments]) == 2
    assert complaint in capsys.readouterr().err
