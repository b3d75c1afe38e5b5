"""The elements of repeated groups, also of groups within groups, as the rows and events of a message take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway_server.codec.meter_profile.form import Choice, Group, Part
from gateway_server.codec.meter_profile.naming import names_of, sometimes
from gateway_server.codec.meter_profile.reading import Values

Each = tuple[str, ...]
"""The way to a repeated group: the repeated groups around it, outermost first, and itself."""


def repeated(parts: Iterable[Part]) -> dict[Each, tuple[Group, ...]]:
    """Every repeated group among some parts by the way to it, with the groups on that way."""
    found: dict[Each, tuple[Group, ...]] = {}
    for part in parts:
        match part:
            case Group() if part.repeat is not None:
                found[part.name,] = (part,)
                found |= {(part.name, *way): (part, *groups) for way, groups in repeated(part.parts).items()}
            case Group():
                found |= repeated(part.parts)
            case Choice():
                for _, case in part.cases:
                    found |= repeated(case)
                found |= repeated(part.otherwise or ())
            case _:
                pass
    return found


def below(parts: Iterable[Part], each: Each = ()) -> dict[str, tuple[Each, ...]]:
    """The fields of the repeated groups within a message, or within the elements of one of its groups.

    By their names the ways to their groups from there: more than one if a name means something else in each.
    """
    found: dict[str, tuple[Each, ...]] = {}
    for way, groups in repeated(parts).items():
        if len(way) > len(each) and way[: len(each)] == each:
            for name in names_of(groups[-1].parts):
                found[name] = (*found.get(name, ()), way[len(each) :])
    return found


def elements_of(
    parts: tuple[Part, ...], each: Each, used: frozenset[str] = frozenset()
) -> Callable[[Values], Iterable[Values]]:
    """What gives, for the values of a message, those of each element of a group with all that stands around it.

    Without a group that is the message itself. A field that an element lacks is missing there: it is not its
    neighbour's. Of those ``used`` that stand in repeated groups within, each is what the last of their elements says.
    """
    within = _with_last(parts, each, used)
    if not each:
        return lambda values: (within(values),)
    levels = [(group.name, frozenset(names_of(group.parts))) for group in repeated(parts)[each]]

    def elements(values: Values, depth: int) -> Iterator[Values]:
        name, own = levels[depth]
        around = {key: value for key, value in values.items() if key not in own}
        for element in values.get(name, ()):
            whole = {**around, **element}
            if depth + 1 < len(levels):
                yield from elements(whole, depth + 1)
            else:
                yield within(whole)

    return lambda values: elements(values, 0)


def merges(parts: tuple[Part, ...], used: Iterable[str], each: Each = ()) -> dict[str, Each]:
    """Those of some names that only elements of groups within have, with the ways to them."""
    groups = repeated(parts)[each] if each else ()
    own = {*names_of(parts), *(name for group in groups for name in names_of(group.parts))}
    deep = below(parts, each)
    return {name: deep[name][0] for name in used if name in deep and name not in own}


def sometimes_within(parts: tuple[Part, ...], each: Each = ()) -> dict[str, Each]:
    """The fields of repeated groups within that not every element has, such as those of a tag, with the ways to them.

    They are gone when the message has been read.
    """
    gone = {name for groups in repeated(parts).values() for name in sometimes(groups[-1].parts)}
    return merges(parts, [name for name, ways in below(parts, each).items() if name in gone and len(ways) == 1], each)


def _with_last(parts: tuple[Part, ...], each: Each, used: frozenset[str]) -> Callable[[Values], Values]:
    ways = merges(parts, used, each)
    if not ways:
        return lambda values: values
    return lambda values: {**values, **{name: last(values, name, way) for name, way in ways.items()}}


def last(values: Values, name: str, way: Each) -> Any:
    """What the last of the elements at the end of a way that says this says; None if none does."""
    for element in reversed(values.get(way[0], ())):
        found = element.get(name) if len(way) == 1 else last(element, name, way[1:])
        if found is not None:
            return found
    return None
