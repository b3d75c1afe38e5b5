"""What the parts of a message read: groups, choices, optional parts, bit fields, references."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.naming import names_of, sometimes
from gateway_server.codec.meter_profile.reading import SPAN
from gateway_server.errors import ChecksumError, CodecError, OperatorError
from tests.codec.meter_profile.profiles import profile_of, values_of, with_fields


def plain(found: dict[str, object]) -> dict[str, object]:
    """The values, those of elements without their places."""
    return {
        name: [{key: one for key, one in element.items() if key != SPAN} for element in value]
        if isinstance(value, list)
        else value
        for name, value in found.items()
    }


def test_fields_follow_each_other() -> None:
    codec = with_fields(
        """
        {name: number, type: u16, order: little}
        {name: volume, type: bcd, size: 4, scale: "0.01"}
        {name: name, type: text, size: 4, encoding: cp1251, pad: "20"}
        {name: rest, type: bytes}
        """
    )
    body = bytes.fromhex("34 12 00 10 42 50") + "Газ ".encode("cp1251") + b"\xaa\xbb"
    assert values_of(codec, body) == {
        "number": 0x1234,
        "volume": Decimal("1042.50"),
        "name": "Газ",
        "rest": b"\xaa\xbb",
    }


def test_text_columns_end_with_their_separator_and_the_last_may_lack_it() -> None:
    codec = with_fields(
        """
        {name: serial, type: text, until: "','"}
        {name: volume, type: number, until: "','"}
        {name: status, type: number, base: 16, until: "','", or_end: yes}
        """
    )
    assert values_of(codec, b"41203377,001042.50,0F,") == {
        "serial": "41203377",
        "volume": Decimal("1042.50"),
        "status": 15,
    }
    assert values_of(codec, b"1,2,3")["status"] == 3


def test_counted_groups_nest() -> None:
    codec = with_fields(
        """
        - {name: days, type: u8}
        - group: day
          count: days
          fields:
            - {name: number, type: u8}
            - {name: hours, type: u8}
            - {group: hour, count: hours, fields: [{name: value, type: u8}]}
        """
    )
    found = plain(values_of(codec, bytes([2, 1, 2, 10, 11, 2, 1, 12])))
    assert found["days"] == 2
    days = found["day"]
    assert isinstance(days, list)
    assert [day["number"] for day in days] == [1, 2]
    assert [[hour["value"] for hour in day["hour"]] for day in days] == [[10, 11], [12]]


def test_group_to_the_end_and_group_until_a_mark() -> None:
    codec = with_fields(
        """
        - group: row
          until: "'!'"
          fields: [{name: key, type: text, until: "'('"}, {name: value, type: number, until: "')'"}]
        - {name: mark, type: text, is: "!"}
        - {group: tail, repeat: to_end, fields: [{name: byte, type: u8}]}
        """
    )
    found = plain(values_of(codec, b"a(1)b(2.5)!\x01\x02"))
    assert found["row"] == [{"key": "a", "value": 1}, {"key": "b", "value": Decimal("2.5")}]
    assert found["tail"] == [{"byte": 1}, {"byte": 2}]


def test_tag_length_value() -> None:
    codec = with_fields(
        """
        - group: item
          repeat: to_end
          fields:
            - {name: tag, type: u8}
            - {name: size, type: u8}
            - choose: tag
              size: size
              cases:
                - {is: 1, fields: [{name: volume, type: u32}]}
                - {is: [2, 3], fields: [{name: time, type: time, since: unix}]}
              otherwise: [{name: unknown, type: bytes}]
        """
    )
    found = plain(values_of(codec, bytes.fromhex("01 04 00 00 00 07  03 04 65920080  09 02 AA BB")))
    assert found["item"] == [
        {"tag": 1, "size": 4, "volume": 7},
        {"tag": 3, "size": 4, "time": datetime(2024, 1, 1)},
        {"tag": 9, "size": 2, "unknown": b"\xaa\xbb"},
    ]
    with pytest.raises(CodecError, match="3 bytes more than the parts for tag 1"):
        codec.decode(Frame("frame", bytes.fromhex("09 01 07 00 00 00 07 00 00 00")))


def test_optional_parts_by_a_field_and_by_what_is_left() -> None:
    codec = with_fields(
        """
        {name: has, type: u8}
        {name: pressure, type: u16, if: has & 1}
        {name: extra, type: u8, if: left > 0}
        """
    )
    assert values_of(codec, bytes([1, 0, 5])) == {"has": 1, "pressure": 5}
    assert values_of(codec, bytes([0, 9])) == {"has": 0, "extra": 9}
    assert values_of(codec, bytes([0])) == {"has": 0}


def test_bit_fields_flags_and_words() -> None:
    codec = with_fields(
        """
        - name: mode
          type: bits
          parts: [{name: tariff, bits: 0-2}, {name: closed, bits: 7, words: {0: open, 1: closed}}]
        - {name: alarms, type: flags, size: 2, words: {0: battery, 9: cover}}
        - {name: valve, type: u8, words: {1: open, 2: shut}}
        """
    )
    assert values_of(codec, bytes.fromhex("85 0203 02")) == {
        "mode": 0x85,
        "tariff": 5,
        "closed": 1,
        "closed.word": "closed",
        "alarms": 0x0203,
        "alarms.word": "battery bit1 cover",
        "valve": 2,
        "valve.word": "shut",
    }
    assert values_of(codec, bytes.fromhex("00 0000 07"))["valve.word"] == "7"


def test_scale_may_depend_on_an_earlier_field_and_a_marked_number_is_no_value() -> None:
    codec = with_fields(
        """
        {name: exponent, type: i8}
        {name: volume, type: u16, scale: pow10(exponent), missing: 0xFFFF}
        """
    )
    assert values_of(codec, bytes.fromhex("FE 0402"))["volume"] == Decimal("10.26")
    assert values_of(codec, bytes.fromhex("FE FFFF"))["volume"] is None


def test_mask_over_a_group_is_undone() -> None:
    # DL/T 645-2007, 5.2.2: every byte of the data is sent with 33 added.
    codec = with_fields(
        '{group: data, add: 51, fields: [{name: code, type: bytes, size: "4"}, {name: value, type: u8}]}'
    )
    assert values_of(codec, bytes.fromhex("33 34 34 35 FF")) == {"code": bytes.fromhex("00 01 01 02"), "value": 0xCC}


def test_field_that_is_the_check_of_those_before_it() -> None:
    codec = with_fields(
        """
        {name: first, type: u8}
        {name: second, type: u16}
        {name: crc, type: u16, check: CRC-16/XMODEM, covers: second}
        """
    )
    body = codec.machine.compiled.encode("message", {"first": 1, "second": 0x3132})[1:]
    # CRC-16/XMODEM of "12" by hand: the polynomial 1021 over 31 32.
    assert body.hex() == "013132" + "20b5"
    with pytest.raises(ChecksumError, match="the check crc does not match"):
        codec.decode(Frame("frame", b"\x05\x01\x31\x33\x20\xb5"))


def test_field_must_be_what_another_says() -> None:
    codec = with_fields("{name: one, type: u8}\n{name: again, type: u8, equals: one}")
    assert values_of(codec, b"\x05\x05") == {"one": 5, "again": 5}
    with pytest.raises(CodecError, match="again is 6, not 5"):
        codec.decode(Frame("frame", b"\x02\x05\x06"))


@pytest.mark.parametrize(
    ("fields", "body", "why"),
    [
        ("{name: a, type: u32}", "01 02", "the frame ends within a"),
        ("{name: a, type: u8}", "01 02", "1 bytes more than message has"),
        ("{name: n, type: u8}\n{name: a, type: bytes, size: n}", "05 01", "a would have 5 bytes where 1 are left"),
        ("{name: n, type: i8}\n{name: a, type: bytes, size: n}", "FF 01", "a would have -1 bytes"),
        ("{name: n, type: i8}\n{group: g, count: n, fields: [{name: a, type: u8}]}", "FF", "g would have -1 elements"),
        ("{group: g, repeat: to_end, fields: [{name: a, type: bytes, size: '0'}]}", "01", "would have no bytes"),
        ("{name: a, type: text, until: \"';'\"}", "41 42", "a does not end with b';'"),
        ("{name: a, type: u8, is: [1, 2]}", "03", "a is 3, not 1 or 2"),
        ("{name: a, type: u8}\n{choose: a, cases: [{is: 1}]}", "02", "a is 2, which is none of the known ones"),
        ("{name: a, type: text}", "FF", "a: FF is no text in ascii"),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_meter_that_names_the_field(fields: str, body: str, why: str) -> None:
    codec = with_fields(fields)
    data = bytes.fromhex(body)
    with pytest.raises(CodecError, match=why):
        codec.decode(Frame("frame", bytes([len(data)]) + data))


def test_number_of_elements_is_bounded() -> None:
    codec = with_fields("{name: n, type: u32}\n{group: g, count: n, fields: [{name: a, type: u8}]}")
    with pytest.raises(CodecError, match="10000 is the most"):
        codec.decode(Frame("frame", bytes.fromhex("05 FFFFFFFF 00")))


def test_names_that_parts_leave_and_those_that_are_not_always_there() -> None:
    (message,) = profile_of(
        """
        reads: meter_profile
        framing: {name: frame, end: LF}
        messages:
          - name: one
            fields:
              - {name: a, type: u8, words: {1: x}}
              - {name: b, type: u8, if: a}
              - {group: g, count: a, fields: [{name: c, type: u8}]}
              - {group: h, fields: [{name: d, type: u8, if: a}]}
        """
    ).messages
    assert names_of(message.parts) == ["a", "a.word", "b", "g", "d"]
    assert names_of(message.parts, deep=True) == ["a", "a.word", "b", "g", "c", "d"]
    assert sometimes(message.parts) == ["b", "d"]


def test_number_and_time_in_characters_may_be_absent() -> None:
    codec = with_fields(
        """
        {name: date, type: time, text: DDMMYY, until: "';'", missing: [NA, "000000"]}
        {name: speed, type: number, until: "';'", missing: [NA, 9999]}
        {name: height, type: number, digits: 4, missing: NA}
        """
    )
    assert values_of(codec, b"270413;12;0034") == {"date": date(2013, 4, 27), "speed": 12, "height": 34}
    assert values_of(codec, b"NA;NA;NA  ") == {"date": None, "speed": None, "height": None}
    assert values_of(codec, b"000000;9999;  NA") == {"date": None, "speed": None, "height": None}
    encoded = codec.machine.compiled.encode("message", {"date": None, "speed": None, "height": None})
    assert encoded[1:] == b"NA;9999;NA  "
    with pytest.raises(CodecError, match="speed: 'X' is no number"):
        values_of(codec, b"NA;X;NA  ")


def test_bytes_that_are_no_time_or_number_may_say_that_there_is_none() -> None:
    codec = with_fields(
        """
        {name: at, type: time, since: unix, order: little, missing: [0, 0xFFFFFFFE]}
        {name: day, type: time, bcd: DD MM YY, missing: FF FF FF}
        {name: count, type: bcd, size: 2, missing: [9999, EE EE]}
        """
    )
    nothing = {"at": None, "day": None, "count": None}
    assert values_of(codec, bytes.fromhex("00000000 FFFFFF EEEE")) == nothing
    assert values_of(codec, bytes.fromhex("FEFFFFFF FFFFFF 9999")) == nothing
    assert values_of(codec, bytes.fromhex("80009265 010124 0012")) == {
        "at": datetime(2024, 1, 1),
        "day": date(2024, 1, 1),
        "count": 12,
    }


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("type: time, since: unix, missing: never", "missing is 'never'; it is a number"),
        ("type: time, since: unix, missing: 0x1FFFFFFFF", "missing is '0x1FFFFFFFF'; it is a number of 4 bytes"),
        ("type: time, bcd: DD MM YY, missing: FF", "missing is 'FF'; the field has 3 bytes"),
        ("type: bcd, size: 2, missing: XX", "'XX' is no bytes"),
        ("type: number, missing: н/д", "missing is 'н/д'; it is made of ASCII characters"),
        ("type: u8, missing: NA", "missing is 'NA'; it is a number"),
    ],
)
def test_what_cannot_stand_instead_of_a_value_is_refused(field: str, why: str) -> None:
    with pytest.raises(OperatorError, match=re.escape(why)):
        with_fields(f"{{name: it, {field}}}")
