"""Numbers of a profile that their field cannot hold: they would never come, and could never be sent."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.expressions import Constant as Literal
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import Bcd, Bits, Constant, Field, Flags, Integer, Type
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.errors import CodecError


def check_fits(said: Declaration, key: str, type_: Type | None, values: Iterable[Constant]) -> None:
    """Raises `OperatorError` for a number that a field of this type has no room for."""
    if not isinstance(type_, (Integer, Bcd, Bits, Flags)):
        return
    for value in values:
        if isinstance(value, (str, bytes)):
            continue
        try:
            leaf_of(type_).write(value)
        except CodecError:
            raise said.wrong(key, f"has {value}, which does not fit: {_room(type_)}") from None


def check_bits(said: Declaration, key: str, width: int, values: Iterable[Constant]) -> None:
    """The same for a part of so many bits."""
    for value in values:
        if isinstance(value, int) and not 0 <= value < 1 << width:
            raise said.wrong(key, f"has {value}, which does not fit: {width} bits hold 0 to {(1 << width) - 1}")


def check_field(said: Declaration, field: Field) -> None:
    """All the numbers that a field names."""
    check_fits(said, "is", field.type, field.must_be)
    check_fits(said, "missing", field.type, field.missing)
    if not isinstance(field.type, Flags):
        check_fits(said, "words", field.type, (value for value, _ in field.words))
    if field.scale is None:
        for key, expression in (("value", field.value), ("equals", field.equals)):
            check_fits(said, key, field.type, literals(expression))


def literals(expression: Expression | None) -> tuple[Constant, ...]:
    """The number that an expression is, if it is nothing else."""
    if expression is None or not isinstance(expression.tree, Literal):
        return ()
    return (expression.tree.value,)


def _room(type_: Integer | Bcd | Bits | Flags) -> str:
    match type_:
        case Bcd(size):
            return f"{size} BCD bytes hold numbers of {2 * size} digits"
        case Integer(size, True):
            half = 1 << 8 * size - 1
            return f"a signed number of {8 * size} bits is from {-half} to {half - 1}"
        case Integer(size) | Bits(size) | Flags(size):
            return f"a number of {8 * size} bits is from 0 to {(1 << 8 * size) - 1}"
