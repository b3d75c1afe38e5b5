"""Invents what a simulated meter's messages hold: any message of any profile, from a seed.

Which fields are the order number, the time, the serial number and the measured values follows from what the profile
says the message means. Fields that tell messages and rows apart get values by trying those that the profile compares
them with, until the message tells what it is to tell.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.elements import Each
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import (
    Bits,
    Bytes,
    Choice,
    CountedTime,
    EventMap,
    Field,
    Float,
    Group,
    Message,
    Number,
    PackedTime,
    Part,
    PatternTime,
    RowMap,
    Text,
    ValueMap,
)
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.meaning import Meaning
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
from gateway_server.model import NOWHERE
from gateway_server.testing.meter_profile.amounts import Room, amount, line_of, room_of
from gateway_server.testing.meter_profile.shapes import (
    Told,
    compared_in,
    count_in_bits,
    fields_of,
    follows_from_others,
    size_field,
    tellings,
)

MOST_TRIES = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a simulated archive: the device's own number of it, and when it was made."""

    archive: str
    number: int
    at: datetime


class Inventor:
    """Invents messages of one meter. The same seed, entry and quantity give the same value, whichever message asks."""

    def __init__(self, machine: Machine, serial: str, seed: int) -> None:
        self._machine = machine
        self._serial = serial
        self._seed = f"{machine.profile.name}/{serial}/{seed}"
        self._compared: dict[str, dict[str, list[Any]]] = {}
        self._shapes: dict[tuple[str, int, frozenset[str]], Values] = {}

    def message(
        self, message: Message, told: Told | None, entries: Iterable[Entry], now: datetime, given: Mapping[str, Any]
    ) -> bytes:
        """The frame of a message that tells these entries in ``told``'s way; ``given`` are values that are wanted.

        Raises `CodecError` if no values make the message tell anything.
        """
        entries = tuple(entries)
        key = message.name, -1 if told is None else _place(message, told), frozenset(given)
        known = self._shapes.get(key)
        shapes = [known] if known is not None and self._fits(known, given) else self._candidates(message, told, given)
        why = "nothing it could hold is told by the profile"
        for shape in itertools.islice(shapes, MOST_TRIES):
            try:
                data = self._built(message, told, entries, now, {**shape, **given})
                if told is None or not entries or self._tells(message, told, data):
                    self._shapes[key] = shape
                    return data
            except CodecError as error:
                why = str(error)
        raise CodecError(f"the message {message.name} cannot be made up: {why}")

    def _fits(self, shape: Values, given: Mapping[str, Any]) -> bool:
        return not any(name in given for name in shape)

    def _tells(self, message: Message, told: Told, data: bytes) -> bool:
        """Whether this row or event of the message is told, whatever else is."""
        rows = (told,) if isinstance(told, RowMap) else ()
        events = (told,) if isinstance(told, EventMap) else ()
        meaning = Meaning(replace(message, rows=rows, events=events), self._machine.profile)
        values = self._machine.compiled.read(self.frame(message, data)).values
        return meaning.findings(values, NOWHERE) is not None

    def frame(self, message: Message, data: bytes) -> Frame:
        """The frame that these bytes are."""
        return Frame(message.framing, data)

    # shapes: the values of fields that tell kinds apart

    def _candidates(self, message: Message, told: Told | None, given: Mapping[str, Any]) -> Iterator[Values]:
        framing = self._machine.profile.framing(message.framing)
        compared = self._compared_in(message)
        roles = _Roles(message, told, compared)
        free: dict[str, list[Any]] = {}
        for field in fields_of((*framing.header, *message.parts)):
            for name in (
                [field.name, *(part.name for part in field.type.parts)]
                if isinstance(field.type, Bits)
                else [field.name]
            ):
                options = compared.get(name, [])
                if name in given or name in roles.all or field.must_be or field.equals or not options:
                    continue
                free[name] = options
        names = list(free)
        if math.prod(map(len, free.values())) <= MOST_TRIES:
            for values in itertools.product(*free.values()):
                yield dict(zip(names, values, strict=True))
            return
        chance = random.Random(f"{self._seed}/{message.name}")
        for _ in range(MOST_TRIES):
            yield {name: chance.choice(options) for name, options in free.items()}

    def _compared_in(self, message: Message) -> dict[str, list[Any]]:
        if message.name not in self._compared:
            header = self._machine.profile.framing(message.framing).header
            self._compared[message.name] = compared_in(message, header)
        return self._compared[message.name]

    # values

    def _built(
        self, message: Message, told: Told | None, entries: tuple[Entry, ...], now: datetime, shape: Values
    ) -> bytes:
        framing = self._machine.profile.framing(message.framing)
        writing = _Writing(
            message,
            framing.header,
            _Roles(message, told, self._compared_in(message)),
            now,
            shape,
            follows_from_others(message, framing.header, size_field(framing)),
        )
        each = told.each if told is not None else ()
        first = entries[0] if entries and not each else None
        values = self._fields((*framing.header, *message.parts), writing, first, each, entries)
        return self._machine.compiled.encode(message.name, values, known=self._variables())

    def _variables(self) -> Values:
        return {one.name: one.start for one in self._machine.profile.variables}

    def _fields(
        self,
        parts: tuple[Part, ...],
        writing: _Writing,
        entry: Entry | None,
        way: Each,
        entries: tuple[Entry, ...],
        known: Values | None = None,
    ) -> Values:
        """The values of some parts; ``way`` leads from here to the group whose elements tell the entries."""
        values: Values = dict(writing.shape if known is None else known)
        for part in parts:
            match part:
                case Field():
                    if part.name not in values and part.name not in writing.solved and not _sets_itself(part):
                        values.update(self._field(part, writing, entry, values))
                case Group(repeat=None):
                    values.update(self._fields(part.parts, writing, entry, way, entries))
                case Group():
                    chosen = part.name == way[0] if way else False
                    elements = (
                        self._elements(part, writing, way[1:], entries) if chosen else self._tags(part, writing, entry)
                    )
                    values[part.name] = elements
                    values.update(count_in_bits(part, len(elements), writing.message, writing.header))
                case Choice():
                    values.update(self._fields(_chosen(part, values), writing, entry, way, entries, values))
        return values

    def _elements(self, group: Group, writing: _Writing, way: Each, entries: tuple[Entry, ...]) -> list[Values]:
        """The elements of a group: one for each entry, or for those entries that its own fields tell alike."""
        told_alike = writing.roles.told_alike(group) if way else lambda entry: entry
        return [
            self._fields(group.parts, writing, together[0], way, together)
            for together in (tuple(run) for _, run in itertools.groupby(entries, told_alike))
        ]

    def _tags(self, group: Group, writing: _Writing, entry: Entry | None) -> list[Values]:
        """An element for each case of a choice, within a group, that holds what the message tells as a whole."""
        return [
            self._fields(group.parts, writing, entry, (), (), {**writing.shape, part.on.name: allowed[0]})
            for part in group.parts
            if isinstance(part, Choice) and part.on.name
            for allowed, case in part.cases
            if writing.roles.all.intersection(field.name for field in fields_of(case, inner=False))
        ]

    def _field(self, field: Field, writing: _Writing, entry: Entry | None, known: Values) -> Values:
        roles = writing.roles
        if isinstance(field.type, Bits):
            names = {part.name for part in field.type.parts}
            measured: Values = {
                part.name: self._number(part.name, Room(0, (1 << part.span.width) - 1), roles, entry, known, _itself)
                for part in field.type.parts
                if part.name in roles.measured and part.name not in known
            }
            return measured or ({} if names & (known.keys() | writing.solved) else {field.name: 0})
        if field.name in roles.serial:
            return {field.name: self._serial if isinstance(field.type, Text) else _digits(self._serial)}
        if field.name == roles.number and entry is not None:
            return {field.name: entry.number}
        if isinstance(field.type, _TIMES):
            moment = entry.at if entry is not None and field.name in roles.times else writing.now
            return {field.name: _countable(field.type, moment)}
        if isinstance(field.type, Text):
            return {field.name: "SIM" if field.name in roles.measured else ""}
        if isinstance(field.type, Bytes):
            return {field.name: b""}

        def as_field(number: int) -> int | Decimal:
            raw = Decimal(number)
            if isinstance(field.type, Number) and field.type.places:
                raw = raw.scaleb(-field.type.places)
            if isinstance(field.type, Float):
                raw = raw.scaleb(-2)
            if field.scale is not None:
                raw *= compiled(field.scale)(known)
            return int(raw) if raw == raw.to_integral_value() and field.scale is None else raw

        room = room_of(field.type)
        number = self._number(field.name, room, roles, entry, known, as_field)
        return {field.name: as_field(number + 1 if number in field.missing and number < room.most else number)}

    def _number(
        self,
        name: str,
        room: Room,
        roles: _Roles,
        entry: Entry | None,
        known: Values,
        as_field: Callable[[int], int | Decimal],
    ) -> int:
        value = roles.measured.get(name)
        if value is None:
            return 0
        quantity = value.column.quantity
        place = f"{entry.archive}/{quantity}" if entry is not None else quantity
        line = line_of(value, name, known, as_field)
        return amount(f"{self._seed}/{place}", 0 if entry is None else entry.number, value, room, line)


