"""What a device says of its columns without naming them: the makers' layout, with its units and sources."""

from __future__ import annotations

import json
from typing import NamedTuple

from . import addresses, objects
from .layouts import ADDRESS, NEW, OLD, Layout, value_cell


class Sources(NamedTuple):
    """What a device that tells no names says of its columns: their units and sources."""

    units: tuple[str, ...]
    sources: tuple[str, ...]


def sources_from_text(text: str) -> Sources | None:
    """Units and sources out of what `to_text` gave, None if there are names, or no sources."""
    try:
        names, units, sources = json.loads(text)
        found = Sources(tuple(map(str, units)), tuple(map(str, sources)))
    except (ValueError, TypeError):
        return None
    return None if any(str(name).strip() for name in names) or not found.sources else found


def completed(fixed: Layout, told: Sources) -> Layout:
    """The makers' layout of a row with the units and sources that the device tells of it.

    What the row is read by (order numbers, time, event, check) is the makers'; the device says what is measured.
    """
    units, sources = told
    if len(sources) != fixed.size or addresses.core(sources[fixed.time]) != objects.CLOCK:
        return fixed
    cells = []
    for at, cell in enumerate(fixed.cells):
        column = cell.column
        if column is None or column.quantity in (ADDRESS, OLD, NEW):
            cells.append(cell)
            continue
        name = "" if cell.name == f"column {at + 1}" else cell.name
        unit = units[at].strip() if at < len(units) else ""
        cells.append(value_cell(at, name, unit or column.unit, sources[at], fixed.archive))
    return Layout(fixed.archive, cells)
