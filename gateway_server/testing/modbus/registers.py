"""What stands in the registers of a simulated device: likely values for every entry of a register map, from a seed.

The plugin only reads registers; what is written here goes the other way, so that each side tells the other's mistakes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from gateway_server.model import Column, Value
from gateway_server.testing.plausible import Likely, drawn, likely, stated, wandering

BEGINNING = datetime(2024, 1, 1)
"""Since when simulated counters count."""
_HOUR = timedelta(hours=1)
_UNKNOWN = Likely(Decimal(0), Decimal(100))
_PLACES = 3
_SIGNED, _FLOAT, _BCD, _TEXT, _UNIX, _BIT = "signed", "float", "bcd", "text", "unix", "bit"


class Kind(Protocol):
    """What the bits of a value mean, by a word."""

    @property
    def value(self) -> str: ...


class Form(Protocol):
    """How a value stands in its registers (`plugins.modbus.values.Form`)."""

    @property
    def kind(self) -> Kind: ...
    @property
    def low_word_first(self) -> bool: ...
    @property
    def low_byte_first(self) -> bool: ...
    @property
    def scale(self) -> Decimal: ...
    @property
    def offset(self) -> Decimal: ...
    @property
    def digits(self) -> int | None: ...
    @property
    def absent(self) -> frozenset[int]: ...
    @property
    def names(self) -> Mapping[int, str]: ...
    @property
    def bits(self) -> Mapping[int, str]: ...
    @property
    def bit(self) -> int | None: ...
    @property
    def encoding(self) -> str: ...

    def value(self, data: bytes) -> Value | None: ...


class Table(Protocol):
    """One of the four tables; ``value`` is the function that reads it."""

    @property
    def value(self) -> int: ...
    @property
    def is_bits(self) -> bool: ...


class Entry(Protocol):
    """One value of a map: where it stands, and what it is."""

    @property
    def table(self) -> Table: ...
    @property
    def first(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def form(self) -> Form: ...
    @property
    def column(self) -> Column: ...
    @property
    def is_status(self) -> bool: ...
    @property
    def simulated(self) -> tuple[Decimal, Decimal] | None: ...


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers and bits of a device by function and address; a register is two bytes, a bit is one."""

    held: Mapping[int, Mapping[int, bytes]]

    def read(self, function: int, first: int, count: int) -> bytes | None:
        """What stands in a row of registers, or in so many bits a byte each; None if one of them does not exist."""
        table = self.held.get(function, {})
        if not all(at in table for at in range(first, first + count)):
            return None
        return b"".join(table[at] for at in range(first, first + count))


def registers_of(entries: Iterable[Entry], serial_at: Entry | None, serial: str, seed: str, now: datetime) -> Registers:
    """The registers at a time. Of two entries that overlap the first counts, but for single bits."""
    held: dict[int, dict[int, bytes]] = {}
    if serial_at is not None:
        _put(held, serial_at, _written(serial_at, _serial(serial_at, serial)))
    for entry in entries:
        if entry.form.bit is not None:
            _put_bit(held, entry, random.Random(f"{seed}/{entry.column.source}/{entry.form.bit}").randrange(2))
        else:
            _put(held, entry, _written(entry, _value(entry, seed, now)))
    return Registers(held)


def told(entry: Entry, registers: Registers) -> Value | None:
    """What a reader of the map makes of an entry."""
    data = registers.read(entry.table.value, entry.first, entry.count)
    assert data is not None
    return entry.form.value(data)


def _put(held: dict[int, dict[int, bytes]], entry: Entry, data: bytes) -> None:
    table = held.setdefault(entry.table.value, {})
    size = 1 if entry.table.is_bits else 2
    for number in range(entry.count):
        table.setdefault(entry.first + number, data[number * size : (number + 1) * size])


def _put_bit(held: dict[int, dict[int, bytes]], entry: Entry, bit: int) -> None:
    table, form = held.setdefault(entry.table.value, {}), entry.form
    assert form.bit is not None
    there = b"".join(table.get(at, bytes(2)) for at in range(entry.first, entry.first + entry.count))
    whole = int.from_bytes(_turned(there, form), "big") | bit << form.bit
    data = _turned(whole.to_bytes(len(there), "big"), form)
    for number in range(entry.count):
        table[entry.first + number] = data[2 * number : 2 * number + 2]


def _serial(entry: Entry, serial: str) -> Decimal | str:
    return serial if entry.form.kind.value == _TEXT else Decimal("".join(filter(str.isdecimal, serial)) or "0")


def _value(entry: Entry, seed: str, now: datetime) -> Decimal | str:
    form, column = entry.form, entry.column
    if form.kind.value == _TEXT:
        return "SIM"
    if form.kind.value == _UNIX:
        return Decimal(int((now.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()))
    place = f"{seed}/{column.source}"
    if form.names:
        return Decimal(random.Random(place).choice(sorted(form.names)))
    if form.bits or entry.is_status:
        return Decimal(0)
    if form.kind.value == _BIT:
        return Decimal(random.Random(place).randrange(2))
    if entry.simulated is not None:
        within = stated(*entry.simulated, column.quantity, column.unit)
    else:
        within = likely(column.quantity, column.unit) or _UNKNOWN
    hours = (now - BEGINNING) // _HOUR
    if column.cumulative:
        return drawn(place, within) + within.growth * hours
    return wandering(place, hours, within)


def _written(entry: Entry, value: Decimal | str) -> bytes:
    """A value as it stands in its registers."""
    form, size = entry.form, 1 if entry.table.is_bits else 2 * entry.count
    if isinstance(value, str):
        return _turned(value.encode(form.encoding, "replace")[:size].ljust(size, b"\0"), form)
    whole = form.kind.value in (_BIT, _UNIX) or form.names
    exact = value if whole else (value - form.offset) / form.scale
    if form.kind.value == _FLOAT:
        places = _PLACES if form.digits is None else form.digits
        return _turned(struct.pack(">f" if size == 4 else ">d", round(exact, places)), form)
    return _turned(_number(form, int(exact.to_integral_value()), size), form)


def _number(form: Form, number: int, size: int) -> bytes:
    if form.kind.value == _BCD:
        return bytes.fromhex(f"{abs(number) % 10 ** (2 * size):0{2 * size}d}")
    signed = form.kind.value == _SIGNED
    most = (1 << 8 * size - signed) - 1
    least = -most if signed else 0
    number = number % (most + 1) if number > most else max(number, least)
    while number in form.absent and not form.names:
        number = number - 1 if number > least else number + 1
    return number.to_bytes(size, "big", signed=signed)


def _turned(data: bytes, form: Form) -> bytes:
    """From high word and byte first to the order that the form has, and back."""
    words: Sequence[bytes] = [data[at : at + 2] for at in range(0, len(data), 2)]
    if form.low_byte_first:
        words = [word[::-1] for word in words]
    return b"".join(reversed(words) if form.low_word_first else words)
