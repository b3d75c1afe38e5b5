"""tshark loads what is exported, and shows the very fields and values of our own dissection."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_server.codec.codec import NOISE, SENT, Frame
from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction
from gateway_server.store.records import LogEntry
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.export_wireshark import abbreviation, wireshark
from gateway_server.workbench.pcapng import pcapng
from tests.plugins.contract import CAPTURES, cut

PROFILES = Path(__file__).resolve().parents[1] / "plugins/profiles"
REGISTRY = load_codecs([PROFILES])
SESSIONS = [
    (name, place)
    for name in ("reference-push", *(path.stem for path in sorted(PROFILES.glob("*.yaml"))))
    for place in sorted((CAPTURES / name).glob("*.capture"))
]
HEADERS = 14 + 20 + 20  # Ethernet, IPv4, TCP: what our own export puts before the bytes

Told = tuple[str, str, int, int]


def of_tshark(codec: ProfileCodec, entries: list[LogEntry], folder: Path) -> list[Told]:
    """Every field of the exported dissector: its name, its value, its place in the chunk."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    script, session = folder / "dissector.lua", folder / "session.pcapng"
    script.write_text(wireshark(codec.profile), "utf-8")
    session.write_bytes(b"".join(pcapng(entries)))
    command = ["tshark", "-X", f"lua_script:{script}", "-r", str(session), "-T", "pdml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Lua" not in done.stderr, done.stderr
    prefix = f"{abbreviation(codec.profile)}."
    return [
        (one.get("name", "").removeprefix(prefix), one.get("show", ""), int(one.get("pos", 0)) - HEADERS,
         int(one.get("size", 0)))
        for one in ET.fromstring(done.stdout).iter("field")
        if one.get("name", "").startswith(prefix)
    ]  # fmt: skip


def in_one(entries: list[LogEntry]) -> list[LogEntry]:
    """The same session with what one side said at a stretch in one chunk: a frame that is cut has no one place."""
    found: list[LogEntry] = []
    for entry in entries:
        if entry.direction is Direction.NOTE:
            continue
        if found and found[-1].direction is entry.direction:
            found[-1] = LogEntry(found[-1].at_ms, entry.direction, found[-1].data + entry.data)
        else:
            found.append(entry)
    return found


def of_ours(codec: ProfileCodec, entries: list[LogEntry]) -> Iterator[Told]:
    """The same by our own dissection."""
    for entry in entries:
        if entry.direction is Direction.TO_METER:
            frames = [Frame(SENT, entry.data)]
        elif entry.direction is Direction.FROM_METER:
            frames = [frame for frame in cut(codec, [entry.data]) if frame.kind != NOISE]
        else:
            continue
        for frame in frames:
            for field in codec.dissect(frame):
                name = re.sub(r"\[\d+\]", "", field.name)
                yield name, field.value, frame.start + field.start, field.end - field.start


@pytest.mark.parametrize(("name", "place"), SESSIONS, ids=lambda one: one if isinstance(one, str) else one.stem)
def test_tshark_shows_the_same_fields_and_values(tmp_path: Path, name: str, place: Path) -> None:
    codec = REGISTRY.get(name)
    assert isinstance(codec, ProfileCodec)
    entries = in_one(read_capture(place.read_text("utf-8")).entries)
    shown = of_tshark(codec, entries, tmp_path)
    assert [one for one in shown if one[0] == "fault"] == []
    told = [one for one in shown if one[0] not in ("message", "noise")]
    assert told == list(of_ours(codec, entries))
    assert len(told) > 5


ODDITIES = r"""
reads: meter_profile
parity: even
framing: {name: frame, start: STX, end: ETX, coding: {escape: ESC, xor: 0x40, also: 02 03}, check: {rule: CRC-8/SMBUS}}
messages:
  - name: all
    fields:
      - {name: big, type: u64}
      - {name: negative, type: i24, order: little}
      - {name: swapped, type: u32, order: word_swapped}
      - {name: double, type: double, digits: 12}
      - {name: single, type: float, places: 2, order: byte_swapped}
      - {name: bcd_time, type: time, bcd: ss mm hh DD MM YY}
      - {name: signed_bcd, type: bcd, size: 2, sign: high_bit}
      - {name: none, type: u16, missing: 0xFFFF}
      - {name: alarms, type: flags, words: {0: tamper}}
      - {name: exponent, type: i8}
      - {name: scaled, type: u16, scale: pow10(exponent)}
      - {name: word, type: text, until: "';'"}
"""


def test_every_kind_of_number_time_and_coding_is_shown_alike(tmp_path: Path) -> None:
    place = tmp_path / "oddities.yaml"
    place.write_text(ODDITIES.replace("parity: even\n", "").replace("xor: 0x40", "xor: 64"), "utf-8")
    codec = make_codec(parse_profile(read_declaration(place)))
    body = bytes.fromhex(
        "FFFF000000000001 FEFFFF 00020001 3FF3C0CA428C59FB 48 43 33 B3 30 59 23 31 12 25 92 34 FFFF 03 FE 04D2"
    )
    contents = body + b"ab;"
    data = codec.machine.compiled.layouts["frame"].build(contents)
    frame = Frame("frame", data)
    assert codec.decode(frame).name == "all"
    entries = [LogEntry(0, Direction.FROM_METER, data)]
    shown = [one for one in of_tshark(codec, entries, tmp_path) if one[0] not in ("message", "noise")]
    ours = list(of_ours(codec, entries))
    # In an escaped frame both tell the places on the wire.
    assert shown == ours
    assert dict((name, value) for name, value, _, _ in shown)["big"] == "18446462598732840961"


def test_damaged_frame_is_told_with_the_check_that_it_should_have(tmp_path: Path) -> None:
    codec = REGISTRY.get("iec101")
    assert isinstance(codec, ProfileCodec)
    (entry,) = read_capture((CAPTURES / "iec101/published.capture").read_text("utf-8")).entries
    damaged = entry.data[:-2] + b"\x00\x16"
    shown = of_tshark(codec, [LogEntry(0, Direction.FROM_METER, damaged)], tmp_path)
    assert [one[1] for one in shown if one[0] == "fault"] == ["should be A6"]


def test_what_lua_cannot_say_is_said_at_the_head() -> None:
    codec = REGISTRY.get("teltonika8")
    assert isinstance(codec, ProfileCodec)
    head = wireshark(codec.profile).partition("local PROFILE")[0]
    assert "value8 is calculated with as a rounded number beyond 2^53" in head


CODED = r"""
reads: meter_profile
framing:
  - name: record
    start: "':'"
    coding: hex
    header: [{name: count, type: u8}, {name: address, type: u16}, {name: kind, type: u8}]
    length: {field: count, uncounted: 8}
    check: {rule: negated_sum8, covers: header}
    end: CR LF
  - name: frame
    start: 7E
    coding: {escape: 7D, xor: 0x20, also: 7E 11 13}
    header: [{name: size, type: u16}]
    length: {field: size, uncounted: 4}
    check: {rule: inverted_sum8, covers: body}
  - name: counted
    start: 7F
    coding: hdlc
    header: [{name: whole, type: u8}]
    length: {field: whole, counts: whole, over: wire}
messages:
  - {name: told, framing: record, fields: [{name: body, type: bytes}]}
  - {name: sent, framing: frame, fields: [{name: api, type: u8}, {name: data, type: u8}]}
  - {name: wire, framing: counted, fields: [{name: all, type: bytes}]}
"""


def test_coded_frames_that_tell_their_size_are_cut_and_shown_alike(tmp_path: Path) -> None:
    place = tmp_path / "coded.yaml"
    place.write_text(CODED, "utf-8")
    codec = make_codec(parse_profile(read_declaration(place)))
    stream = b":10010000214601360121470136007EFE09D2190140\r\n" + bytes.fromhex("7E 00 02 23 7D 31 CB 7F 05 7D 5E 01")
    entries = [LogEntry(0, Direction.FROM_METER, stream + stream)]
    shown = [one for one in of_tshark(codec, entries, tmp_path) if one[0] != "message"]
    assert shown == list(of_ours(codec, entries))
    assert [value for name, value, _, _ in shown if name in ("api", "data", "all")] == ["35", "17", "7E 01"] * 2
