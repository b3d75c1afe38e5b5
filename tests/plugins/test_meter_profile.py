"""A YAML file in a folder of plugins is a codec."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.codec import Answers, Asks, Encodes, Interprets
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.model import Outcome
from gateway_server.session.plan import Plan, Role
from gateway_server.store.records import MeterRecord
from tests.session.conversations import Scene


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


CLAIMS = """
reads: meter_profile
framing:
  name: frame
  start: 68
  header: [{{name: length, type: u8}}]
  length: {{field: length, uncounted: 4}}
  check: {rule}
messages:
  - {{name: push, fields: [{{name: serial, type: text, size: "2"}}, {{name: v, type: u8}}],
      identify: {{serial: serial}}, rows: {{values: {{value: v, quantity: pressure}}}}}}
  - {{name: stored, from: gateway, fields: [{{name: word, type: text, is: OK}}]}}
answer:
  - listen: {{on: [{{message: push, reply: stored}}]}}
"""


def test_of_two_profiles_that_claim_one_stream_the_first_in_the_listeners_order_that_reads_it_has_it(
    tmp_path: Path,
) -> None:
    for name, rule in (("one", "CRC-16/MODBUS"), ("other", "CRC-16/XMODEM"), ("same", "CRC-16/XMODEM")):
        (tmp_path / f"{name}.yaml").write_text(CLAIMS.format(rule=rule), "utf-8")
    registry = load_codecs([tmp_path])
    other = registry.get("other")
    assert isinstance(other, ProfileCodec)
    frame = other.machine.compiled.encode("push", {"serial": "41", "v": 7})
    scene = Scene()
    scene.store.put_meter(MeterRecord("41"))
    session = scene.session()
    session.begin(Plan(tuple(registry.get(name) for name in ("one", "other", "same")), Role.LISTEN))
    for _ in range(3):
        session.received(frame)
    session.line_lost()
    record = scene.store.session(1)
    assert record is not None
    assert (record.codec, record.outcome, record.readings) == ("other", Outcome.READ, 3)
    notes = [text.decode() for mark, text in scene.log() if mark == "-"]
    assert notes[0].startswith("the frame frame is damaged: the check CRC-16/MODBUS is ")
    assert notes[3].startswith("one: none of the first 3 frames could be read")
    assert notes[3].endswith("; trying other")
    assert len(notes) == 4
    assert scene.line.said == other.machine.compiled.encode("stored", {}) * 3


SILENCE = """
reads: meter_profile
framing: {name: telegram, gap: 0.05}
messages:
  - {name: push, fields: [{name: serial, type: text, size: "2"}, {name: v, type: u8}],
      identify: {serial: serial}, rows: {values: {value: v, quantity: pressure}}}
answer:
  - listen: {on: [{message: push}]}
"""


def test_frame_that_only_silence_ends_is_read_after_that_silence(tmp_path: Path) -> None:
    (tmp_path / "silence.yaml").write_text(SILENCE, "utf-8")
    scene = Scene()
    scene.store.put_meter(MeterRecord("41"))
    session = scene.session()
    session.begin(Plan((load_codecs([tmp_path]).get("silence"),), Role.LISTEN))
    session.received(b"41")
    scene.clock.advance(0.04)
    session.received(b"\x07")
    scene.clock.advance(0.04)
    assert scene.values() == []
    scene.clock.advance(0.02)
    assert scene.values() == ["7"]
