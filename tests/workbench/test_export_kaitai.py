"""Kaitai's own compiler accepts what is exported, and what it makes of it reads the same values as we do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kaitaistruct import KaitaiStruct

from gateway_server.codec.codec import Frame
from gateway_server.codec.declaration import declaration_of, read_declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.form import Bcd, Flags, Integer, Text
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.meter_profile.reading import Trace
from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.export_kaitai import kaitai
from tests.plugins.contract import CAPTURES, cut

ROOT = Path(__file__).resolve().parents[2]
COMPILER = ROOT / ".venv/npm/node_modules/kaitai-struct-compiler"
PROFILES = ROOT / "tests/plugins/profiles"
REGISTRY = load_codecs([PROFILES])
NAMES = ("reference-push", *(path.stem for path in sorted(PROFILES.glob("*.yaml"))))
COMPILE = """
const compiler = require(process.argv[1]);
const format = JSON.parse(require('fs').readFileSync(0));
compiler.compile(process.argv[2], format, null, false)
  .then((files) => console.log(JSON.stringify(files)), (error) => { console.error(String(error)); process.exit(1); });
"""


def codec_of(name: str) -> ProfileCodec:
    codec = REGISTRY.get(name)
    assert isinstance(codec, ProfileCodec)
    return codec


def compiled(text: str, language: str = "python") -> dict[str, str]:
    """What Kaitai's compiler makes of a format."""
    if shutil.which("node") is None or not COMPILER.is_dir():
        pytest.skip("kaitai-struct-compiler is not installed: scripts/test installs it")
    command = ["node", "-e", COMPILE, str(COMPILER), language]
    done = subprocess.run(
        command, input=json.dumps(yaml.safe_load(text)), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    files: dict[str, str] = json.loads(done.stdout)
    return files


def parser_of(codec: ProfileCodec) -> Any:
    """The class that Kaitai's compiler wrote for a profile."""
    (source,) = compiled(kaitai(codec.profile)).values()
    module: dict[str, Any] = {"__name__": "generated"}
    exec(source, module)
    classes = [one for one in module.values() if isinstance(one, type) and issubclass(one, KaitaiStruct)]
    return next(one for one in classes if one is not KaitaiStruct and one.__name__ != "ReadWriteKaitaiStruct")


def leaves(parsed: Any) -> Iterator[tuple[str, Any]]:
    """Every named value in what Kaitai read, in the order in which it was read."""
    for name, value in vars(parsed).items():
        if name.startswith("_"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, KaitaiStruct):
                if hasattr(type(one), "value"):
                    yield name, one.value
                else:
                    yield from leaves(one)
            else:
                yield name, one


def ours(codec: ProfileCodec, frame: Frame) -> list[tuple[str, Any]]:
    """The same of the fields whose raw values Kaitai can have: whole numbers and texts."""
    message = codec.machine.compiled.messages[codec.decode(frame).name]
    trace = Trace()
    message.read(message.layout.contents(frame.data), trace)
    return [
        (field.name, value)
        for _, field, _, _, value, *_ in trace.fields
        if isinstance(field.type, (Integer, Flags, Bcd, Text)) and field.scale is None and not field.missing
    ]


@pytest.mark.parametrize("name", NAMES)
def test_compiler_accepts_the_export(name: str) -> None:
    assert compiled(kaitai(codec_of(name).profile))


def test_export_is_good_for_other_languages_too() -> None:
    assert compiled(kaitai(codec_of("reference-push").profile), "javascript")


@pytest.mark.parametrize("name", ["dlms_push", "iec101", "iec1107_readout", "mbus", "nmea0183"])
def test_what_kaitai_reads_is_what_we_read(name: str) -> None:
    codec = codec_of(name)
    parser = parser_of(codec)
    compared = 0
    for place in sorted((CAPTURES / name).glob("*.capture")):
        for entry in read_capture(place.read_text("utf-8")).entries:
            if entry.direction is not Direction.FROM_METER:
                continue
            for frame in cut(codec, [entry.data]):
                if frame.kind != codec.profile.framings[0].name and not hasattr(parser, "first_byte"):
                    continue
                told = list(leaves(parser.from_bytes(frame.data)))
                wanted = ours(codec, frame)
                names = {one for one, _ in told}
                common = [(one, value) for one, value in wanted if one in names]
                assert [(one, value) for one, value in told if (one, value) in common][: len(common)] == common
                compared += len(common)
    assert compared > 5


def test_scaled_and_odd_numbers_are_read_raw_and_exactly(tmp_path: Path) -> None:
    place = tmp_path / "odd.yaml"
    place.write_text(
        "reads: meter_profile\nframing: {name: frame, start: AA, size: 15}\nmessages:\n  - name: all\n    fields:\n"
        "      - {name: three, type: u24, order: little}\n      - {name: negative, type: i24}\n"
        "      - {name: swapped, type: u32, order: word_swapped}\n"
        "      - {name: digits, type: bcd, size: 2, order: little}\n"
        "      - {name: kinds, type: bits, size: 2, order: little, parts: [\n"
        "          {name: low, bits: 0-3}, {name: high, bits: 4-15}]}\n"
    )
    codec = make_codec(parse_profile(read_declaration(place)))
    data = bytes.fromhex("AA 010203 FFFFFE 00020001 3412 5A0B")
    parsed = parser_of(codec).from_bytes(data)
    found = dict(leaves(parsed))
    assert (found["three"], found["negative"]) == (0x030201, -2)
    assert (found["swapped"], found["digits"]) == (0x00010002, 1234)
    assert (found["low"], found["high"]) == (0xA, 0x0B5)


MEANT = """
reads: meter_profile
framing:
  - {name: short, start: AA, size: 12}
  - {name: long, start: BB, header: [{name: size, type: u8}], length: {field: size, uncounted: 2}}
messages:
  - name: told
    framing: short
    fields:
      - {name: valve, type: u8, words: {0: closed, 1: open, 7: 'за-крыт'}}
      - {name: volume, type: u24, order: little, scale: 0.01}
      - {name: pressure, type: i16, scale: 1/8, missing: -1}
      - {name: digits, type: bcd, size: 2, scale: 10, if: valve == 1}
      - {name: state, type: flags, words: {0: low battery, 3: tamper}}
      - {name: kinds, type: bits, parts: [{name: gas, bits: 0-0, words: {1: natural}}, {name: rest, bits: 1-7}]}
      - {name: more, type: u8}
  - name: other
    framing: long
    fields: [{name: power, type: i8}, {name: number, type: u16, scale: pow10(power)}]
"""


def meant() -> ProfileCodec:
    return make_codec(parse_profile(declaration_of(MEANT.encode(), Path("meant.yaml"))))


def test_words_are_enums_and_constant_scales_are_values_beside_the_raw_ones() -> None:
    parser = parser_of(meant())
    frame = parser.from_bytes(bytes.fromhex("AA 01 40E201 0009 1234 09 01 00")).frame
    body = frame.body
    assert (body.valve, body.valve_word.name) == (1, "open")
    assert (body.volume.value, body.volume_scaled) == (123456, 1234.56)
    assert (body.pressure, body.pressure_scaled) == (9, 1.125)
    assert body.digits_scaled == 12340
    assert (body.state_low_battery, body.state_tamper) == (True, True)
    assert body.gas_word.name == "natural"


def test_value_that_is_missing_or_not_there_has_no_scaled_one() -> None:
    parser = parser_of(meant())
    body = parser.from_bytes(bytes.fromhex("AA 07 40E201 FFFF 08 00 00 00 00")).frame.body
    assert body.valve_word.name == "value_7"
    assert (body.pressure_scaled, body.digits_scaled) == (None, None)
    assert (body.state_low_battery, body.state_tamper) == (False, True)


def test_frame_is_of_the_framing_whose_start_it_has() -> None:
    parser = parser_of(meant())
    assert parser.from_bytes(bytes.fromhex("BB 03 FE 0102")).frame.body.number == 0x102
    document = yaml.safe_load(kaitai(meant().profile))
    assert set(document["types"]) >= {"frame_short", "frame_long"}
    assert "which framing" not in document["doc"]
    assert "the scale of number: Kaitai has no function pow10" in document["doc"]
    assert "which framing a frame has" in yaml.safe_load(kaitai(codec_of("teltonika8").profile))["doc"]


def test_what_cannot_be_said_is_said_in_the_file() -> None:
    document = yaml.safe_load(kaitai(codec_of("dlt645").profile))
    assert "51 was added to each of its bytes" in document["doc"]
    assert document["types"]["message_answer"]["seq"] == [{"id": "rest1", "size-eos": True}]
    assert "dife2 of" in yaml.safe_load(kaitai(codec_of("mbus").profile))["doc"]


def test_coded_frame_that_tells_its_size_is_kept_whole_and_that_is_said(tmp_path: Path) -> None:
    place = tmp_path / "coded.yaml"
    place.write_text(
        "reads: meter_profile\nframing:\n  name: record\n  start: \"':'\"\n  coding: hex\n  end: CR LF\n"
        "  header: [{name: count, type: u8}]\n  length: {field: count, uncounted: 4}\n"
        "messages: [{name: told, fields: [{name: body, type: bytes}]}]\n"
    )
    codec = make_codec(parse_profile(read_declaration(place)))
    document = yaml.safe_load(kaitai(codec.profile))
    assert "the coding of record: its content is kept as it stands on the wire" in document["doc"]
    assert "where a frame of record ends: the data must hold one frame and nothing else" in document["doc"]
    parsed = parser_of(codec).from_bytes(b":020A0B\r\n")
    assert parsed.frame.content == b"020A0B"
