"""The protocol data unit of Modbus: requests that read, their answers, and refusals with their meaning.

Everything here is the MODBUS Application Protocol Specification V1.1b3: function codes clause 6, exception codes
clause 7. Only functions that read are known: nothing in this folder can write to a device.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gateway_server.errors import CodecError

REFUSED = 0x80
MOST_REGISTERS = 125
MOST_BITS = 2000
IDENTIFICATION = 0x2B
BASIC_IDENTIFICATION = bytes((IDENTIFICATION, 0x0E, 0x01, 0x00))
LONGEST = 253


class Table(enum.Enum):
    """The four tables of the data model (clause 4.3), each with the function code that reads it."""

    COIL = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4

    @property
    def is_bits(self) -> bool:
        """Whether it holds single bits instead of registers of 16."""
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def most(self) -> int:
        """How many may be asked for at once."""
        return MOST_BITS if self.is_bits else MOST_REGISTERS


EXCEPTIONS = {
    1: "illegal function: the device does not know this request",
    2: "illegal data address: it has no such registers",
    3: "illegal data value: it does not take this count",
    4: "server device failure",
    5: "acknowledge: it works on it and needs time",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
ABSENT = frozenset({1, 2, 3})
LATER = frozenset({5, 6})


@dataclass(frozen=True, slots=True)
class Request:
    """Please tell ``count`` registers (or bits) of a table from ``first`` on; addresses count from 0."""

    table: Table
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class AskName:
    """Who are you? Read Device Identification, basic, one request (clause 6.21)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Registers, high byte first, or bits, eight to a byte from the lowest on. What they are the request tells."""

    table: Table
    data: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """What a device says of itself: objects by number (0 vendor, 1 product code, 2 revision)."""

    pdu: bytes
    objects: tuple[tuple[int, str], ...]

    def text(self, number: int) -> str:
        """One object, empty if it was not told."""
        return dict(self.objects).get(number, "")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The device said no to a function."""

    function: int
    code: int

    @property
    def meaning(self) -> str:
        """The exception in words."""
        return EXCEPTIONS.get(self.code, "an exception that the specification does not name")


Asked = Request | AskName
Told = Answer | Named | Refusal
Pdu = Asked | Told


def encode(pdu: Pdu) -> bytes:
    """The bytes of a message, without address and check."""
    match pdu:
        case Request(table, first, count):
            if not 1 <= count <= table.most or not 0 <= first <= 0x10000 - count:
                raise CodecError(f"nobody can be asked for {count} of {table.name.lower()} from {first} on")
            return bytes((table.value,)) + first.to_bytes(2, "big") + count.to_bytes(2, "big")
        case AskName():
            return BASIC_IDENTIFICATION
        case Answer(table, data):
            return bytes((table.value, len(data))) + data
        case Named(raw, _):
            return raw
        case Refusal(function, code):
            return bytes((function | REFUSED, code))


def decode_answer(data: bytes) -> Told:
    """What a device said. Raises `CodecError`."""
    size = answer_size(data)
    if size is None or size != len(data):
        raise CodecError(f"no answer of Modbus: {data[:16].hex(' ')}")
    function = data[0]
    if function & REFUSED:
        return Refusal(function & ~REFUSED, data[1])
    if function == IDENTIFICATION:
        return Named(data, tuple((number, value.decode("latin-1")) for number, value in _objects(data)))
    return Answer(Table(function), data[2:])


def decode_request(data: bytes) -> Asked:
    """What a device was asked. Raises `CodecError`."""
    if data == BASIC_IDENTIFICATION:
        return AskName()
    if len(data) == 5 and data[0] in _TABLES:
        table, first, count = Table(data[0]), int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
        if 1 <= count <= table.most and first + count <= 0x10000:
            return Request(table, first, count)
    raise CodecError(f"no request that reads: {data[:16].hex(' ')}")


def answer_size(data: bytes) -> int | None:
    """How long the answer is that begins like this; 0 if more bytes are needed to tell, None if it is none."""
    if not data:
        return 0
    function = data[0]
    if function & REFUSED:
        return 2 if function & ~REFUSED in _FUNCTIONS and (len(data) < 2 or 1 <= data[1] <= 0x7F) else None
    if function in _TABLES:
        if len(data) < 2:
            return 0
        count = data[1]
        fits = 1 <= count <= 250 and (function <= 2 or not count & 1)
        return 2 + count if fits else None
    if function == IDENTIFICATION:
        return _named_size(data)
    return None


_TABLES = frozenset(table.value for table in Table)
_FUNCTIONS = _TABLES | {IDENTIFICATION}


def _named_size(data: bytes) -> int | None:
    """43/14: code, kind, conformity, more follows, next object, number of objects, then number, length, text each."""
    if len(data) > 1 and data[1] != 0x0E:
        return None
    if len(data) < 7:
        return 0
    at = 7
    for _ in range(data[6]):
        if len(data) < at + 2:
            return 0 if at + 2 <= LONGEST else None
        at += 2 + data[at + 1]
        if at > LONGEST:
            return None
    return at


def _objects(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 7
    for _ in range(data[6]):
        size = data[at + 1]
        found.append((data[at], data[at + 2 : at + 2 + size]))
        at += 2 + size
    return found
