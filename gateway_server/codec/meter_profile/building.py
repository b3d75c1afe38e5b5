"""Puts messages together: values to header and body, with lengths and counts that follow from the rest.

A field gets its value from what is given; else from its ``value``, ``equals`` or only allowed value; else it is solved
for: a count or size that an expression of that field alone tells must fit what it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from gateway_server.codec.meter_profile.checks import compute
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.finishing import shown
from gateway_server.codec.meter_profile.form import Bits, Choice, Field, Group, Integer, Message, Part
from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.leaves import Leaf, fitted, leaf_of
from gateway_server.codec.meter_profile.numbers import exact_quotient
from gateway_server.codec.meter_profile.parts import LEFT, masking
from gateway_server.codec.meter_profile.reading import SPAN, Path, Trace, Values
from gateway_server.errors import CodecError

_MOST_TRIALS = 8

Odd = Mapping[Path, bytes]


class Builder:
    """Builds one message."""

    def __init__(self, message: Message, layout: Layout) -> None:
        self._message = message
        self._layout = layout
        self._header = layout.framing.header
        self._leaves: dict[int, Leaf] = {}

    def contents(self, values: Values, odd: Odd, known: Values) -> bytes:
        """Header and body, the checks of the frame not yet. Raises `CodecError`."""
        given = dict(values)
        for name, allowed in self._message.when:
            given.setdefault(name, allowed[0])
        pending = self._size_field(given)
        if pending is not None:
            # A field of the header tells the size: build once with any number there, then with the right one.
            given[pending] = 0
            for _ in range(_MOST_TRIALS):
                body = bytes(_Writing({**known, **given}, odd).write(self._all, given, ()))
                told = self._told(self._layout.size(body), pending)
                if told == given[pending]:
                    return body
                given[pending] = told  # a number that is itself sent escaped makes the frame longer
            raise CodecError(f"no {pending} tells the size of this frame, in which it is sent escaped itself")
        return bytes(_Writing({**known, **given}, odd).write(self._all, given, ()))

    @property
    def _all(self) -> tuple[Part, ...]:
        return (*self._header, *self._message.parts)

    def _size_field(self, given: Values) -> str | None:
        framing = self._layout.framing
        name = framing.length.field if framing.length else framing.size.name if framing.size else ""
        if framing.size is not None and len(framing.size.names) == 1:
            (name,) = framing.size.names
        return name if name and name not in given else None

    def _told(self, size: int, name: str) -> int:
        framing = self._layout.framing
        if framing.length is not None:
            count, rest = divmod(size - framing.length.uncounted, framing.length.unit)
            if rest or count < 0:
                raise CodecError(f"{name} cannot tell a size of {size} bytes")
            return count
        assert framing.size is not None
        return solved(framing.size, name, size)

    def odd(self, trace: Trace) -> dict[Path, bytes]:
        """The bytes of those fields that are not what their value would be written as."""
        found: dict[Path, bytes] = {}
        env: Values = {}
        for seen in trace.fields:
            env[seen.field.name] = seen.value
            try:
                same = write_field(seen.field, seen.value, env) == seen.raw
            except CodecError:
                same = False
            if not same:
                found[seen.path] = seen.raw
        return found


class _Writing:
    """One message being written; ``env`` holds every value known so far."""

    def __init__(self, env: Values, odd: Odd) -> None:
        self._env = env
        self._odd = odd

    def write(self, parts: tuple[Part, ...], given: Values, path: Path, base: int = 0) -> bytearray:
        """The bytes of parts whose values are ``given``; they will stand at ``base``."""
        out = bytearray()
        for number, part in enumerate(parts):
            if part.condition is not None and not self._is_there(part, given):
                continue
            match part:
                case Field():
                    out += self._field(part, given, path, out, base, parts[number + 1 :])
                case Group():
                    out += self._group(part, given, path, base + len(out))
                case Choice():
                    out += self.write(self._chosen(part), given, path, base + len(out))
        return out

    def _is_there(self, part: Part, given: Values) -> bool:
        assert part.condition is not None
        if LEFT in part.condition.names:
            # What is left when it is read is what is given here.
            names = [part.name] if isinstance(part, (Field, Group)) else []
            return any(name in given for name in names)
        return bool(compiled(part.condition)(self._env))

    def _chosen(self, choice: Choice) -> tuple[Part, ...]:
        value = compiled(choice.on)(self._env)
        for values, parts in choice.cases:
            if value in values:
                return parts
        if choice.otherwise is None:
            raise CodecError(f"{choice.on} is {shown(value)}, for which there is no case")
        return choice.otherwise

    def _field(
        self, field: Field, given: Values, path: Path, before: bytearray, base: int, behind: tuple[Part, ...]
    ) -> bytes:
        whole = (*path, field.name)
        if field.check is not None:
            return self._check(field, given, whole, before, base)
        value = self._value(field, given, path, behind)
        self._env[field.name] = value
        self._env[f"{SPAN}{field.name}"] = base + len(before)
        if isinstance(field.type, Bits):
            for part in field.type.parts:
                self._env[part.name] = int(value) >> part.span.low & ((1 << part.span.width) - 1)
        odd = self._odd.get(whole)
        return odd if odd is not None else write_field(field, value, self._env)

    def _check(self, field: Field, given: Values, path: Path, before: bytearray, base: int) -> bytes:
        assert field.check is not None
        start = self._env.get(SPAN + field.check.covers, base) - base if field.check.covers else 0
        number = compute(field.check.rule)(field.check.start + bytes(before[max(0, start) :]))
        self._env[field.name] = number
        return self._odd.get(path) or leaf_of(field.type).write(number)

    def _value(self, field: Field, given: Values, path: Path, behind: tuple[Part, ...]) -> Any:
        if field.name in given:
            return given[field.name]
        if isinstance(field.type, Bits) and any(part.name in given for part in field.type.parts):
            return sum(int(given.get(part.name, 0)) << part.span.low for part in field.type.parts)
        if field.value is not None:
            return compiled(field.value)(self._env)
        if field.equals is not None:
            return compiled(field.equals)(self._env)
        if field.must_be:
            return field.must_be[0]
        for part in behind:
            if (found := self._solved(field.name, part, given, path)) is not None:
                return found
        raise CodecError(f"{field.name} has no value")

    def _solved(self, name: str, part: Part, given: Values, path: Path) -> int | None:
        if isinstance(part, Group) and part.repeat is not None and _tells(part.repeat.count, name):
            assert part.repeat.count is not None
            return solved(part.repeat.count, name, len(given.get(part.name, ())))
        size = part.extent.size if isinstance(part, Field) else part.size
        if not _tells(size, name):
            return None
        assert size is not None
        trial = _Writing({**self._env, name: 0}, self._odd)
        if isinstance(part, Field):
            value = trial._value(part, given, path, ())
            data: bytes | bytearray = self._odd.get((*path, part.name)) or _written(part, value, trial._env)
        else:
            data = trial.write((part,), given, path)
        return solved(size, name, len(data))

    def _group(self, group: Group, given: Values, path: Path, base: int) -> bytes:
        if group.repeat is None:
            out = self.write(group.parts, given, (*path, group.name), base)
        else:
            elements = given.get(group.name, ())
            out = bytearray()
            for number, element in enumerate(elements):
                self._env.update(element)
                out += self.write(group.parts, element, (*path, group.name, number), base + len(out))
        if group.size is not None and not _is_trial(group.size, self._env):
            wanted = compiled(group.size)(self._env)
            if wanted != len(out):
                raise CodecError(f"{group.name} has {len(out)} bytes, not {wanted}")
        return bytes(out).translate(masking(group.mask)) if group.mask is not None else bytes(out)


def _is_trial(size: Expression, env: Values) -> bool:
    return any(env.get(name) == 0 for name in size.names)


def _tells(expression: Expression | None, name: str) -> bool:
    return expression is not None and expression.names == {name}


def solved(expression: Expression, name: str, wanted: int) -> int:
    """The number that, as this field, makes the expression what is wanted. Raises `CodecError` if none does."""
    work: Callable[[Mapping[str, Any]], Any] = compiled(expression)
    first, second = work({name: 0}), work({name: 1})
    slope = second - first
    if slope and (wanted - first) % slope == 0:
        found = int((wanted - first) // slope)
        if found >= 0 and work({name: found}) == wanted:
            return found
    raise CodecError(f"no {name} makes {expression} {wanted}")


def unscaled(field: Field, value: Any, env: Values) -> Any:
    """What is written for a value: the number without its scale, what stands for no value."""
    if value is None and field.missing:
        return field.missing[0]
    if field.scale is None or value is None:
        return value
    if isinstance(value, str) and _is_digits(value):
        value = int(value)
    if isinstance(value, (int, Decimal)):
        return exact_quotient(value, compiled(field.scale)(env))
    raise CodecError(f"{field.name}: {shown(value)} is no number")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 40


def write_field(field: Field, value: Any, env: Values) -> bytes:
    """A field's bytes, with what ends it. Raises `CodecError`."""
    leaf = leaf_of(field.type)
    data = _written(field, value, env)
    if leaf.size is not None:
        return data
    if field.extent.until:
        if field.extent.until in data:
            raise CodecError(f"{field.name} has its own end within it")
        return data + field.extent.until
    if field.extent.size is None or LEFT in field.extent.size.names:
        return data
    if value is None and data in field.absent:
        data = data.ljust(int(compiled(field.extent.size)(env)))  # zeros before it would make it something else
    return fitted(data, int(compiled(field.extent.size)(env)), leaf, field.name)


def _written(field: Field, value: Any, env: Values) -> bytes:
    """A value's bytes, without what fills them up or ends them."""
    value = unscaled(field, value, env)
    if value is None:
        if field.absent:
            return field.absent[0]
        raise CodecError(f"{field.name} has no value, and nothing says how that is written")
    if isinstance(value, str) and isinstance(field.type, Integer) and not _is_digits(value):
        raise CodecError(f"{field.name} is {shown(value)}, which is no number")
    try:
        return leaf_of(field.type).write(value)
    except CodecError as error:
        raise CodecError(f"{field.name}: {error}") from None
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CodecError(f"{field.name} cannot be {shown(value)}: {error}") from None
