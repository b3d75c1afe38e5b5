"""Expressions as functions of the values of fields: what was read once is compiled once."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from gateway_server.codec.meter_profile.expressions import Binary, Call, Constant, Expression, Name, Tree, Unary
from gateway_server.errors import CodecError

Values = Mapping[str, Any]
Evaluate = Callable[[Values], Any]

_MOST_BITS = 256
_MOST_SHIFT = 64
_MOST_TEXT = 4096
_EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])


def compiled(expression: Expression) -> Evaluate:
    """The expression as a function of the values of fields and variables. Raises `CodecError` when called."""
    tree = expression.tree
    if isinstance(tree, Constant):
        value = tree.value
        return lambda values: value
    if isinstance(tree, Name):
        return _name_of(tree.name)
    inner = _compiled(tree)
    text = expression.text

    def evaluate(values: Values) -> Any:
        try:
            return inner(values)
        except (TypeError, ValueError, ArithmeticError, OverflowError) as error:
            raise CodecError(f"{text} cannot be told: {_why(error)}") from None

    return evaluate


def _why(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero"
    if isinstance(error, TypeError):
        return "its values are not of one kind"
    return str(error) or type(error).__name__


def _name_of(said: str) -> Evaluate:
    def look(values: Values) -> Any:
        try:
            return values[said]
        except KeyError:
            raise CodecError(f"there is no {said} here") from None

    return look


def _compiled(tree: Tree) -> Evaluate:
    match tree:
        case Constant(value):
            return lambda values: value
        case Name(said):
            return _name_of(said)
        case Unary("-", of):
            inner = _compiled(of)
            return lambda values: -inner(values)
        case Unary("~", of):
            inner = _compiled(of)
            return lambda values: ~_whole(inner(values))
        case Unary(_, of):
            inner = _compiled(of)
            return lambda values: not inner(values)
        case Binary("and", left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda values: first(values) and second(values)
        case Binary("or", left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda values: first(values) or second(values)
        case Binary(said, left, right):
            return _binary(said, _compiled(left), _compiled(right))
        case Call("if", (condition, then, otherwise)):
            ask, first, second = _compiled(condition), _compiled(then), _compiled(otherwise)
            return lambda values: first(values) if ask(values) else second(values)
        case Call("default", (wanted, otherwise)):
            first, second = _compiled(wanted), _compiled(otherwise)
            return lambda values: _default(first, second, values)
        case Call(function, arguments):
            return _call(function, tuple(map(_compiled, arguments)))


def _default(wanted: Evaluate, otherwise: Evaluate, values: Values) -> Any:
    try:
        found = wanted(values)
    except CodecError:
        found = None
    return otherwise(values) if found is None else found


def _call(function: str, arguments: tuple[Evaluate, ...]) -> Evaluate:
    work = _FUNCTIONS[function]
    if len(arguments) == 1:
        only = arguments[0]
        return lambda values: work(only(values))
    first, second = arguments
    return lambda values: work(first(values), second(values))


def _binary(said: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if said in _COMPARISONS:
        compare = _COMPARISONS[said]
        return lambda values: compare(left(values), right(values))
    if said in _WHOLE:
        whole = _WHOLE[said]
        return lambda values: whole(_whole(left(values)), _whole(right(values)))
    work = _ARITHMETIC[said]
    return lambda values: _bounded(work(left(values), right(values)))


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return int(value)


def _bounded(value: Any) -> Any:
    if type(value) is int and value.bit_length() > _MOST_BITS:
        raise ValueError("the number becomes too large")
    if isinstance(value, (str, bytes)) and len(value) > _MOST_TEXT:
        raise ValueError("the text becomes too long")
    return value


def _shift_left(value: int, by: int) -> int:
    if not 0 <= by <= _MOST_SHIFT:
        raise ValueError(f"a shift is by 0 to {_MOST_SHIFT} bits")
    shifted: int = _bounded(value << by)
    return shifted


def _shift_right(value: int, by: int) -> int:
    if not 0 <= by <= _MOST_SHIFT:
        raise ValueError(f"a shift is by 0 to {_MOST_SHIFT} bits")
    return value >> by


def _exact(work: Callable[[Any, Any], Any], in_decimal: Callable[[Any, Any], Decimal]) -> Callable[[Any, Any], Any]:
    def calculate(left: Any, right: Any) -> Any:
        if type(left) is Decimal or type(right) is Decimal:
            if not isinstance(left, (Decimal, int)) or not isinstance(right, (Decimal, int)):
                raise TypeError
            return in_decimal(left, right)
        return work(left, right)

    return calculate


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, int):
        return left + timedelta(seconds=right)
    if isinstance(left, date) and isinstance(right, time):
        return datetime.combine(left, right)
    return left + right


def _times(left: Any, right: Any) -> Any:
    if not isinstance(left, int) or not isinstance(right, int):
        raise TypeError  # a text times a number is nothing
    return left * right


def _modulo(left: Any, right: Any) -> Any:
    if not isinstance(left, int) or not isinstance(right, int):
        raise TypeError
    return left % right


def _minus(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, int):
        return left - timedelta(seconds=right)
    return left - right


def _pow10(value: Any) -> Any:
    exponent = _whole(value)
    if abs(exponent) > 30:
        raise ValueError(f"10 to the power of {exponent} is none a meter can mean")
    return Decimal(1).scaleb(exponent) if exponent < 0 else Decimal(10**exponent)


def _size(value: Any) -> int:
    if not isinstance(value, (str, bytes, list)):
        raise TypeError
    return len(value)


def _number(value: Any) -> int | Decimal:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal):
        return value
    text = str(value).strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", text):
        raise ValueError(f"{text[:40]!r} is no number")
    return Decimal(text) if "." in text else int(text)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return "" if value is None else str(value)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WHOLE: dict[str, Callable[[int, int], int]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _shift_left,
    ">>": _shift_right,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _exact(_plus, _EXACT.add),
    "-": _exact(_minus, _EXACT.subtract),
    "*": _exact(_times, _EXACT.multiply),
    "//": _exact(operator.floordiv, lambda left, right: _EXACT.divide_int(left, right)),
    "%": _exact(_modulo, _EXACT.remainder),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pow10": _pow10,
    "min": min,
    "max": max,
    "size": _size,
    "number": _number,
    "text": _text,
    "abs": abs,
}
