"""Lua's notation: values, tables, and the expressions of meter profiles as Lua over the table ``v`` of fields.

The functions that these expressions call (``name``, ``same``, ``band`` ...) stand in `dissector.lua`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gateway_server.codec.meter_profile.expressions import Binary, Call, Constant, Expression, Name, Tree, Unary
from gateway_server.codec.meter_profile.form import Constant as Value

_BITS = {"&": "band", "|": "bor", "^": "bxor"}


def lua(tree: Tree) -> str:
    """An expression as a Lua expression."""
    match tree:
        case Constant(value):
            return value_of(value)
        case Name(said):
            return f"name(v, {quoted(said)})"
        case Unary("not", of):
            return f"(not truth({lua(of)}))"
        case Unary("~", of):
            return f"(-1 - {lua(of)})"
        case Unary(_, of):
            return f"(-{lua(of)})"
        case Binary("and", left, right):
            return f"(truth({lua(left)}) and truth({lua(right)}))"
        case Binary("or", left, right):
            return f"(truth({lua(left)}) or truth({lua(right)}))"
        case Binary("==", left, right):
            return f"same({lua(left)}, {lua(right)})"
        case Binary("!=", left, right):
            return f"(not same({lua(left)}, {lua(right)}))"
        case Binary(said, left, right) if said in _BITS:
            return f"{_BITS[said]}({lua(left)}, {lua(right)})"
        case Binary("<<", left, right):
            return f"({lua(left)} * 2 ^ {lua(right)})"
        case Binary(">>", left, right):
            return f"math.floor({lua(left)} / 2 ^ {lua(right)})"
        case Binary("//", left, right):
            return f"math.floor({lua(left)} / {lua(right)})"
        case Binary("+", left, right):
            return f"add({lua(left)}, {lua(right)})"
        case Binary(said, left, right):
            return f"({lua(left)} {said} {lua(right)})"
        case Call("if", (condition, then, other)):
            return f"(function() if truth({lua(condition)}) then return {lua(then)} end return {lua(other)} end)()"
        case Call("default", (wanted, other)):
            return f"otherwise(function() return {lua(wanted)} end, function() return {lua(other)} end)"
        case Call("pow10", (of,)):
            return f"(10 ^ {lua(of)})"
        case Call("size", (of,)):
            return f"count_of({lua(of)})"
        case Call(function, arguments):
            work = {"min": "math.min", "max": "math.max", "abs": "math.abs"}.get(function, function)
            return f"{work}({', '.join(map(lua, arguments))})"


def power(scale: Expression) -> int | None:
    """How many places a constant scale moves the decimal point to the left; None if it is no power of ten."""
    if not isinstance(scale.tree, Constant) or isinstance(scale.tree.value, str):
        return None
    value = Decimal(scale.tree.value)
    _, digits, exponent = value.normalize().as_tuple()
    return -exponent if digits == (1,) and isinstance(exponent, int) and value > 0 else None


def table(**entries: str) -> str:
    """A table; entries that are ``nil`` are left out."""
    return "{" + ", ".join(f'["{key}"] = {value}' for key, value in entries.items() if value != "nil") + "}"


def escape(data: bytes) -> str:
    """Bytes as they stand within a Lua string."""
    return "".join(f"\\{byte:03d}" for byte in data)


def lua_bytes(data: bytes) -> str:
    """Bytes as a Lua string."""
    return f'"{escape(data)}"'


def quoted(text: str) -> str:
    """A text as a Lua string."""
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else escape(letter.encode())
        for letter in text
    ).join('""')


def comment(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def value_of(value: Value) -> str:
    """A constant of a profile."""
    match value:
        case bytes():
            return lua_bytes(value)
        case str():
            return quoted(value)
        case _:
            return str(value)


def values_of(values: Iterable[Value]) -> str:
    """Constants as a Lua list."""
    return "{" + ", ".join(map(value_of, values)) + "}"


def words_of(words: Iterable[tuple[int, str]]) -> str:
    """Words by number."""
    return "{" + ", ".join(f"[{number}] = {quoted(word)}" for number, word in words) + "}"


def flag(value: object) -> str:
    """A truth value."""
    return "true" if value else "false"
