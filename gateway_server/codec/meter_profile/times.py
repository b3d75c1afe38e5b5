"""Times as devices write them: counted since some day, by a pattern of digits, packed into the bits of a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from gateway_server.codec.meter_profile.form import (
    BitSpan,
    CountedTime,
    Digits,
    Integer,
    Order,
    PackedTime,
    PatternTime,
)
from gateway_server.codec.meter_profile.numbers import in_order, integer_reader
from gateway_server.errors import CodecError

Moment = datetime | date | time
ReadTime = Callable[[bytes], Moment | None]
WriteTime = Callable[[Moment], bytes]

PARTS = ("YYYY", "YY", "MM", "DD", "hh", "mm", "ss", "fff", "ww", "..")
_PART = re.compile("|".join(re.escape(part) for part in PARTS))
_BINARY_SIZES = {"YYYY": 2, "fff": 2}
_MOST_MS = 300_000_000_000_000


def pattern_parts(pattern: str) -> list[str]:
    """The parts of a pattern in order: names of parts, and what stands for itself between them."""
    parts: list[str] = []
    at = 0
    for found in _PART.finditer(pattern):
        if found.start() > at:
            parts.append(pattern[at : found.start()])
        parts.append(found.group())
        at = found.end()
    if at < len(pattern):
        parts.append(pattern[at:])
    return parts


def pattern_size(type_: PatternTime) -> int:
    """How many bytes a time of this pattern has."""
    size = 0
    for part in pattern_parts(type_.pattern):
        if type_.digits is Digits.TEXT:
            size += len(part)
        elif part in PARTS:
            size += _BINARY_SIZES.get(part, 1) if type_.digits is Digits.BINARY else (len(part) + 1) // 2
    return size


def counted_reader(type_: CountedTime) -> ReadTime:
    """Reads a counted time."""
    since, unit, order = type_.since, type_.unit_ms, type_.order
    count_of = _digits if type_.digits else integer_reader(Integer(type_.size, order=order))

    def read(raw: bytes) -> Moment:
        count = count_of(raw)
        try:
            if unit == 1000:
                return since + timedelta(0, count)
            if count * unit > _MOST_MS:
                raise OverflowError
            return since + timedelta(milliseconds=count * unit)
        except OverflowError:
            raise CodecError(f"{count} is no time") from None

    return read


def _digits(raw: bytes) -> int:
    if not raw.isdigit() or len(raw) > 20:
        raise CodecError(f"{raw[:40].decode('latin-1')!r} is no count of a time")
    return int(raw)


def counted_writer(type_: CountedTime) -> WriteTime:
    """Writes a counted time."""

    def write(value: Moment) -> bytes:
        if not isinstance(value, datetime):
            raise CodecError(f"{value} is no time")
        count, rest = divmod(value - type_.since, timedelta(milliseconds=type_.unit_ms))
        if rest:
            raise CodecError(f"{value} is between two counts of {type_.unit_ms} ms")
        if type_.digits:
            return b"%0*d" % (type_.digits, count)
        try:
            return in_order(count.to_bytes(type_.size, "big"), type_.order)
        except OverflowError:
            raise CodecError(f"{value} does not fit into {type_.size} bytes") from None

    return write


def put_together(parts: dict[str, int], shown: str) -> Moment | None:
    """The time that some parts make: a whole one, a date or a time of day; None if the device says that it has none."""
    try:
        day = date(parts["year"], parts["month"], parts["day"]) if "month" in parts else None
        clock = (
            time(parts["hour"], parts.get("minute", 0), parts.get("second", 0), 1000 * parts.get("millisecond", 0))
            if "hour" in parts
            else None
        )
    except ValueError as error:
        if not any(parts.get(name) for name in ("month", "day")) and "month" in parts:
            return None  # all zeros: never set
        raise CodecError(f"{shown} is no time: {error}") from None
    if day is None:
        return clock
    return day if clock is None else datetime.combine(day, clock)


_NAMES = {
    "YYYY": "year",
    "YY": "year",
    "MM": "month",
    "DD": "day",
    "hh": "hour",
    "mm": "minute",
    "ss": "second",
    "fff": "millisecond",
}


def pattern_reader(type_: PatternTime) -> ReadTime:
    """Reads a time by its pattern."""
    parts = pattern_parts(type_.pattern)
    if type_.digits is Digits.TEXT:
        return _text_reader(type_, parts)
    places = _places(type_, parts)
    bcd, big = type_.digits is Digits.BCD, type_.order is Order.BIG

    def read(raw: bytes) -> Moment | None:
        found: dict[str, int] = {}
        for part, start, end in places:
            if bcd:
                text = raw[start:end].hex()
                if not text.isdecimal():
                    raise CodecError(f"{raw.hex(' ').upper()} is no time in BCD")
                number = int(text)
            else:
                number = int.from_bytes(raw[start:end], "big" if big else "little")
            _keep(found, part, number, type_.century)
        return put_together(found, raw.hex(" ").upper())

    return read


def _places(type_: PatternTime, parts: list[str]) -> list[tuple[str, int, int]]:
    places, at = [], 0
    for part in parts:
        if part not in PARTS:
            continue
        size = _BINARY_SIZES.get(part, 1) if type_.digits is Digits.BINARY else (len(part) + 1) // 2
        places.append((part, at, at + size))
        at += size
    return places


def _keep(found: dict[str, int], part: str, number: int, century: int) -> None:
    if name := _NAMES.get(part):
        found[name] = number + century if part == "YY" else number


def _text_reader(type_: PatternTime, parts: list[str]) -> ReadTime:
    shape = "".join(
        ("[0-9]{%d}" % len(part) if part not in _NAMES else "([0-9]{%d})" % len(part))  # noqa: UP031  # braces
        if part in PARTS
        else re.escape(part)
        for part in parts
    )
    pattern, names = re.compile(shape), [part for part in parts if part in _NAMES]
    blank = re.compile(r"[ 0]*")

    def read(raw: bytes) -> Moment | None:
        text = raw.decode("latin-1")
        match = pattern.fullmatch(text)
        if match is None:
            if blank.fullmatch(text):
                return None
            raise CodecError(f"{text!r} is no time like {type_.pattern}")
        found: dict[str, int] = {}
        for part, digits in zip(names, match.groups(), strict=True):
            _keep(found, part, int(digits), type_.century)
        return put_together(found, repr(text))

    return read


def _part_of(value: Moment, part: str, type_: PatternTime) -> int:
    name = _NAMES.get(part)
    if name is None:
        return value.isoweekday() if part == "ww" and isinstance(value, date) else 0
    if name == "millisecond":
        return getattr(value, "microsecond", 0) // 1000
    number = getattr(value, name, None)
    if number is None:
        raise CodecError(f"{value} has no {name}")
    if part == "YY":
        number -= type_.century
        if not 0 <= number <= 99:
            raise CodecError(f"{value} is not within a hundred years of {type_.century}")
    return int(number)


def pattern_writer(type_: PatternTime) -> WriteTime:
    """Writes a time by its pattern."""
    parts = pattern_parts(type_.pattern)

    def write(value: Moment) -> bytes:
        out = bytearray()
        for part in parts:
            if part not in PARTS:
                out += part.encode("ascii") if type_.digits is Digits.TEXT else b""
                continue
            number = _part_of(value, part, type_)
            if type_.digits is Digits.TEXT:
                out += b"%0*d" % (len(part), number)
            elif type_.digits is Digits.BCD:
                out += bytes.fromhex(f"{number:0{2 * ((len(part) + 1) // 2)}d}")
            else:
                big = type_.order is Order.BIG
                out += number.to_bytes(_BINARY_SIZES.get(part, 1), "big" if big else "little")
        return bytes(out)

    return write


def bits_of(number: int, spans: tuple[BitSpan, ...]) -> int:
    """The number in these bits, the lower ones first."""
    value = shift = 0
    for span in spans:
        value |= ((number >> span.low) & ((1 << span.width) - 1)) << shift
        shift += span.width
    return value


def into_bits(value: int, spans: tuple[BitSpan, ...]) -> int:
    """A number put into these bits. Raises `CodecError` if it does not fit."""
    if value < 0 or value >> sum(span.width for span in spans):
        raise CodecError(f"{value} does not fit into its bits")
    number = 0
    for span in spans:
        number |= (value & ((1 << span.width) - 1)) << span.low
        value >>= span.width
    return number


def packed_reader(type_: PackedTime) -> ReadTime:
    """Reads a time out of the bits of a number."""

    def read(raw: bytes) -> Moment | None:
        number = int.from_bytes(in_order(raw, type_.order), "big")
        found = {name: bits_of(number, spans) for name, spans in type_.parts}
        if "year" in found:
            found["year"] += type_.year
        if "second" not in found and "millisecond" in found:  # they count within the minute, as in CP56Time2a
            found["second"], found["millisecond"] = divmod(found["millisecond"], 1000)
        return put_together(found, raw.hex(" ").upper())

    return read


def packed_writer(type_: PackedTime) -> WriteTime:
    """Writes a time into the bits of a number."""

    whole_minutes = "second" not in dict(type_.parts)

    def write(value: Moment) -> bytes:
        number = 0
        for name, spans in type_.parts:
            part = getattr(value, name, None)
            if name == "millisecond":
                part = getattr(value, "microsecond", 0) // 1000
                part += 1000 * getattr(value, "second", 0) if whole_minutes else 0
            if part is None:
                raise CodecError(f"{value} has no {name}")
            number |= into_bits(part - type_.year if name == "year" else part, spans)
        return in_order(number.to_bytes(type_.size, "big"), type_.order)

    return write
