"""Frames between their ends: checks in every place, codings both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.form import Escape
from gateway_server.codec.meter_profile.layout import Coding
from gateway_server.codec.meter_profile.parse_framing import ESCAPES
from gateway_server.errors import CodecError
from tests.codec.meter_profile.profiles import framed, frames

HEADER = "header: [{name: kind, type: u8}]\n"


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        ("check: sum8", "02 01 41 42 84 03"),
        ("check: {rule: sum8, covers: start}", "02 01 41 42 86 03"),
        ("check: {rule: sum8, covers: body}", "02 01 41 42 83 03"),
        ("check: {rule: sum8, skip: 1, trim: 1}", "02 01 41 42 41 03"),
        ("check: {rule: sum8, mask: 0x0F}", "02 01 41 42 04 03"),
        ("check: {rule: sum16, order: little}", "02 01 41 42 84 00 03"),
        ("check: {rule: sum8, written: hex}", "02 01 41 42 38 34 03"),
        ("check: {rule: xor8, written: lower_hex, separator: \"'*'\", covers: body}", "02 01 41 42 2A 30 33 03"),
        ("check: {rule: xor8, place: after_end, covers: header}", "02 01 41 42 03 01"),
        ("check: [{rule: sum8, covers: body}, {rule: xor8, place: after_end, covers: start}]", "02 01 41 42 83 03 80"),
    ],
)
def test_check_is_found_and_written_where_the_profile_says(framing: str, wire: str) -> None:
    codec = framed(f"start: STX\nend: ETX\n{HEADER}{framing}")
    data = bytes.fromhex(wire)
    (frame,) = frames(codec, data)
    assert frame == Frame("frame", data)
    said = codec.decode(frame)
    assert (said.values["kind"], said.values["body"]) == (1, b"AB")
    assert codec.encode(said) == data
    damaged = data.replace(b"A", b"C", 1)
    assert frames(codec, damaged)[0].fault.startswith("the check ")


def test_check_over_the_wire_covers_the_escaped_bytes() -> None:
    plain, wire = (
        framed(f"start: '7E'\nend: '7E'\ncoding: hdlc\ncheck: {{rule: sum8, over: {over}}}")
        for over in ("plain", "wire")
    )
    body = {"body": b"\x7e\x01"}
    assert plain.machine.compiled.encode("message", body) == bytes.fromhex("7E 7D 5E 01 7F 7E")
    sent = wire.machine.compiled.encode("message", body)  # 7D + 5E + 01 = DC
    assert sent == bytes.fromhex("7E 7D 5E 01 DC 7E")
    assert frames(wire, sent) == [Frame("frame", sent)]


def test_hex_digits_of_either_case_are_understood() -> None:
    codec = framed("start: STX\nend: ETX\ncheck: {rule: sum8, written: hex}")
    assert frames(codec, b"\x02\xffAf0\x03"[:2] + b"\x3f3e\x03")[0].fault == ""


def test_missing_separator_is_a_fault() -> None:
    codec = framed("start: STX\nend: ETX\ncheck: {rule: sum8, separator: \"'*'\"}")
    assert frames(codec, b"\x02AB#\x83\x03")[0].fault == "its check does not stand behind b'*'"


@given(data=st.binary(max_size=60), name=st.sampled_from(sorted(ESCAPES)))
def test_escaped_bytes_come_back_and_never_hold_an_end(data: bytes, name: str) -> None:
    coding = Coding(ESCAPES[name], False)
    wire = coding.wire(data)
    assert coding.plain(wire) == data
    ends = {"hdlc": b"\x7e", "slip": b"\xc0", "dle": b""}[name]
    assert not ends or ends not in wire
    places = coding.places(wire)
    assert len(places) == len(data) + 1
    assert places[-1] == len(wire)


def test_escape_that_means_nothing_is_an_error_of_the_meter() -> None:
    coding = Coding(Escape(0x10, ((0x02, 0x22), (0x10, 0x30))), False)
    with pytest.raises(CodecError, match="the escape 10 41 means nothing"):
        coding.plain(b"\x10A")
    with pytest.raises(CodecError, match="not made of pairs of hex digits"):
        Coding(None, True).plain(b"ABC")


def test_frame_shorter_than_its_header_and_check_is_told() -> None:
    codec: ProfileCodec = framed(f"start: ':'\nend: LF\ncoding: hex\n{HEADER}check: sum16".replace("':'", "\"':'\""))
    assert frames(codec, b":01\n")[0].fault == "it is too short"


def test_so_many_plain_bytes_are_so_many_on_the_wire() -> None:
    dle = Coding(Escape(0x10, ((0x10, 0x10), (0x02, 0x22))), hex_digits=False)
    assert dle.wire_size(b"\x01\x10\x10\x10\x22\x05\x06", 4) == 6
    assert dle.wire_size(b"\x01\x10\x10\x10", 3) is None  # the last escape lacks its second byte
    assert dle.wire_size(b"\x10\x10\x10\x10", 2) == 4
    assert dle.wire_size(b"\x10", 1) is None
    assert dle.wire_size(b"", 0) == 0
    assert Coding(None, hex_digits=True).wire_size(b"0A0", 1) == 2
    assert Coding(None, hex_digits=True).wire_size(b"0A0", 2) is None
    assert Coding(None, hex_digits=False).wire_size(b"abc", 3) == 3


@given(st.binary(max_size=60), st.integers(0, 60))
def test_wire_bytes_of_plain_ones_are_counted_as_they_are_coded(plain: bytes, count: int) -> None:
    coding = Coding(Escape(0x7D, xor=0x20, also=b"\x7e"), hex_digits=False)
    wire = coding.wire(plain)
    assert coding.wire_size(wire, count) == (len(coding.wire(plain[:count])) if count <= len(plain) else None)
