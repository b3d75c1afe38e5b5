"""Bytes look the same wherever they are shown."""

from __future__ import annotations

from gateway_server.codec.hexdump import ascii_beside, hex_lines, hexdump, spaced
from gateway_server.model import Direction


def test_sign_on_is_one_line_with_its_characters_beside() -> None:
    assert hexdump(b"/?!\r\n", Direction.TO_METER) == "> 2F 3F 21 0D 0A                                   /?!.."
    assert hexdump(b"/?!\r\n") == "2F 3F 21 0D 0A                                   /?!.."


def test_sixteen_bytes_stand_in_a_line_and_every_line_is_marked() -> None:
    lines = list(hex_lines(bytes(range(0x30, 0x30 + 33)), Direction.FROM_METER))
    assert lines[0] == "< 30 31 32 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F  0123456789:;<=>?"
    assert lines[1] == "< 40 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F  @ABCDEFGHIJKLMNO"
    assert lines[2] == "< 50                                               P"
    assert len(lines) == 3


def test_note_is_shown_as_its_text() -> None:
    assert hexdump("gap in °C\nsecond line".encode(), Direction.NOTE) == "- gap in °C\n- second line"


def test_nothing_is_still_a_line() -> None:
    assert hexdump(b"", Direction.FROM_METER) == "<"


def test_what_is_not_printable_is_a_dot() -> None:
    assert ascii_beside(b"\x00A\x7f\xffz ~") == ".A..z ~"
    assert spaced(b"\x00\xaf") == "00 AF"
