"""The parts of a message, compiled: one function that reads each, made once when the profile is loaded.

A reader takes the bytes, where it begins and where what surrounds it ends; it puts values into ``values`` and gives
where it ended. All fields of a message, however deep, share one table of values while it is read: a name means the
nearest field of that name before it. A repeated group leaves a list with the values of each of its elements there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from gateway_server.codec.meter_profile.evaluation import Evaluate, compiled
from gateway_server.codec.meter_profile.finishing import Finish, finish_of, shown
from gateway_server.codec.meter_profile.form import (
    Choice,
    Field,
    Group,
    Mask,
    Part,
)
from gateway_server.codec.meter_profile.leaves import leaf_of, reader_of
from gateway_server.codec.meter_profile.naming import names_of, sometimes
from gateway_server.codec.meter_profile.reading import SPAN, Reader, Trace, Values
from gateway_server.codec.meter_profile.runs import columns, is_column, is_fixed, record
from gateway_server.errors import CodecError

LEFT = "left"
MOST_REPEATS = 10_000


def sequence(parts: tuple[Part, ...], marks: frozenset[str] = frozenset()) -> Reader:
    """Reads parts, one behind the other. ``marks`` are the fields whose beginning some check wants to know."""
    readers: list[Reader] = []
    for kind, run in groupby(parts, lambda part: _kind_of_run(part, marks)):
        together = tuple(run)
        each = [_reader_of(part, marks) for part in together]
        if len(together) < 2 or kind is None:
            readers += each
            continue
        fields = [part for part in together if isinstance(part, Field)]
        fuse = record if kind is _FIXED else columns
        readers.append(fuse(fields, finish_of, _in_turn(each)))
    return _in_turn(readers)


def _in_turn(readers: Sequence[Reader]) -> Reader:
    if len(readers) == 1:
        return readers[0]

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        for one in readers:
            at = one(data, at, end, values, trace)
        return at

    return read


_FIXED = "fixed"


def _kind_of_run(part: Part, marks: frozenset[str]) -> str | bytes | None:
    """What can be read at one stroke with its neighbours of the same kind; None for what stands alone."""
    if not isinstance(part, Field) or part.name in marks:
        return None
    if is_fixed(part):
        return _FIXED
    return part.extent.until if is_column(part) else None


def _reader_of(part: Part, marks: frozenset[str]) -> Reader:
    match part:
        case Field():
            reader = _field(part)
            if part.name in marks:
                reader = _marked(reader, part.name)
        case Group():
            reader = _group(part, marks)
        case Choice():
            reader = _choice(part, marks)
    return reader if part.condition is None else _optional(reader, compiled(part.condition))


def _marked(reader: Reader, name: str) -> Reader:
    mark = SPAN + name

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        values[mark] = at
        return reader(data, at, end, values, trace)

    return read


def _optional(reader: Reader, condition: Evaluate) -> Reader:
    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        values[LEFT] = end - at
        return reader(data, at, end, values, trace) if condition(values) else at

    return read


# fields


def size_in(count: Evaluate, values: Values, name: str, left: int) -> int:
    """How many bytes an expression says; they must be there."""
    values[LEFT] = left
    size = count(values)
    if type(size) is not int or not 0 <= size <= left:
        raise CodecError(f"{name} would have {size} bytes where {left} are left")
    return size


def _field(field: Field) -> Reader:
    leaf = leaf_of(field.type)
    finish = finish_of(field)
    if leaf.size is not None:
        return _fixed(field, reader_of(field), leaf.size, finish)
    name, take, secret = field.name, reader_of(field), field.secret
    until, or_end, skip = field.extent.until, field.extent.or_end, len(field.extent.until)
    count = None if field.extent.size is None else compiled(field.extent.size)

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        if until:
            stop = data.find(until, at, end)
            following = stop + skip
            if stop < 0:
                if not or_end:
                    raise CodecError(f"{name} does not end with {until!r}")
                stop = following = end
        elif count is not None:
            stop = following = at + size_in(count, values, name, end - at)
        else:
            stop = following = end
        try:
            value = values[name] = take(data[at:stop])
        except CodecError as error:
            raise CodecError(f"{name}: {'it cannot be read, and is secret' if secret else error}") from None
        if finish is not None:
            finish(value, values, data, at)
        if trace is not None:
            trace.add(field, at, following, values[name], data)
        return following

    return read


def _fixed(field: Field, take: Callable[[bytes], Any], size: int, finish: Finish | None) -> Reader:
    name, secret = field.name, field.secret

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        stop = at + size
        if stop > end:
            raise CodecError(f"the frame ends within {name}")
        try:
            value = values[name] = take(data[at:stop])
        except CodecError as error:
            raise CodecError(f"{name}: {'it cannot be read, and is secret' if secret else error}") from None
        if finish is not None:
            finish(value, values, data, at)
        if trace is not None:
            trace.add(field, at, stop, values[name], data)
        return stop

    return read


# groups and choices


def _group(group: Group, marks: frozenset[str]) -> Reader:
    inner = sequence(group.parts, marks)
    if group.repeat is not None:
        inner = _repeated(group, inner)
    if group.size is None and group.mask is None:
        return inner if group.repeat else _named(group, inner)
    count = None if group.size is None else compiled(group.size)
    name, unmask = group.name, None if group.mask is None else unmasking(group.mask)

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        stop = end if count is None else at + size_in(count, values, name, end - at)
        if unmask is not None:
            data = data[:at] + data[at:stop].translate(unmask) + data[stop:]
        reached = inner(data, at, stop, values, trace)
        if reached != stop and count is not None:
            raise CodecError(f"{name} has {stop - reached} bytes more than its parts")
        return reached

    return read if group.repeat else _named(group, read)


def _named(group: Group, inner: Reader) -> Reader:
    name = group.name

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        if trace is None:
            return inner(data, at, end, values, None)
        path, trace.path = trace.path, (*trace.path, name)
        reached = inner(data, at, end, values, trace)
        trace.path = path
        return reached

    return read


def unmasking(mask: Mask) -> bytes:
    """The table that undoes a mask."""
    return bytes(((byte ^ mask.xor) - mask.add) & 0xFF for byte in range(256))


def masking(mask: Mask) -> bytes:
    """The table that applies a mask."""
    return bytes(((byte + mask.add) & 0xFF) ^ mask.xor for byte in range(256))


def _repeated(group: Group, inner: Reader) -> Reader:
    assert group.repeat is not None
    name, own, vanishing = group.name, tuple(names_of(group.parts)), tuple(sometimes(group.parts))
    until = group.repeat.until
    count = None if group.repeat.count is None else compiled(group.repeat.count)

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        times = MOST_REPEATS + 1 if count is None else times_in(count, values, name)
        elements: list[Values] = []
        path = trace.path if trace is not None else ()
        while len(elements) < times and (count is not None or at < end):
            if until and data.startswith(until, at):
                break
            for gone in vanishing:
                values.pop(gone, None)
            if trace is not None:
                trace.path = (*path, name, len(elements))
            reached = inner(data, at, end, values, trace)
            if reached == at:
                raise CodecError(f"an element of {name} would have no bytes")
            element = {one: values[one] for one in own if one in values} if vanishing else {o: values[o] for o in own}
            element[SPAN] = (at, reached)
            elements.append(element)
            at = reached
        if len(elements) > MOST_REPEATS:
            raise CodecError(f"{name} has more than {MOST_REPEATS} elements")
        if trace is not None:
            trace.path = path
        values[name] = elements
        return at

    return read


def times_in(count: Evaluate, values: Values, name: str) -> int:
    """How many elements an expression says."""
    times = count(values)
    if type(times) is not int or not 0 <= times <= MOST_REPEATS:
        raise CodecError(f"{name} would have {times} elements; {MOST_REPEATS} is the most")
    return times


def _choice(choice: Choice, marks: frozenset[str]) -> Reader:
    on, text = compiled(choice.on), choice.on.text
    count = None if choice.size is None else compiled(choice.size)
    cases = {value: sequence(parts, marks) for values, parts in choice.cases for value in values}
    otherwise = None if choice.otherwise is None else sequence(choice.otherwise, marks)

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        stop = end if count is None else at + size_in(count, values, text, end - at)
        value = on(values)
        inner = cases.get(value, otherwise)
        if inner is None:
            raise CodecError(f"{text} is {shown(value)}, which is none of the known ones")
        reached = inner(data, at, stop, values, trace)
        if reached != stop and count is not None:
            raise CodecError(f"{stop - reached} bytes more than the parts for {text} {shown(value)}")
        return reached

    return read
