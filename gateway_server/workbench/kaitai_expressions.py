"""Expressions of meter profiles in Kaitai's words, and how a field is reached from where one speaks of it."""

from __future__ import annotations

from typing import Any

from gateway_server.codec.meter_profile.expressions import Binary, Call, Constant, Expression, Name, Tree, Unary
from gateway_server.codec.meter_profile.parts import LEFT

_PLAIN = {"+", "-", "*", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!="}
_BOOLEAN = {"<", "<=", ">", ">=", "==", "!=", "and", "or"}


class Unsayable(Exception):
    """Kaitai has no words for this."""


class Scope:
    """What can be named in one Kaitai type: its own attributes, and those of the types around it.

    ``instances`` are the values that it has beside what stands in the bytes.
    """

    def __init__(self, outer: Scope | None = None) -> None:
        self.paths: dict[str, str] = {}
        self.instances: dict[str, Any] = {}
        self.unsayable: set[str] = set()
        self._outer = outer

    def path(self, name: str) -> str:
        """How a field is reached from here. Raises `Unsayable`."""
        if name in self.paths:
            return self.paths[name]
        if name in self.unsayable or self._outer is None:
            raise Unsayable(f"{name} cannot be reached from there")
        return f"_parent.{self._outer.path(name)}"


def condition_of(expression: Expression, scope: Scope) -> str:
    """An expression as a truth value."""
    text = said(expression, scope)
    tree = expression.tree
    is_truth = isinstance(tree, Binary) and tree.operator in _BOOLEAN
    return text if is_truth or (isinstance(tree, Unary) and tree.operator == "not") else f"({text}) != 0"


def said(expression: Expression, scope: Scope) -> Any:
    """An expression; a plain number stays one. Raises `Unsayable`."""
    tree = expression.tree
    if isinstance(tree, Constant) and isinstance(tree.value, int):
        return tree.value
    return _tree(tree, scope)


def _tree(tree: Tree, scope: Scope) -> str:
    match tree:
        case Constant(str(value)):
            return quoted(value)
        case Constant(value):
            return str(value)
        case Name(name):
            return "(_io.size - _io.pos)" if name == LEFT else scope.path(name)
        case Unary("not", of):
            return f"not ({_tree(of, scope)})"
        case Unary(operator, of):
            return f"{operator}({_tree(of, scope)})"
        case Binary("//", left, right):
            return f"({_tree(left, scope)} / {_tree(right, scope)})"
        case Binary("and" | "or" as operator, left, right):
            return f"(({_tree(left, scope)}) {operator} ({_tree(right, scope)}))"
        case Binary(operator, left, right) if operator in _PLAIN:
            return f"({_tree(left, scope)} {operator} {_tree(right, scope)})"
        case Call("if", (condition, then, other)):
            parts = [_tree(one, scope) for one in (condition, then, other)]
            return f"({parts[0]} ? {parts[1]} : {parts[2]})"
        case Call("number", (Name(name),)):
            path = scope.path(name)
            return path if path.endswith(")") or ".to_i" in path else f"{path}.to_i"
        case Call("size", (Name(name),)):
            return f"{scope.path(name)}.size"
        case Call(function, _):
            raise Unsayable(f"Kaitai has no function {function}")
        case _:
            raise Unsayable("Kaitai has no such expression")


def quoted(text: str) -> str:
    """A text as Kaitai writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
