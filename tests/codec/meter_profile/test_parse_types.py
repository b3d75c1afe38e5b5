"""Types as profiles write them."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway_server.codec.meter_profile.form import (
    Bcd,
    BitPart,
    Bits,
    BitSpan,
    Bytes,
    CountedTime,
    Digits,
    Field,
    Flags,
    Float,
    Integer,
    Number,
    Order,
    PackedTime,
    PatternTime,
    Sign,
    Text,
    Type,
)
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import with_fields


def type_of(keys: str) -> Type:
    field = with_fields(f"{{name: a, {keys}}}").profile.message("message").parts[0]
    assert isinstance(field, Field)
    return field.type


@pytest.mark.parametrize(
    ("keys", "type_"),
    [
        ("type: u8", Integer(1)),
        ("type: i56, order: little", Integer(7, signed=True, order=Order.LITTLE)),
        ("type: u32, order: word_swapped", Integer(4, order=Order.WORD_SWAPPED)),
        ("type: bcd, size: 4, order: little, sign: nibble_f", Bcd(4, Order.LITTLE, Sign.NIBBLE_F)),
        ("type: bcd, size: 2, low_nibble_first: yes", Bcd(2, swapped=True)),
        ("type: float, digits: 7", Float(4, digits=7)),
        ("type: double, places: 3", Float(8, places=3)),
        ("type: number, digits: 8, places: 2, mark: ','", Number(10, 8, 2, ",")),
        ("type: number, base: 16", Number(16)),
        ("type: text, encoding: koi8-r, pad: '20', pad_side: left", Text("koi8-r", b" ", pad_left=True)),
        ("type: bytes", Bytes()),
        ("type: time, since: unix", CountedTime(4)),
        ("type: time, since: unix, digits: 10", CountedTime(4, digits=10)),
        (
            "type: time, since: 2000-01-01, size: 8, unit: milliseconds",
            CountedTime(8, since=datetime(2000, 1, 1), unit_ms=1),
        ),
        ("type: time, bcd: YY MM DD hh mm ss", PatternTime(Digits.BCD, "YY MM DD hh mm ss")),
        ("type: time, text: hhmmss, century: 1900", PatternTime(Digits.TEXT, "hhmmss", century=1900)),
        (
            "type: time, size: 2, order: little, packed: {year: [9-15], month: 5-8, day: 0-4}, year: 1980",
            PackedTime(
                2,
                Order.LITTLE,
                (("year", (BitSpan(9, 7),)), ("month", (BitSpan(5, 4),)), ("day", (BitSpan(0, 5),))),
                1980,
            ),
        ),
        (
            "type: bits, parts: [{name: x, bits: 0-3, words: {1: one}}]",
            Bits(1, Order.BIG, (BitPart("x", BitSpan(0, 4), ((1, "one"),)),)),
        ),
        ("type: flags, size: 2, words: {0: low, 0x0F: high}", Flags(2, Order.BIG, ((0, "low"), (15, "high")))),
    ],
)
def test_every_type(keys: str, type_: Type) -> None:
    assert type_of(keys) == type_


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("type: u65", "type is 'u65'; it is one of: u8, "),
        ("type: u24, order: word_swapped", "order is word_swapped, but 3 bytes are no words of two"),
        ("type: u8, order: middle", "order is 'middle'; it is one of: big, little, word_swapped, byte_swapped"),
        ("type: bcd", "size is '0'; it is a whole number from 1 to 16"),
        ("type: float", "needs the precision with which the device states it"),
        ("type: number, mark: x", "mark is 'x'; it is . or ,"),
        ("type: text, encoding: ebcdic", "encoding is 'ebcdic'; it is one of: ascii, cp1251"),
        ("type: time", "is told by exactly one of since, bcd, binary, text, packed, not by none of them"),
        ("type: time, since: unix, bcd: YY MM DD", "not by since and bcd"),
        ("type: time, since: yesterday", "since is 'yesterday'; it is unix or a time like 2000-01-01"),
        ("type: time, bcd: hh YY MM", "MM and DD go together"),
        ("type: time, text: MMM DD YYYY", "where MMM is no part of a time; there are: YYYY, YY, MM"),
        ("type: time, text: D.MM.YYYY", "where D is no part of a time"),
        ("type: time, text: MM-DD", "a date needs YY or YYYY"),
        ("type: time, text: 'mm:ss'", "it has MM and DD with YY or YYYY, or hh, or both"),
        ("type: time, bcd: YY MM DD MM", "which has a part twice"),
        ("type: time, bcd: YY/MM/DD", "is made of YYYY"),
        ("type: time, packed: {year: 0-6, hour: 7-11}", "has some of year, month and day, but not all"),
        ("type: time, packed: {years: 0-6}", "is no part of a time"),
        ("type: time, packed: {hour: 0-40}", "there are the bits 0 to 31"),
        ("type: bits, parts: [{name: x, bits: 3-1}]", "there are the bits 0 to 7"),
        ("type: bits, parts: [{name: x, bits: a}]", "bits are written like 5 or 0-3"),
        ("type: flags", "words is missing"),
        ("type: flags, words: {8: x}", "names bit 8; there are the bits 0 to 7"),
        ("type: flags, words: {a: x}", "a is a word for a number"),
    ],
)
def test_what_is_no_type_is_told_with_what_is_allowed(keys: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        type_of(keys)
    assert why in str(found.value)
