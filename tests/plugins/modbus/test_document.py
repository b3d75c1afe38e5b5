"""The shipped maps, and what the documents show of maps."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.registry import bundled_plugins, load_codecs
from plugins.modbus import Modbus
from tests.plugins.modbus.maps import codec_of

ROOT = Path(__file__).resolve().parents[3]


def test_example_that_is_shipped_is_spoken_to_nobody_unasked() -> None:
    example = load_codecs().get("modbus-example")
    assert isinstance(example, Modbus)
    assert example.probe_settings == ()
    assert example.map.source == "guess"
    assert "Invented" in example.map.about


def test_question_to_the_unit_claims_no_register_and_says_that_nothing_is_confirmed() -> None:
    question = load_codecs().get("bpek-modbus")
    assert isinstance(question, Modbus)
    assert question.map.entries == ()
    assert question.map.source == "guess"
    assert "NOBODY HAS CONFIRMED IT" in (bundled_plugins() / "bpek-modbus.yaml").read_text("utf-8")
    assert {(9600, "8N1"), (19200, "8E1")} <= set(question.probe_settings)


def test_every_map_in_the_document_is_one() -> None:
    blocks = (ROOT / "docs/modbus.md").read_text("utf-8").split("```yaml\n")[1:]
    maps = [block.split("```")[0] for block in blocks]
    assert maps
    for text in maps:
        codec_of(text if text.startswith("reads:") else f"reads: modbus\n{text}")
