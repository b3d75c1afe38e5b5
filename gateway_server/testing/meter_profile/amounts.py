"""Which number a measured field of a simulated meter holds, so that what the profile makes of it is plausible.

A field's number and what is told of it are two things: between them are the field's scale and the expression of the
value. Both are tried at two numbers; where they go in a straight line, the number for a wanted value follows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import Bcd, Bits, Flags, Float, Integer, Number, Type, ValueMap
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
from gateway_server.testing.plausible import Likely, drawn, likely, stated, wandering

_GROWTH = 100
_LARGEST = 10**9
_ROWS = 4000
"""So many rows a counter has room for before it begins anew."""


@dataclass(frozen=True, slots=True)
class Room:
    """The whole numbers that a field can hold."""

    least: int
    most: int


def room_of(type_: Type) -> Room:
    """What a type has room for, at most as much as is handy."""
    match type_:
        case Integer(size, signed):
            most = min((1 << 8 * size - signed) - 1, _LARGEST)
            return Room(-most if signed else 0, most)
        case Flags(size) | Bits(size):
            return Room(0, min((1 << 8 * size) - 1, _LARGEST))
        case Bcd(size):
            return Room(0, min(int(10 ** (2 * size)) - 1, _LARGEST))
        case Number(digits=digits, places=places):
            return Room(0, min(int(10 ** ((digits or 8) - (places > 0))) - 1, _LARGEST))
        case Float(digits=digits):
            most = int(10 ** min(digits or 6, 6)) - 1
            return Room(-most, most)
        case _:
            return Room(0, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of a field's number: ``zero`` of 0, and ``step`` more for each more."""

    zero: Decimal
    step: Decimal

    def number(self, value: Decimal) -> int:
        """The number of which about this value is told."""
        return int(((value - self.zero) / self.step).to_integral_value())


def line_of(value: ValueMap, name: str, known: Values, as_field: Callable[[int], Any]) -> Line | None:
    """The line between a field's number and the value told; None if it is none, or other fields bend it."""
    work, free = compiled(value.value), {other: 0 for other in value.value.names if other not in known}
    try:
        told = [Decimal(work({**free, **known, name: as_field(number)})) for number in (0, 1, 1000)]
    except (CodecError, TypeError, ArithmeticError, ValueError):
        return None
    step = told[1] - told[0]
    return Line(told[0], step) if step and told[2] == told[0] + 1000 * step else None


def range_of(value: ValueMap) -> Likely | None:
    """Where the value is to be: as the profile states it, else as we know of its quantity and unit."""
    column = value.column
    if value.simulated is not None:
        return stated(*value.simulated, column.quantity, column.unit)
    return likely(column.quantity, column.unit)


def amount(seed: str, row: int, value: ValueMap, room: Room, line: Line | None) -> int:
    """The number that a measured field holds in row ``row``; ``seed`` names the meter, the archive and the quantity."""
    within = range_of(value)
    found = None
    if within is not None and line is not None:
        found = (_counted if value.column.cumulative else _measured)(seed, row, within, room, line)
    return _any(seed, row, room, cumulative=value.column.cumulative) if found is None else found


def _measured(seed: str, row: int, within: Likely, room: Room, line: Line) -> int | None:
    ends = sorted((line.zero + line.step * room.least, line.zero + line.step * room.most))
    low, high = max(within.low, ends[0]), min(within.high, ends[1])
    if low > high:
        return None
    return min(max(line.number(wandering(seed, row, Likely(low, high))), room.least), room.most)


def _counted(seed: str, row: int, within: Likely, room: Room, line: Line) -> int | None:
    if line.step < 0:
        return None
    growth = min(max(int(within.growth / line.step), 1), room.most // (2 * _ROWS) + 1)
    low, high = line.number(within.low), min(line.number(within.high), room.most // 2)
    if low > high:
        return None
    first = int(drawn(seed, Likely(Decimal(low), Decimal(high))))
    return _grown(seed, row, first, growth, room)


def _grown(seed: str, row: int, first: int, growth: int, room: Room) -> int:
    return (first + row * growth + random.Random(f"{seed}/{row}").randrange(growth)) % (room.most + 1)


def _any(seed: str, row: int, room: Room, *, cumulative: bool) -> int:
    """Where nobody knows what is plausible: a small part of what the field has room for."""
    first = random.Random(seed).randrange(1, room.most // 4 + 2)
    if cumulative:
        return _grown(seed, row, first, min(_GROWTH, room.most // 100_000 + 1), room)
    return (first + random.Random(f"{seed}/{row}").randrange(room.most // 40 + 1)) % (room.most + 1)
