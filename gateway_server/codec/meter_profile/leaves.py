"""The types of fields as pairs of functions: bytes to value, value to bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway_server.codec.meter_profile import numbers, times
from gateway_server.codec.meter_profile.as_written import AsWritten
from gateway_server.codec.meter_profile.form import (
    Bcd,
    Bits,
    Bytes,
    CountedTime,
    Digits,
    Field,
    Flags,
    Float,
    Integer,
    Number,
    PackedTime,
    PatternTime,
    Text,
    Type,
)
from gateway_server.errors import CodecError

_ENCODINGS = {"ascii": "ascii", "cp1251": "cp1251", "koi8-r": "koi8_r", "cp866": "cp866", "utf-8": "utf-8",
              "latin-1": "latin-1"}  # fmt: skip
ENCODINGS = tuple(_ENCODINGS)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A type that can be read and written. ``size`` is its bytes, None if its extent tells them."""

    size: int | None
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    pad: bytes = b" "
    pad_left: bool = False


def leaf_of(type_: Type) -> Leaf:
    """How values of a type are read and written."""
    match type_:
        case Integer(size):
            return Leaf(size, numbers.integer_reader(type_), numbers.integer_writer(type_))
        case Bits(size, order) | Flags(size, order):
            integer = Integer(size, order=order)
            return Leaf(size, numbers.integer_reader(integer), numbers.integer_writer(integer))
        case Bcd(size):
            return Leaf(size, numbers.bcd_reader(type_), numbers.bcd_writer(type_))
        case Float(size):
            return Leaf(size, numbers.float_reader(type_), numbers.float_writer(type_))
        case Number():
            pad = b"0" if type_.digits else b" "
            return Leaf(None, numbers.number_reader(type_), numbers.number_writer(type_), pad, pad_left=True)
        case CountedTime(size):
            return Leaf(None if type_.digits else size, times.counted_reader(type_), times.counted_writer(type_))
        case PatternTime():
            size = times.pattern_size(type_)
            text = type_.digits is Digits.TEXT
            return Leaf(None if text else size, times.pattern_reader(type_), times.pattern_writer(type_))
        case PackedTime(size):
            return Leaf(size, times.packed_reader(type_), times.packed_writer(type_))
        case Text():
            return _text(type_)
        case Bytes():
            return Leaf(None, bytes, _as_bytes, b"\x00")


def in_characters(type_: Type) -> bool:
    """Whether values of a type are written in characters."""
    match type_:
        case Number() | Text():
            return True
        case CountedTime():
            return bool(type_.digits)
        case PatternTime():
            return type_.digits is Digits.TEXT
        case _:
            return False


def reader_of(field: Field) -> Callable[[bytes], Any]:
    """What reads the bytes of a field; None for those that say that there is no value."""
    read, absent = leaf_of(field.type).read, frozenset(field.absent)
    if not absent:
        return read
    if in_characters(field.type):
        return lambda raw: None if raw.strip() in absent else read(raw)
    return lambda raw: None if raw in absent else read(raw)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (str, AsWritten)):
        try:
            return bytes.fromhex(str(value))
        except ValueError:
            pass
    raise CodecError(f"{value} is no bytes")


def _text(type_: Text) -> Leaf:
    encoding, pad = _ENCODINGS[type_.encoding], type_.pad

    def read(raw: bytes) -> str:
        if pad:
            raw = raw.lstrip(pad) if type_.pad_left else raw.rstrip(pad)
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            raise CodecError(f"{raw[:40].hex(' ').upper()} is no text in {type_.encoding}") from None

    def write(value: Any) -> bytes:
        try:
            return str(value).encode(encoding)
        except UnicodeEncodeError:
            raise CodecError(f"{str(value)!r} cannot be written in {type_.encoding}") from None

    return Leaf(None, read, write, pad or b" ", type_.pad_left)


def words_of(type_: Type, words: tuple[tuple[Any, str], ...]) -> Callable[[Any], str] | None:
    """What says a value in words; None for a field that has none."""
    if isinstance(type_, Flags):
        named = dict(type_.words)

        def flags(value: Any) -> str:
            number, found = int(value), []
            while number:
                bit = (number & -number).bit_length() - 1
                found.append(named.get(bit, f"bit{bit}"))
                number &= number - 1
            return " ".join(found)

        return flags
    if not words:
        return None
    table = dict(words)
    return lambda value: table.get(value, "") or ("" if value is None else str(value))


def fitted(data: bytes, size: int, leaf: Leaf, name: str) -> bytes:
    """A value's bytes in a place of ``size`` bytes. Raises `CodecError` if they are more."""
    if len(data) > size:
        raise CodecError(f"{name}: {len(data)} bytes do not fit into {size}")
    return data.rjust(size, leaf.pad[:1]) if leaf.pad_left else data.ljust(size, leaf.pad[:1])
