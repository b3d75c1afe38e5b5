"""Texts, bytes and words; numbers and times have tests of their own."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.form import Bytes, Flags, Integer, Order, Text
from gateway_server.codec.meter_profile.leaves import ENCODINGS, fitted, leaf_of, words_of
from gateway_server.errors import CodecError


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [("cp1251", "C3E0E7"), ("koi8-r", "E7C1DA"), ("cp866", "83A0A7"), ("utf-8", "D093D0B0D0B7")],
)
def test_texts_in_the_encodings_of_russian_devices(encoding: str, wire: str) -> None:
    leaf = leaf_of(Text(encoding))
    assert leaf.read(bytes.fromhex(wire)) == "Газ"
    assert leaf.write("Газ") == bytes.fromhex(wire)
    assert encoding in ENCODINGS


def test_what_only_fills_the_place_is_no_part_of_a_text() -> None:
    assert leaf_of(Text(pad=b" ")).read(b" 12  ") == " 12"
    assert leaf_of(Text(pad=b"0", pad_left=True)).read(b"00120") == "120"
    assert fitted(b"12", 5, leaf_of(Text(pad=b"0", pad_left=True)), "a") == b"00012"
    assert fitted(b"12", 5, leaf_of(Text(pad=b"\x00")), "a") == b"12\x00\x00\x00"


def test_bytes_are_given_as_bytes_or_in_hex() -> None:
    leaf = leaf_of(Bytes())
    assert leaf.write("0A FF") == leaf.write(b"\x0a\xff") == b"\x0a\xff"
    for wrong in ("xyz", 5):
        with pytest.raises(CodecError, match="is no bytes"):
            leaf.write(wrong)


def test_text_that_cannot_be_written_or_read_is_told() -> None:
    with pytest.raises(CodecError, match="cannot be written in ascii"):
        leaf_of(Text()).write("Газ")
    with pytest.raises(CodecError, match="FF is no text in utf-8"):
        leaf_of(Text("utf-8")).read(b"\xff")


def test_words_of_flags_and_of_values() -> None:
    flags = words_of(Flags(1, Order.BIG, ((0, "low"),)), ())
    assert flags is not None
    assert [flags(number) for number in (0, 1, 5)] == ["", "low", "low bit2"]
    words = words_of(Integer(1), ((1, "open"),))
    assert words is not None
    assert [words(one) for one in (1, 2, None)] == ["open", "2", ""]
    assert words_of(Integer(1), ()) is None
