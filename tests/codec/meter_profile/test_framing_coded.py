"""Frames whose bytes are coded on the wire: escaped, doubled, or as hex digits."""

from __future__ import annotations

from gateway_server.codec.codec import NOISE, Frame
from tests.codec.meter_profile.profiles import every_cut, framed, frames, kinds


def test_hdlc_escapes_are_undone_and_the_frame_keeps_its_wire_bytes() -> None:
    # RFC 1662, 4.2: 7E is sent as 7D 5E, 7D as 7D 5D.
    codec = framed("start: '7E'\nend: '7E'\ncoding: hdlc")
    data = bytes.fromhex("7E 01 7D 5E 02 7D 5D 7E")
    assert every_cut(codec, data) == [("frame", data)]
    said = codec.decode(frames(codec, data)[0])
    assert said.values["body"] == bytes.fromhex("01 7E 02 7D")
    assert codec.encode(said) == data


def test_one_flag_may_end_a_frame_and_begin_the_next() -> None:
    codec = framed("start: '7E'\nend: '7E'\ncoding: hdlc\nshared_end: yes")
    assert kinds(frames(codec, bytes.fromhex("7E 01 02 7E 03 04 7E"))) == [
        ("frame", bytes.fromhex("7E 01 02 7E")),
        ("frame", bytes.fromhex("03 04 7E")),
    ]


def test_slip_escapes() -> None:
    # RFC 1055: END is C0, sent as DB DC; ESC is DB, sent as DB DD.
    codec = framed("start: C0\nend: C0\ncoding: slip")
    data = bytes.fromhex("C0 01 DB DC DB DD 02 C0")
    assert every_cut(codec, data) == [("frame", data)]
    assert codec.decode(frames(codec, data)[0]).values["body"] == bytes.fromhex("01 C0 DB 02")


def test_own_escape_table() -> None:
    codec = framed("start: STX\nend: ETX\ncoding: {escape: ESC, table: {02: '12', 03: '13', 1B: '1B'}}")
    data = bytes.fromhex("02 41 1B 12 1B 13 1B 1B 03")
    assert every_cut(codec, data) == [("frame", data)]
    said = codec.decode(frames(codec, data)[0])
    assert said.values["body"] == bytes.fromhex("41 02 03 1B")


def test_doubled_dle_is_no_end() -> None:
    codec = framed("start: DLE STX\nend: DLE ETX\ncoding: dle")
    data = bytes.fromhex("10 02 10 10 03 41 10 03")
    assert every_cut(codec, data) == [("frame", data)]
    assert codec.decode(frames(codec, data)[0]).values["body"] == bytes.fromhex("10 03 41")


def test_hex_digits_are_read_as_bytes() -> None:
    codec = framed("start: \"':'\"\nend: CR LF\ncoding: hex\ncheck: {rule: negated_sum8}")
    # Modbus over serial line V1.02, 2.5.1: LRC is the negated sum of the bytes.
    data = b":010300000001FB\r\n"
    assert every_cut(codec, b"??" + data) == [(NOISE, b"??"), ("frame", data)]
    assert codec.decode(frames(codec, data)[0]).values["body"] == bytes.fromhex("01 03 00 00 00 01")


# coded frames that tell their size

INTEL_HEX = framed(
    "start: \"':'\"\ncoding: hex\nend: CR LF\n"
    "header: [{name: count, type: u8}, {name: address, type: u16}, {name: type, type: u8}]\n"
    "length: {field: count, uncounted: 8}\ncheck: {rule: negated_sum8, covers: header}"
)
# Intel Hexadecimal Object File Format Specification, revision A; the record is the example of many documents.
RECORD = b":10010000214601360121470136007EFE09D2190140\r\n"
XBEE = framed(
    "start: '7E'\ncoding: {escape: '7D', xor: 0x20, also: 7E 11 13}\nheader: [{name: size, type: u16}]\n"
    "length: {field: size, uncounted: 4}\ncheck: {rule: inverted_sum8, covers: body}"
)
# Digi XBee ZB RF Modules manual, API operation, escape characters: 7E 00 02 23 11 CB is sent as
API_FRAME = bytes.fromhex("7E 00 02 23 7D 31 CB")


def test_hex_record_whose_count_counts_decoded_bytes_is_cut_and_checked() -> None:
    assert every_cut(INTEL_HEX, b"\n" + RECORD + RECORD) == [(NOISE, b"\n"), ("frame", RECORD), ("frame", RECORD)]
    said = INTEL_HEX.decode(Frame("frame", RECORD))
    assert (said.values["count"], said.values["address"]) == (16, 0x100)
    assert said.values["body"] == bytes.fromhex("214601360121470136007EFE09D21901")
    assert INTEL_HEX.encode(said) == RECORD
    given = {"address": 0x100, "type": 0, "body": said.values["body"]}
    assert INTEL_HEX.machine.compiled.encode("message", given) == RECORD


def test_escaped_frame_whose_length_counts_bytes_before_they_were_escaped_is_cut_and_checked() -> None:
    assert every_cut(XBEE, b"\x00" + API_FRAME + API_FRAME) == [
        (NOISE, b"\x00"),
        ("frame", API_FRAME),
        ("frame", API_FRAME),
    ]
    assert XBEE.decode(Frame("frame", API_FRAME)).values["body"] == bytes.fromhex("23 11")
    assert XBEE.machine.compiled.encode("message", {"body": bytes.fromhex("23 11")}) == API_FRAME


def test_length_over_the_wire_counts_the_escapes_even_its_own() -> None:
    codec = framed(
        "start: '7E'\ncoding: hdlc\nheader: [{name: size, type: u8}]\nlength: {field: size, counts: whole, over: wire}"
    )
    encode = codec.machine.compiled.encode
    assert encode("message", {"body": b"\x01\x7e"}) == bytes.fromhex("7E 05 01 7D 5E")
    long = encode("message", {"body": bytes(0x7B)})  # 125 is 7D, sent escaped, so 126: 7E, too
    assert long[:3] == bytes.fromhex("7E 7D 5E")
    assert len(long) == 0x7E
    assert every_cut(codec, long + long) == [("frame", long), ("frame", long)]


def test_damaged_coded_frame_has_a_fault_and_one_that_cannot_be_decoded_is_none() -> None:
    (frame,) = frames(INTEL_HEX, RECORD.replace(b"0140\r", b"0141\r"))
    assert frame.fault == "the check negated_sum8 is 41, but should be 40"
    assert {one.kind for one in frames(INTEL_HEX, RECORD.replace(b":10", b":1x"))} == {NOISE}


def test_coded_frame_that_claims_more_than_a_frame_may_have_is_told() -> None:
    codec = framed("start: STX\ncoding: hex\nheader: [{name: size, type: u16}]\nlength: {field: size}\nmost: 40")
    found = frames(codec, b"\x0200FF" + b"\x020001AA")
    assert [one.data for one in found] == [b"\x0200FF", b"\x020001AA"]
    assert found[0].fault == "its length says 258 bytes, more than the 40 a frame may have"


def test_size_by_an_expression_is_that_before_coding() -> None:
    codec = framed("start: \"'A'\"\ncoding: hex\nheader: [{name: size, type: u8}]\nsize: size + 2")
    assert frames(codec, b"A020102") == [Frame("frame", b"A020102", 0)]
    assert codec.machine.compiled.encode("message", {"body": b"\x01\x02"}) == b"A020102"
