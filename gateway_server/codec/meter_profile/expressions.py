"""The arithmetic of meter profiles: a small language of its own, in which nothing runs for ever and nothing is called.

    count * 2 + 1        status & 0x0F == 3 and not closed        pow10(exponent - 6)        if(kind == 'A', x, y)

Numbers are exact, of at most 256 bits or 60 digits. What makes no sense for the values at hand (a division by zero, a
text plus a number, a field that was not there) is a `CodecError`: the meter's bytes are not what the profile says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gateway_server.codec.meter_profile.as_written import number_as_written
from gateway_server.errors import OperatorError

MOST_CHARACTERS = 500
_DEEPEST = 24


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
_HINTS = (
    (re.compile(r"&&"), "write `and`, or & for bits"),
    (re.compile(r"\|\|"), "write `or`, or | for bits"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"=(?!=)|==="), "write == to compare"),
    (re.compile(r"<>"), "write !="),
    (re.compile(r"\*\*"), "there is pow10(n), and * for a product"),
    (re.compile(r"/(?!/)"), "write // for the whole part of a quotient, or multiply with a decimal such as 0.1"),
    (re.compile(r"\?"), "write if(condition, a, b)"),
    (re.compile(r'"'), "a text stands in single quotes: 'A'"),
    (re.compile(r"\["), "there are no elements here: a name means the last one before it"),
    (re.compile(r"\."), "a part of bits and a field of a group go by their own name: write {behind}"),
    (re.compile(r"(?i:and|or|not)\b"), "write it in small letters"),
)
"""What people write who know other languages, and what it is here."""
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
            said = self._tokens[self._at][1]
            raise OperatorError(f"{said!r} stands where the expression should have ended{_hint(said)}")
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
            return Constant(_number(said))
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


_FOREIGN = ("&&", "||", "**", "<>", "===")
"""What is made of our own marks and is none."""


def _hint(rest: str) -> str:
    for pattern, hint in _HINTS:
        if pattern.match(rest):
            behind = re.match(r"\.(\w+)", rest)
            return f": {hint.format(behind=behind.group(1) if behind else 'that')}"
    return ""


def _number(said: str) -> int | Decimal:
    if said[:2] in ("0x", "0X"):
        return int(said, 16)
    if "." in said:
        return Decimal(said)
    number = number_as_written(said)
    return int(said) if number is None else number


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        rest = text[at:].strip()
        if found is None or rest.startswith(_FOREIGN):
            raise OperatorError(f"{rest[:20]!r} is nothing an expression can hold{_hint(rest)}")
        kind = str(found.lastgroup)
        said = found.group(kind)
        yield ("mark" if said in _WORDS else kind), said
        at = found.end()
