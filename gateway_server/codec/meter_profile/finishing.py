"""What is done with a field's value beyond keeping it: what it must be, its words and bits, its scale."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway_server.codec.meter_profile.checks import compute
from gateway_server.codec.meter_profile.evaluation import Evaluate, compiled
from gateway_server.codec.meter_profile.expressions import Constant as Literal
from gateway_server.codec.meter_profile.form import Bits, Constant, Field, FieldCheck, Integer
from gateway_server.codec.meter_profile.leaves import words_of
from gateway_server.codec.meter_profile.numbers import PRODUCT, exact_product
from gateway_server.codec.meter_profile.reading import SPAN, Values
from gateway_server.errors import ChecksumError, CodecError

Finish = Callable[[Any, Values, bytes, int], None]


def finish_of(field: Field) -> Finish | None:
    """What is done with a value beyond keeping it: limits, a check, bits, words, scale. None if nothing is."""
    steps: list[Finish] = []
    if field.must_be:
        steps.append(_confirming(field.name, field.must_be, secret=field.secret))
    if field.equals is not None:
        steps.append(_comparing(field.name, compiled(field.equals), secret=field.secret))
    if field.check is not None:
        steps.append(_checking(field, field.check))
    if isinstance(field.type, Bits):
        steps.append(_splitting(field.type))
    if (word := words_of(field.type, field.words)) is not None:
        steps.append(_wording(f"{field.name}.word", word))
    if field.missing or field.scale is not None:
        steps.append(_scaling(field))
    if len(steps) < 2:
        return steps[0] if steps else None

    def all_of(value: Any, values: Values, data: bytes, at: int) -> None:
        for step in steps:
            step(value, values, data, at)

    return all_of


def _confirming(name: str, must_be: tuple[Constant, ...], *, secret: bool) -> Finish:
    allowed = frozenset(must_be)
    said = " or ".join(map(shown, must_be))
    if secret:
        return _discreetly(name, lambda value, values: value in allowed)

    def confirm(value: Any, values: Values, data: bytes, at: int) -> None:
        if value not in allowed:
            raise CodecError(f"{name} is {shown(value)}, not {said}")

    return confirm


def _discreetly(name: str, fits: Callable[[Any, Values], bool]) -> Finish:
    def confirm(value: Any, values: Values, data: bytes, at: int) -> None:
        if not fits(value, values):
            raise CodecError(f"{name} is not what it has to be, and is secret")

    return confirm


def _comparing(name: str, equals: Evaluate, *, secret: bool) -> Finish:
    if secret:
        return _discreetly(name, lambda value, values: bool(value == equals(values)))

    def confirm(value: Any, values: Values, data: bytes, at: int) -> None:
        if value != (wanted := equals(values)):
            raise CodecError(f"{name} is {shown(value)}, not {shown(wanted)}")

    return confirm


def _checking(field: Field, check: FieldCheck) -> Finish:
    name, mark, rule, start = field.name, SPAN + check.covers, compute(check.rule), check.start

    def confirm(value: Any, values: Values, data: bytes, at: int) -> None:
        if (wanted := rule(start + data[values.get(mark, 0) : at])) != value:
            said = f"{value:X}" if type(value) is int else shown(value)
            raise ChecksumError(f"the check {name} does not match: it is {said}, {check.rule.name} gives {wanted:X}")

    return confirm


def _splitting(type_: Bits) -> Finish:
    bits = [(part.name, part.span.low, (1 << part.span.width) - 1, dict(part.words)) for part in type_.parts]

    def split(value: Any, values: Values, data: bytes, at: int) -> None:
        for name, low, mask, words in bits:
            number = values[name] = value >> low & mask
            if words:
                values[f"{name}.word"] = words.get(number, str(number))

    return split


def _wording(key: str, word: Callable[[Any], str]) -> Finish:
    def say(value: Any, values: Values, data: bytes, at: int) -> None:
        values[key] = word(value)

    return say


def _scaling(field: Field) -> Finish:
    name, missing = field.name, frozenset(field.missing)
    scale = None if field.scale is None else compiled(field.scale)
    if field.scale is not None and isinstance(field.scale.tree, Literal) and isinstance(field.type, Integer):
        factor, times = Decimal(field.scale.tree.value), PRODUCT.multiply

        def multiply_integer(value: Any, values: Values, data: bytes, at: int) -> None:
            values[name] = None if value in missing else times(Decimal(value), factor)

        return multiply_integer

    def multiply(value: Any, values: Values, data: bytes, at: int) -> None:
        if value in missing:
            values[name] = None
        elif scale is not None and value is not None:
            values[name] = exact_product(value, scale(values))

    return multiply


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bytes):
        return value.hex(" ").upper()
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, str) else str(value)
