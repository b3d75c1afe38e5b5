"""The arithmetic of meter profiles: a small language of its own, in which nothing runs for ever and nothing is called.

    count * 2 + 1        status & 0x0F == 3 and not closed        pow10(exponent - 6)        if(kind == 'A', x, y)

Numbers are exact, of at most 256 bits or 60 digits. What makes no sense for the values at hand (a division by zero, a
text plus a number, a field that was not there) is a `CodecError`: the meter's bytes are not what the profile says.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from gateway_server.errors import CodecError, OperatorError

Scalar = int | Decimal | str | bytes | datetime | date | time | timedelta | None
Values = Mapping[str, Any]
Evaluate = Callable[[Values], Any]

MOST_CHARACTERS = 500
_DEEPEST = 24
_MOST_BITS = 256
_MOST_SHIFT = 64
_MOST_TEXT = 4096
_EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as it stands in the expression."""

    value: int | Decimal | str


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a field or variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``not x``."""

    operator: str
    of: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and what stands between them."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Call:
    """One of the functions there are."""

    function: str
    arguments: tuple[Tree, ...]


Tree = Constant | Name | Unary | Binary | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression: its text and what that means."""

    text: str
    tree: Tree

    @property
    def names(self) -> frozenset[str]:
        """The fields and variables that it looks at."""
        return frozenset(_names(self.tree))

    @property
    def name(self) -> str:
        """The field that this is and nothing else; empty otherwise."""
        return self.tree.name if isinstance(self.tree, Name) else ""

    def __str__(self) -> str:
        return self.text


def constant(value: int | Decimal | str) -> Expression:
    """An expression that is always this value."""
    return Expression(repr(value) if isinstance(value, str) else str(value), Constant(value))


def name(said: str) -> Expression:
    """An expression that is the value of a field."""
    return Expression(said, Name(said))


def _names(tree: Tree) -> Iterator[str]:
    match tree:
        case Name(said):
            yield said
        case Unary(_, of):
            yield from _names(of)
        case Binary(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case Call(_, arguments):
            for one in arguments:
                yield from _names(one)


# reading

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9A-Fa-f]{1,64}|[0-9]{1,40}(?:\.[0-9]{1,40})?)(?![A-Za-z0-9_.])"
    r"|(?P<text>'[^']*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.word)?)"
    r"|(?P<mark><<|>>|<=|>=|==|!=|//|[-+*%&|^<>(),~]))"
)
_WORDS = frozenset({"and", "or", "not"})
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"==", "!=", "<", "<=", ">", ">="}),
    frozenset({"|"}),
    frozenset({"^"}),
    frozenset({"&"}),
    frozenset({"<<", ">>"}),
    frozenset({"+", "-"}),
    frozenset({"*", "//", "%"}),
)
_ARGUMENTS = {"pow10": 1, "if": 3, "default": 2, "min": 2, "max": 2, "size": 1, "number": 1, "text": 1, "abs": 1}


def parse_expression(text: str) -> Expression:
    """Reads an expression. Raises `OperatorError` with what is wrong with it."""
    if len(text) > MOST_CHARACTERS:
        raise OperatorError(f"an expression has at most {MOST_CHARACTERS} characters, this one {len(text)}")
    return Expression(text, _Reader(text).whole())


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._deep = 0

    def whole(self) -> Tree:
        tree = self._level(0)
        if self._at < len(self._tokens):
            raise OperatorError(f"{self._tokens[self._at][1]!r} stands where the expression should have ended")
        return tree

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise OperatorError("the expression ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        kind, said = self._take()
        if kind != "mark" or said != mark:
            raise OperatorError(f"{said!r} stands where {mark!r} should")

    def _level(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        count = 0
        while self._peek() in _LEVELS[level] and self._tokens[self._at][0] != "text":
            _, said = self._take()
            left = Binary(said, left, self._level(level + 1))
            count += 1
            if count > _DEEPEST:
                raise OperatorError("the expression is too long a chain; put a part of it into parentheses")
        return left

    def _unary(self) -> Tree:
        if self._peek() in {"-", "not", "~"} and self._tokens[self._at][0] != "text":
            _, said = self._take()
            self._deeper()
            tree = Unary(said, self._unary() if said != "not" else self._level(2))
            self._deep -= 1
            return tree
        return self._atom()

    def _deeper(self) -> None:
        self._deep += 1
        if self._deep > _DEEPEST:
            raise OperatorError(f"the expression is nested more than {_DEEPEST} deep")

    def _atom(self) -> Tree:
        kind, said = self._take()
        if kind == "number":
            return Constant(int(said, 16) if said[:2] in ("0x", "0X") else Decimal(said) if "." in said else int(said))
        if kind == "text":
            return Constant(said[1:-1])
        if kind == "name":
            if self._peek() == "(":
                return self._call(said)
            return Name(said)
        if said == "(":
            self._deeper()
            tree = self._level(0)
            self._deep -= 1
            self._expect(")")
            return tree
        raise OperatorError(f"{said!r} stands where a value should")

    def _call(self, function: str) -> Tree:
        if function not in _ARGUMENTS:
            raise OperatorError(f"there is no function {function!r}; there are: {', '.join(sorted(_ARGUMENTS))}")
        self._expect("(")
        self._deeper()
        arguments = [self._level(0)]
        while self._peek() == ",":
            self._take()
            arguments.append(self._level(0))
        self._deep -= 1
        self._expect(")")
        if len(arguments) != _ARGUMENTS[function]:
            raise OperatorError(f"{function} takes {_ARGUMENTS[function]} values, not {len(arguments)}")
        return Call(function, tuple(arguments))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise OperatorError(f"{text[at:].strip()[:20]!r} is nothing an expression can hold")
        kind = str(found.lastgroup)
        said = found.group(kind)
        yield ("mark" if said in _WORDS else kind), said
        at = found.end()


# evaluation


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
    if type(value) is not int and type(value) is not bool:
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
    if isinstance(left, datetime) and type(right) is int:
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
    if isinstance(left, datetime) and type(right) is int:
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
    if isinstance(value, (int, Decimal)):
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
FUNCTIONS = tuple(sorted(_ARGUMENTS))
