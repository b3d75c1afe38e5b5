"""What numbers mean, in Kaitai's words: enums for words, value instances for scales and flags."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import Bcd, Bits, Constant, Field, Flags, Float, Integer
from gateway_server.workbench.kaitai_expressions import Scope, Unsayable, said

Attribute = dict[str, Any]
_SCALED = (Integer, Bcd, Float)


def identifier(text: str) -> str:
    """A text as Kaitai may call something."""
    said = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in text.lower())
    return said if said[:1].isalpha() else f"x{said}"


class Meanings:
    """Gathers the enums of a format, and gives each field the instances that say what it means."""

    def __init__(self, lose: Callable[[str], object]) -> None:
        self.enums: dict[str, Attribute] = {}
        self._lose = lose

    def of(self, field: Field, scope: Scope, condition: Attribute) -> dict[str, Attribute]:
        """The instances of a field that was said in this scope; ``condition`` is when it is there."""
        found: dict[str, Attribute] = {}
        if isinstance(field.type, Bits):
            for part in field.type.parts:
                if part.words:
                    found |= self._words(part.name, part.words, scope.paths[part.name], condition)
        elif isinstance(field.type, Flags):
            path = scope.paths[field.name]
            for bit, word in field.type.words:
                name = f"{field.name}_{identifier(word)}"
                found[name] = {"value": f"({path} & {1 << bit}) != 0", **condition}
        elif field.words:
            found |= self._words(field.name, field.words, scope.paths[field.name], condition)
        if field.scale is not None:
            found |= self._scaled(field, scope, condition)
        return found

    def _words(
        self, name: str, words: tuple[tuple[Constant, str], ...], path: str, condition: Attribute
    ) -> dict[str, Attribute]:
        numbers = {value: word for value, word in words if isinstance(value, int)}
        if len(numbers) < len(words):
            self._lose(f"the words of {name}, which is no whole number")
            return {}
        return {f"{name}_word": {"value": path, "enum": self._enum(name, numbers), **condition}}

    def _enum(self, name: str, words: dict[int, str]) -> str:
        """The name of an enum with these words; equal ones of one name are one."""
        taken: set[str] = set()
        values: Attribute = {}
        for value, word in words.items():
            called = identifier(word)
            if called in taken or not called.strip("_x"):
                called = f"value_{value}".replace("-", "minus_")
            taken.add(called)
            values[value] = called if called == word else {"id": called, "doc": word}  # type: ignore[index]  # a table
        called, number = f"{name}_words", 1
        while self.enums.setdefault(called, values) != values:
            number += 1
            called = f"{name}_words{number}"
        return called

    def _scaled(self, field: Field, scope: Scope, condition: Attribute) -> dict[str, Attribute]:
        assert field.scale is not None
        path = scope.paths[field.name]
        if not isinstance(field.type, _SCALED):
            self._lose(f"the scale of {field.name}: it is written in characters")
            return {}
        try:
            value = _constant(path, compiled(field.scale)({})) if not field.scale.names else None
            value = value or f"{path} * {said(field.scale, scope)}"
        except Unsayable as why:
            self._lose(f"the scale of {field.name}: {why}")
            return {}
        missing = [f"{path} != {one}" for one in field.missing if not isinstance(one, bytes)]
        there = [f"({text})" for text in (condition.get("if"), *missing) if text]
        return {f"{field.name}_scaled": {"value": value, **({"if": " and ".join(there)} if there else {})}}


def _constant(path: str, scale: Any) -> str:
    """A number times its scale; the quotient by a power of ten is nearer to the decimal than a product."""
    number = Decimal(scale)
    _, digits, exponent = number.normalize().as_tuple()
    if digits == (1,) and isinstance(exponent, int) and exponent < 0 and number > 0:
        return f"{path} / {10**-exponent}.0"
    text = format(number, "f")
    return f"{path} * {text if '.' in text else f'{text}.0'}"
