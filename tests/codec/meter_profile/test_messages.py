"""Frames to messages: which one it is, and what is said when it is none or two."""

from __future__ import annotations

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.form import Side
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.errors import ChecksumError, CodecError
from tests.codec.meter_profile.profiles import codec_of

PROFILE = """
reads: meter_profile
framing: {name: frame, start: STX, end: ETX, header: [{name: kind, type: u8}]}
messages:
  - {name: one, when: {kind: 1}, fields: [{name: a, type: u8}]}
  - {name: two, when: {kind: [2, 3]}, fields: [{name: b, type: u8, is: 5}]}
  - {name: other, when: {kind: 2}, fields: [{name: c, type: u8, is: [5, 6]}]}
  - {name: ask, from: gateway, when: {kind: 1}, fields: [{name: d, type: u16}]}
"""
COMPILED = codec_of(PROFILE).machine.compiled


def frame(text: str, fault: str = "") -> Frame:
    return Frame("frame", bytes.fromhex(f"02 {text} 03"), 0, fault)


def test_message_is_known_by_header_and_constant_fields_and_by_who_says_it() -> None:
    assert COMPILED.read(frame("01 09")).name == "one"
    assert COMPILED.read(frame("03 05")).name == "two"
    assert COMPILED.read(frame("02 06")).name == "other"
    assert COMPILED.read(frame("01 00 09"), Side.GATEWAY) == Said("ask", {"kind": 1, "d": 9})


def test_what_is_awaited_tells_two_messages_apart() -> None:
    with pytest.raises(CodecError, match="matches two messages, two and other: none of them is read"):
        COMPILED.read(frame("02 05"))
    assert COMPILED.read(frame("02 05"), among=frozenset({"other"})).name == "other"


def test_frame_that_is_no_message_says_what_is_wrong_with_it() -> None:
    with pytest.raises(CodecError, match="b is 7, not 5"):
        COMPILED.read(frame("03 07"))
    with pytest.raises(CodecError, match="profile knows: two: b is 7, not 5; other: c is 7, not 5 or 6"):
        COMPILED.read(frame("02 07"))
    with pytest.raises(CodecError, match=r"is no message that the profile knows$"):
        COMPILED.read(frame("09 07"))
    with pytest.raises(CodecError, match="line is no frame of test"):
        COMPILED.read(Frame("line", b"x"))


def test_damaged_frame_is_never_read() -> None:
    with pytest.raises(ChecksumError, match="the frame frame is damaged: sum"):
        COMPILED.read(frame("01 09", "sum"))
    assert COMPILED.loosely(frame("01 09", "sum"), "one") == {"kind": 1, "a": 9}


def test_unknown_message_cannot_be_built() -> None:
    with pytest.raises(CodecError, match="test has no message 'three'"):
        COMPILED.encode("three", {})