@dataclass(frozen=True, slots=True)
class _Writing:
    """One message that is being made up: what its fields are, and the values that are settled."""

    message: Message
    header: tuple[Field, ...]
    roles: _Roles
    now: datetime
    shape: Values
    solved: frozenset[str]


class _Roles:
    """What the fields of a message are, by what the profile says it means."""

    def __init__(self, message: Message, told: Told | None, compared: Mapping[str, object]) -> None:
        self.serial: frozenset[str] = message.identity.serial.names if message.identity is not None else frozenset()
        self.number = ""
        self.measured: dict[str, ValueMap] = {}
        self.times: set[str] = set()
        for one in tellings(message):
            if told is not None and one is not told:
                continue
            self.times.update(one.at)
            if one.order_number is not None and one.order_number.name:
                self.number = one.order_number.name
            if isinstance(one, RowMap):
                for value in one.values:
                    for name in value.value.names:
                        if name in compared and value.value.name != name:
                            continue  # it tells how a number is to be taken, as the unit code of M-Bus does
                        self.measured.setdefault(name, value)
        self.all = self.serial | {self.number} | set(self.measured) | self.times

    def told_alike(self, group: Group) -> Callable[[Entry], object]:
        """What must be the same of two entries that one element of a group around theirs can tell."""
        own = {part.name: part for part in fields_of(group.parts, inner=False)}
        if self.number in own or self.measured.keys() & own.keys():
            return lambda entry: entry.number
        times = [one.type for name, one in own.items() if name in self.times and isinstance(one.type, _TIMES)]
        return lambda entry: [leaf_of(type_).write(_countable(type_, entry.at)) for type_ in times]


_TIMES = (CountedTime, PatternTime, PackedTime)


def _itself(number: int) -> int:
    return number


def _place(message: Message, told: Told) -> int:
    return tellings(message).index(told)


def _sets_itself(field: Field) -> bool:
    return bool(field.must_be) or any(one is not None for one in (field.equals, field.value, field.check))


def _chosen(choice: Choice, values: Values) -> tuple[Part, ...]:
    try:
        on = compiled(choice.on)(values)
    except CodecError:
        on = None
    for allowed, parts in choice.cases:
        if on in allowed:
            return parts
    return choice.otherwise or ()


def _countable(type_: CountedTime | PatternTime | PackedTime, moment: datetime) -> datetime:
    """The last moment that a field of this type can tell."""
    if not isinstance(type_, CountedTime):
        return moment
    unit = timedelta(milliseconds=type_.unit_ms)
    return type_.since + (moment - type_.since) // unit * unit


def _digits(serial: str) -> int:
    return int("".join(digit for digit in serial if digit.isdigit()) or "0")
