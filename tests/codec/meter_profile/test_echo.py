"""Replies that repeat the check of what they answer, as Galileosky's devices want it."""

from __future__ import annotations

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.echo import Echo
from gateway_server.errors import OperatorError
from gateway_server.model import KnownMeter, Outcome, ReadOrder
from gateway_server.testing.play import play
from tests.codec.meter_profile.profiles import codec_of, profile_of

# Head, length and acknowledgement as in the protocol of Galileosky terminals; the tags are left out.
TERMINAL = """
reads: meter_profile
byte_order: little
framing:
  - name: packet
    from: meter
    start: "01"
    header: [{name: length, type: u16}]
    length: {field: length, uncounted: 5}
    check: {rule: CRC-16/MODBUS, covers: start, order: little}
  - {name: receipt, from: gateway, start: "02", size: 3}
messages:
  - {name: packet, framing: packet, fields: [{name: imei, type: text, size: 4}, {name: level, type: u8}],
      identify: {serial: imei}, rows: {values: {value: level, quantity: pressure}}}
  - {name: receipt, framing: receipt, from: gateway, fields: [{name: crc, type: u16}]}
answer:
  - listen: {on: [{message: packet, reply: {send: receipt, with: {crc: check}}}],
      on_error: {send: receipt, with: {crc: check ^ 0xFFFF}}}
"""


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS, bit by bit, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


PACKET = b"\x01\x05\x00" + b"3571" + b"\x2a"


def test_reply_repeats_the_check_of_the_packet_it_answers() -> None:
    talk = play(codec_of(TERMINAL)).receives(PACKET + crc(PACKET)).identifies("3571").saves_row({"pressure": "42"})
    talk.sends(b"\x02" + crc(PACKET)).hangs_up().ends(Outcome.READ)


def test_reply_to_a_damaged_packet_may_look_at_the_check_that_came() -> None:
    play(codec_of(TERMINAL)).receives(PACKET + b"\x12\x34").sends(b"\x02\xed\xcb")


def test_check_in_hex_digits_behind_the_end_is_the_number_that_they_say() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        framing:
          - {name: line, start: "'$'", end: CR, check: {rule: xor8, covers: header, place: after_end, written: hex}}
        messages:
          - {name: ask, from: gateway, fields: [{name: word, type: text}]}
          - {name: told, fields: [{name: serial, type: text}]}
        read: [{send: ask, with: {word: "'A'"}, receive: told}, {send: ask, with: {word: text(check)}}]
        """
    )
    meter = KnownMeter("7", ReadOrder(frozenset()))
    talk = play(codec, expected=meter).sends(b"$A\r4C").receives(b"$7\r3A")
    talk.sends(b"$58\r" + b"%02X" % (ord("5") ^ ord("8") ^ 0x0D)).ends(Outcome.READ)


def test_field_that_is_called_check_stays_that_field() -> None:
    profile = TERMINAL.replace("name: level", "name: check").replace("value: level", "value: check")
    talk = play(codec_of(profile)).receives(PACKET + crc(PACKET)).saves_row({"pressure": "42"})
    talk.sends(b"\x02\x2a\x00")


def test_profile_that_does_not_look_at_it_pays_nothing_for_it() -> None:
    codec = codec_of(TERMINAL)
    assert codec.machine.echo.is_wanted
    silent = profile_of(TERMINAL.replace("crc: check ^ 0xFFFF", "crc: length").replace("crc: check", "crc: level"))
    assert not Echo(silent, {}).is_wanted
    values: dict[str, object] = {}
    codec.machine.echo.add(values, Frame("receipt", b"\x02\x00\x00"))
    codec.machine.echo.add(values, Frame("other", b""))
    codec.machine.echo.add(values, Frame("packet", b""))
    assert values == {}


def test_frame_without_a_check_has_none_to_repeat() -> None:
    with pytest.raises(OperatorError, match="uses 'check', which is not known here"):
        profile_of(TERMINAL.replace("    check: {rule: CRC-16/MODBUS, covers: start, order: little}\n", ""))
