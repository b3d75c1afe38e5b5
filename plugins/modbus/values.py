"""What registers hold: numbers in every usual width and order, texts, times, and words for codes and bits.

A register is 16 bits, high byte first (V1.1b3, clause 4.2). How several make one value is each maker's own choice:
``words`` says which register comes first, ``bytes`` whether the bytes within each are changed over too.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from gateway_server.errors import CodecError
from gateway_server.model import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(enum.Enum):
    """What the bits mean."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    FLOAT = "float"
    BCD = "bcd"
    TEXT = "text"
    UNIX = "unix"
    BIT = "bit"


TYPES: Mapping[str, tuple[Kind, int]] = {
    "bit": (Kind.BIT, 0),
    "uint16": (Kind.UNSIGNED, 1),
    "uint32": (Kind.UNSIGNED, 2),
    "uint48": (Kind.UNSIGNED, 3),
    "uint64": (Kind.UNSIGNED, 4),
    "int16": (Kind.SIGNED, 1),
    "int32": (Kind.SIGNED, 2),
    "int48": (Kind.SIGNED, 3),
    "int64": (Kind.SIGNED, 4),
    "float32": (Kind.FLOAT, 2),
    "float64": (Kind.FLOAT, 4),
    "bcd16": (Kind.BCD, 1),
    "bcd32": (Kind.BCD, 2),
    "bcd64": (Kind.BCD, 4),
    "unix32": (Kind.UNIX, 2),
    "text": (Kind.TEXT, 0),
}


@dataclass(frozen=True, slots=True)
class Form:
    """How a value stands in its registers.

    ``digits`` are the places behind the point that a device means when it sends a float. ``absent`` are raw numbers
    that stand for "no value". ``names`` are words for whole codes, ``bits`` for single bits, of which those that are
    set are told. ``bit`` picks one bit of a register.
    """

    kind: Kind
    registers: int
    low_word_first: bool = False
    low_byte_first: bool = False
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    digits: int | None = None
    absent: frozenset[int] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    bit: int | None = None
    encoding: str = "ascii"

    def value(self, data: bytes) -> Value | None:
        """The value of these bytes as they came; None if they say that there is none. Raises `CodecError`."""
        data = self._ordered(data)
        if self.kind is Kind.TEXT:
            return data.split(b"\0", 1)[0].decode(self.encoding, "replace").strip() or None
        raw = int.from_bytes(data, "big", signed=self.kind is Kind.SIGNED)
        if raw in self.absent or int.from_bytes(data, "big") in self.absent:
            return None
        if self.bit is not None:
            raw = raw >> self.bit & 1
        if self.bits:
            return self._set_bits(raw)
        if self.names:
            return self.names.get(raw, str(raw))
        if self.kind is Kind.UNIX:
            return _unix_time(raw)
        number = self._number(data, raw)
        return None if number is None else number * self.scale + self.offset

    def _number(self, data: bytes, raw: int) -> Decimal | None:
        if self.kind is Kind.FLOAT:
            return self._float(data)
        if self.kind is Kind.BCD:
            if not (text := data.hex()).isdecimal():
                raise CodecError(f"{text.upper()} is no BCD number")
            return Decimal(text)
        return Decimal(raw)

    def _float(self, data: bytes) -> Decimal | None:
        (binary,) = struct.unpack(">f" if len(data) == 4 else ">d", data)
        if binary != binary or binary in (float("inf"), float("-inf")):
            return None
        exact = Decimal(_shortest(binary) if len(data) == 4 else repr(binary))
        if self.digits is None:
            return exact
        try:
            return exact.quantize(Decimal(1).scaleb(-self.digits))
        except InvalidOperation:
            return exact

    def _set_bits(self, raw: int) -> str:
        raw &= (1 << 64) - 1
        told = [self.bits.get(bit, f"bit {bit}") for bit in range(raw.bit_length()) if raw >> bit & 1]
        return ", ".join(told)

    def _ordered(self, data: bytes) -> bytes:
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        if self.low_byte_first:
            words = [word[::-1] for word in words]
        if self.low_word_first:
            words.reverse()
        return b"".join(words)


def _unix_time(seconds: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        raise CodecError(f"{seconds} s since 1970 is no time a meter can mean") from None


def _shortest(binary: float) -> str:
    """The shortest decimal that is this single-precision number and no other: what its sender most likely had."""
    wanted = struct.pack(">f", binary)
    for digits in range(6, 9):
        text = format(binary, f".{digits}g")
        try:
            if struct.pack(">f", float(text)) == wanted:
                return text
        except OverflowError:  # rounded up beyond the largest
            continue
    return format(binary, ".9g")
