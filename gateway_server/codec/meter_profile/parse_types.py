"""Reads the type of a field: ``type`` and the keys that go with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.form import (
    Bcd,
    BitPart,
    Bits,
    BitSpan,
    Bytes,
    CountedTime,
    Digits,
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
from gateway_server.codec.meter_profile.leaves import ENCODINGS
from gateway_server.codec.meter_profile.scope import ORDERS, Scope, bytes_of
from gateway_server.codec.meter_profile.times import PARTS, pattern_parts, pattern_size

_SIGNS = {sign.value: sign for sign in Sign}
_UNITS = {"milliseconds": 1, "seconds": 1000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}
_RUNS = re.compile(r"Y+|M+|D+|h+|m+|s+|f+|w+")
TIME_PARTS = ("year", "month", "day", "hour", "minute", "second", "millisecond")
TIME_FORMS = ("since", "bcd", "binary", "text", "packed")
INTEGERS = {f"{letter}{8 * size}": (size, letter == "i") for letter in "ui" for size in range(1, 9)}


def parse_type(said: Declaration, scope: Scope) -> Type:
    """The type of a field."""
    word = said.text("type")
    order = said.word("order", ORDERS, scope.order.value)
    if word in INTEGERS:
        size, signed = INTEGERS[word]
        _whole_words(said, size, order)
        return Integer(size, signed, order)
    if word not in _OTHERS:
        raise said.wrong("type", f"is {word!r}; it is one of: {', '.join(TYPES)}")
    return _OTHERS[word](said, order)


def _whole_words(said: Declaration, size: int, order: Order) -> None:
    if order in (Order.WORD_SWAPPED, Order.BYTE_SWAPPED) and size % 2:
        raise said.wrong("order", f"is {order.value}, but {size} bytes are no words of two")


def _bcd(said: Declaration, order: Order) -> Type:
    size = said.number("size", 0, 1, 16)
    _whole_words(said, size, order)
    return Bcd(size, order, said.word("sign", _SIGNS, "none"), said.flag("low_nibble_first", default=False))


def _float(said: Declaration, order: Order, size: int) -> Type:
    if said.has("places"):
        return Float(size, order, 0, said.number("places", 0, 0, 15))
    if "digits" not in said:
        raise said.wrong(
            "type",
            "needs the precision with which the device states it: `digits` (significant ones, 7 is all a single has)"
            " or `places`",
        )
    return Float(size, order, said.number("digits", 7, 1, 17))


def _number(said: Declaration, order: Order) -> Type:
    mark = said.text("mark", ".")
    if mark not in (".", ","):
        raise said.wrong("mark", f"is {mark!r}; it is . or ,")
    base = said.word("base", {"10": 10, "16": 16}, "10")
    return Number(base, said.number("digits", 0, 0, 40), said.number("places", 0, 0, 20), mark)


def _text(said: Declaration, order: Order) -> Type:
    encoding = said.word("encoding", {name: name for name in ENCODINGS}, "ascii")
    return Text(
        encoding,
        bytes_of(said, "pad"),
        said.word("pad_side", {"left": True, "right": False}, "right"),
    )


def _time(said: Declaration, order: Order) -> Type:
    forms = [key for key in TIME_FORMS if key in said]
    if len(forms) != 1:
        what = " and ".join(forms) or "none of them"
        raise said.wrong("type", f"is time, which is told by exactly one of {', '.join(TIME_FORMS)}, not by {what}")
    if forms == ["since"]:
        return _counted(said, order)
    if forms == ["packed"]:
        return _packed(said, order)
    pattern = said.text(forms[0])
    digits = Digits(forms[0])
    parts = pattern_parts(pattern)
    if not any(part in PARTS for part in parts) or len(pattern) > 60 or not pattern.isascii():
        raise said.wrong(forms[0], f"is {pattern!r}; it is made of {', '.join(PARTS)}")
    if digits is not Digits.TEXT and any(part not in PARTS and part.strip() for part in parts):
        raise said.wrong(forms[0], f"is {pattern!r}; it is made of {', '.join(PARTS)} and blanks")
    if digits is Digits.TEXT:
        for run in _RUNS.finditer(pattern):
            if run.group() not in PARTS:
                raise said.wrong(
                    "text",
                    f"is {pattern!r}, where {run.group()} is no part of a time; there are: {', '.join(PARTS)}. All are"
                    " digits, as many as there are letters; a month in letters is a text",
                )
    names = [part for part in parts if part in PARTS and part not in ("ww", "..")]
    if len(set(names)) < len(names) or ("YYYY" in names and "YY" in names):
        raise said.wrong(forms[0], f"is {pattern!r}, which has a part twice")
    if "hh" not in names and not {"MM", "DD"} <= set(names):
        raise said.wrong(forms[0], f"is {pattern!r}; it has MM and DD with YY or YYYY, or hh, or both")
    if ("MM" in names or "DD" in names) and not {"MM", "DD"} <= set(names):
        raise said.wrong(forms[0], f"is {pattern!r}; MM and DD go together")
    if "MM" in names and "YYYY" not in names and "YY" not in names:
        raise said.wrong(forms[0], f"is {pattern!r}; a date needs YY or YYYY")
    type_ = PatternTime(digits, pattern, order, said.number("century", 2000, 0, 9900))
    assert pattern_size(type_) > 0
    return type_


def _counted(said: Declaration, order: Order) -> Type:
    text = said.text("since")
    try:
        since = datetime.fromisoformat("1970-01-01" if text == "unix" else text)
        if since.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise said.wrong("since", f"is {text!r}; it is unix or a time like 2000-01-01 or 2000-01-01T00:00:00") from None
    size = said.number("size", 4, 1, 8)
    _whole_words(said, size, order)
    return CountedTime(size, order, since, said.word("unit", _UNITS, "seconds"), said.number("digits", 0, 0, 19))


def _packed(said: Declaration, order: Order) -> Type:
    size = said.number("size", 4, 1, 8)
    _whole_words(said, size, order)
    table = said.table("packed")
    if table is None:
        raise said.wrong("packed", "is missing")
    parts = []
    for name in table:
        if name not in TIME_PARTS:
            raise table.wrong(name, f"is no part of a time; there are: {', '.join(TIME_PARTS)}")
        parts.append((name, tuple(_span(table, name, text, 8 * size) for text in table.texts(name))))
    named = {name for name, _ in parts}
    if not ({"year", "month", "day"} <= named or "hour" in named):
        raise said.wrong("packed", "has year, month and day, or hour, or both")
    if named & {"year", "month", "day"} and not {"year", "month", "day"} <= named:
        raise said.wrong("packed", "has some of year, month and day, but not all")
    return PackedTime(size, order, tuple(parts), said.number("year", 2000, 0, 9000))


def _span(said: Declaration, key: str, text: str, bits: int) -> BitSpan:
    """Bits as they are written: ``5`` or ``0-3``."""
    low, dash, high = text.partition("-")
    if not (low.isascii() and low.isdecimal() and (not dash or high.isdecimal()) and len(text) < 8):
        raise said.wrong(key, f"is {text!r}; bits are written like 5 or 0-3, 0 is the lowest")
    first, last = int(low), int(high or low)
    if not first <= last < bits:
        raise said.wrong(key, f"is {text!r}; there are the bits 0 to {bits - 1}")
    return BitSpan(first, last - first + 1)


def _bits(said: Declaration, order: Order) -> Type:
    size = said.number("size", 1, 1, 8)
    _whole_words(said, size, order)
    parts = []
    for part in said.tables("parts"):
        name = part.text("name")
        span = _span(part, "bits", part.text("bits"), 8 * size)
        parts.append(BitPart(name, span, words_table(part)))
        part.end()
    return Bits(size, order, tuple(parts))


def _flags(said: Declaration, order: Order) -> Type:
    size = said.number("size", 1, 1, 8)
    _whole_words(said, size, order)
    words = words_table(said)
    if not words:
        raise said.wrong("words", "is missing: a word for every bit that means something")
    for bit, _ in words:
        if not 0 <= bit < 8 * size:
            raise said.wrong("words", f"names bit {bit}; there are the bits 0 to {8 * size - 1}")
    return Flags(size, order, words)


def words_table(said: Declaration) -> tuple[tuple[int, str], ...]:
    """Words by number."""
    table = said.table("words")
    if table is None:
        return ()
    found = []
    for key in table:
        text = table.text(key)
        try:
            found.append((int(key, 0), text))
        except ValueError:
            raise table.wrong(key, "is a word for a number, written like 3 or 0x03") from None
    return tuple(found)


_OTHERS: dict[str, Callable[[Declaration, Order], Type]] = {
    "bcd": _bcd,
    "float": lambda said, order: _float(said, order, 4),
    "double": lambda said, order: _float(said, order, 8),
    "number": _number,
    "text": _text,
    "bytes": lambda said, order: Bytes(),
    "time": _time,
    "bits": _bits,
    "flags": _flags,
}
TYPES = (*INTEGERS, *_OTHERS)
