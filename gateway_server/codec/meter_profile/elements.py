"""The elements of repeated groups, also of groups within groups, as the rows and events of a message take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gateway_server.codec.meter_profile.form import Choice, Group, Part
from gateway_server.codec.meter_profile.naming import names_of
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


def elements_of(parts: tuple[Part, ...], each: Each) -> Callable[[Values], Iterable[Values]]:
    """What gives, for the values of a message, those of each element of a group with all that stands around it.

    Without a group that is the message itself. A field that an element lacks is missing there: it is not its
    neighbour's.
    """
    if not each:
        return lambda values: (values,)
    levels = [(group.name, frozenset(names_of(group.parts))) for group in repeated(parts)[each]]

    def within(values: Values, depth: int) -> Iterator[Values]:
        name, own = levels[depth]
        around = {key: value for key, value in values.items() if key not in own}
        for element in values.get(name, ()):
            whole = {**around, **element}
            if depth + 1 < len(levels):
                yield from within(whole, depth + 1)
            else:
                yield whole

    return lambda values: within(values, 0)
