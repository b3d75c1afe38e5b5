"""Framings as profiles write them; what they cut is in test_framing."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.form import Bytes, Escape, Integer, Length
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import framed


def test_length_by_place_makes_the_header_it_stands_in() -> None:
    framing = framed("start: '68'\nlength: {at: 3, size: 2, order: little}").profile.framing("frame")
    assert framing.length == Length("length", 5)
    assert (framing.header[0].name, framing.header[0].type) == ("before_length", Bytes())
    assert isinstance(framing.header[1].type, Integer)


def test_length_by_field_counts_the_rest_or_the_whole_or_leaves_out_what_is_said() -> None:
    header = "start: '68'\nheader: [{name: kind, type: u8}, {name: size, type: u16}]\nlength: "
    for keys, uncounted in (("", 4), (", counts: whole", 0), (", uncounted: 6", 6)):
        assert framed(f"{header}{{field: size{keys}}}").profile.framing("frame").length == Length("size", uncounted)


def test_own_escapes() -> None:
    framing = framed("start: STX\nend: ETX\ncoding: {escape: '10', xor: 0, table: {02: 22, 10: 30}}").profile
    assert framing.framing("frame").escape == Escape(0x10, ((0x02, 0x22), (0x10, 0x30)))


@pytest.mark.parametrize(
    ("framing", "why"),
    [
        ("start: STX", "does not say where a frame ends: give `length`, `size`, `end` or `gap`"),
        ("start: STX\nsize: 4\nlength: {at: 1}", "size goes not with `length`"),
        ("start: STX\ngap: 1\ncoding: slip", "coding needs an `end`, a `length` or a `size`"),
        ("start: STX\nend: ETX\nshared_end: yes\nsize: 4\ncoding: hex", "shared_end goes not with `coding` and `size`"),
        ("start: STX\nlength: {at: 1, counts: whole, over: wire}", "over: wire`, but without a `coding`"),
        ("start: STX\ncoding: hex\nlength: {at: 1, over: wire}", "over goes with `counts: whole` or `uncounted`"),
        ("start: STX\ncoding: hex\nlength: {at: 1, counts: rest, over: wire}", "counts is `rest`, but over the wire"),
        ("start: STX\ncoding: hex\nlength: {at: 1, over: ether}", "over is 'ether'; it is one of: plain, wire"),
        ("start: STX\nsize: 4\nshared_end: yes", "shared_end needs an `end`"),
        ("start: STX\nsize: 0", "size is 0; it is from 1 to 1024"),
        ("start: STX\nsize: 2000", "size is 2000; it is from 1 to 1024"),
        ("start: 00 00 00\nend: LF\nmost: 3", "most is 3, but no frame has less than 4 bytes"),
        ("end: LF\nmost: 70000", "most is '70000'; it is a whole number from 1 to 65536"),
        ("start: XYZ\nend: LF", "'XYZ' is no bytes; control characters are NUL"),
        ("end: LF\ncoding: morse", "coding is 'morse'; it is one of: none, hex, hdlc, slip, dle"),
        ("end: LF\ncoding: {escape: 10}", "needs a `table` or an `xor`"),
        ("end: LF\ncoding: {escape: 10, table: {02: 22}}", "does not say how the escape 10 itself is sent"),
        ("end: LF\ncoding: {escape: 10, table: {10: 22, 11: 22}}", "sends two bytes alike"),
        ("end: LF\ncoding: {escape: 10 11, xor: 1}", "escape is one byte"),
        ("end: LF\ncoding: {escape: 10, table: {1: 22}}", "1 is the hex pair of a byte"),
        ("length: {field: size}", "field is 'size', which is no field of the header"),
        ("header: [{name: a, type: u8}]\nlength: {at: 1}", "header goes not with a length `at` a place"),
        ("end: LF\ngap: 100", "gap is 100; it is from 0 to 60 seconds"),
        ("end: LF\ncheck: []", "check is a list of tables"),
    ],
)
def test_keys_that_make_no_framing_are_told(framing: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        framed(framing)
    assert why in str(found.value)
