"""What a message can look like: which of its fields tell kinds apart, and which follow from others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gateway_server.codec.meter_profile.building import solved as solved_for
from gateway_server.codec.meter_profile.expressions import Binary, Call, Constant, Expression, Name, Tree, Unary
from gateway_server.codec.meter_profile.form import Bits, Choice, EventMap, Field, Framing, Group, Message, Part, RowMap
from gateway_server.codec.meter_profile.reading import Values

Told = RowMap | EventMap


def tellings(message: Message) -> tuple[Told, ...]:
    """All that a message tells: its rows, then its events."""
    return (*message.rows, *message.events)


def fields_of(parts: Iterable[Part], *, inner: bool = True) -> Iterator[Field]:
    """Every field in some parts, however deep; without ``inner`` those in repeated groups are left out."""
    for part in parts:
        match part:
            case Field():
                yield part
            case Group():
                if inner or part.repeat is None:
                    yield from fields_of(part.parts, inner=inner)
            case Choice():
                for _, case in part.cases:
                    yield from fields_of(case, inner=inner)
                yield from fields_of(part.otherwise or (), inner=inner)


def count_in_bits(group: Group, size: int, message: Message, header: tuple[Field, ...]) -> Values:
    """How many there are, where that stands in some bits of a field: only whole fields are solved for in building."""
    expression = group.repeat.count if group.repeat is not None else None
    if expression is None or len(expression.names) != 1:
        return {}
    (name,) = expression.names
    bits = {
        part.name
        for field in fields_of((*header, *message.parts))
        if isinstance(field.type, Bits)
        for part in field.type.parts
    }
    return {name: solved_for(expression, name, size)} if name in bits else {}


def _expressions(parts: Iterable[Part]) -> Iterator[Expression]:
    for part in parts:
        if part.condition is not None:
            yield part.condition
        match part:
            case Group():
                yield from _expressions(part.parts)
            case Choice():
                yield part.on
                for _, case in part.cases:
                    yield from _expressions(case)
                yield from _expressions(part.otherwise or ())
            case _:
                pass


def _choices(parts: Iterable[Part]) -> Iterator[Choice]:
    for part in parts:
        if isinstance(part, Group):
            yield from _choices(part.parts)
        elif isinstance(part, Choice):
            yield part
            for _, case in part.cases:
                yield from _choices(case)


def compared_in(message: Message, header: tuple[Field, ...]) -> dict[str, list[Any]]:
    """What each field is compared with, anywhere in the message: the values that can make a difference."""
    found: dict[str, list[Any]] = {}

    def add(name: str, value: Any) -> None:
        if value not in found.setdefault(name, []):
            found[name].append(value)

    def look(tree: Tree) -> None:
        match tree:
            case Binary(said, Name(name), Constant(value)) | Binary(said, Constant(value), Name(name)):
                add(name, value)
                if said in ("<", ">", "!=") and isinstance(value, int):
                    add(name, value + 1)
                    add(name, max(value - 1, 0))
            case Binary("==" | ">=" | "<=", Call("default", (Name(name), _)), Constant(value)):
                add(name, value)
            case Binary("==", Call("text", (Name(name),)), Constant(str(value))):
                with_bytes = _as_bytes(value)
                if with_bytes is not None:
                    add(name, with_bytes)
            case Binary(_, left, right):
                look(left)
                look(right)
            case Unary(_, of):
                look(of)
            case Call(_, arguments):
                for one in arguments:
                    look(one)
            case _:
                pass

    conditions = [one.condition for one in tellings(message) if one.condition is not None]
    conditions += [value.condition for row in message.rows for value in row.values if value.condition is not None]
    for condition in (*conditions, *_expressions((*header, *message.parts))):
        look(condition.tree)
    for choice in _choices(message.parts):
        for name in choice.on.names:
            for allowed, _ in choice.cases:
                add(name, allowed[0])
    for options in found.values():
        if all(isinstance(one, int) for one in options) and 0 not in options:
            options.append(0)  # what it is when it is none of these
    for field in fields_of((*header, *message.parts)):
        if field.words and field.name not in found and not field.must_be:
            add(field.name, field.words[0][0])
    return found


def _as_bytes(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def size_field(framing: Framing) -> str:
    """The field of the header that tells the frame's size; empty if none alone does."""
    if framing.length is not None:
        return framing.length.field
    names = framing.size.names if framing.size is not None else ()
    return next(iter(names)) if len(names) == 1 else ""


def follows_from_others(message: Message, header: tuple[Field, ...], length: str) -> frozenset[str]:
    """Fields that follow from others: lengths, sizes and counts, and what tells the message apart."""
    names = {length, *(name for name, _ in message.when)}
    parts: list[Part] = list(message.parts)
    while parts:
        part = parts.pop()
        size = part.extent.size if isinstance(part, Field) else part.size
        if size is not None:
            names |= size.names
        if isinstance(part, Group):
            parts.extend(part.parts)
            if part.repeat is not None and part.repeat.count is not None:
                names |= part.repeat.count.names
        elif isinstance(part, Choice):
            for _, case in part.cases:
                parts.extend(case)
            parts.extend(part.otherwise or ())
    return frozenset(names)
