"""The names that the parts of a message leave in its table of values."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_server.codec.meter_profile.form import Bits, Choice, Field, FieldCheck, Group, Part
from gateway_server.codec.meter_profile.leaves import words_of


def names_of(parts: Iterable[Part], *, deep: bool = False) -> list[str]:
    """The names that parts leave in the table of values; of a repeated group its own only.

    With ``deep`` those of its elements, too: they mean the last element.
    """
    found: list[str] = []
    for part in parts:
        match part:
            case Field():
                found += field_names(part)
            case Group():
                found += [part.name] if part.repeat else []
                found += names_of(part.parts, deep=deep) if deep or not part.repeat else []
            case Choice():
                for _, case in part.cases:
                    found += names_of(case, deep=deep)
                found += names_of(part.otherwise or (), deep=deep)
    return list(dict.fromkeys(found))


def field_names(field: Field) -> list[str]:
    """The names that a field leaves in the table of values."""
    names = [field.name]
    if words_of(field.type, field.words):
        names.append(f"{field.name}.word")
    if isinstance(field.type, Bits):
        for bit in field.type.parts:
            names.append(bit.name)
            if bit.words:
                names.append(f"{bit.name}.word")
    return names


def sometimes(parts: Iterable[Part]) -> list[str]:
    """Those of the names that are not there every time."""
    found: list[str] = []
    for part in parts:
        if part.condition is not None or isinstance(part, Choice):
            found += names_of([part])
        elif isinstance(part, Group) and not part.repeat:
            found += sometimes(part.parts)
    return list(dict.fromkeys(found))


def marks_of(parts: Iterable[Part]) -> frozenset[str]:
    """The fields from which the checks among these parts count."""
    found: set[str] = set()
    for part in parts:
        match part:
            case Field(check=FieldCheck(covers=covers)):
                found.add(covers)
            case Group():
                found |= marks_of(part.parts)
            case Choice():
                for _, case in part.cases:
                    found |= marks_of(case)
                found |= marks_of(part.otherwise or ())
    return frozenset(found)
