"""A YAML file in a folder of plugins is a codec."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.codec import Answers, Asks, Encodes, Interprets
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs


def test_shipped_profile_is_a_codec_with_everything_that_one_can_be() -> None:
    registry = load_codecs()
    codec = registry.get("reference-push")
    assert isinstance(codec, ProfileCodec)
    assert isinstance(codec, Asks)
    assert isinstance(codec, Answers)
    assert isinstance(codec, Interprets)
    assert isinstance(codec, Encodes)
    assert codec.version.startswith("1.")
    assert registry.path("reference-push").name == "reference-push.yaml"


def test_wrong_profile_is_left_out_with_its_file_line_key_and_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "reads: meter_profile\n"
        "framing: {name: frame, end: LF}\n"
        "messages:\n"
        "  - name: push\n"
        "    fields:\n"
        "      - {name: volume, type: u99}\n",
        "utf-8",
    )
    registry = load_codecs([tmp_path])
    (problem,) = registry.problems
    said = str(problem)
    assert said.startswith(f"{path}: line 6: messages 1: fields 1: type is 'u99'; it is one of: u8, ")
    assert "wrong" not in registry
