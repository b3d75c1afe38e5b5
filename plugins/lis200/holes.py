"""Rows that an archive is known to lack behind its last stored one: remembered until the device has given them.

An archive is read on by time. If its clock was set meanwhile, the first row that comes is not the one behind the last
stored: those between are asked for by order number, behind the newer ones. By then these are stored, so that a session
that breaks there would leave nothing to tell the next one what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from gateway_server.codec.dialogue import Remember

from .conversation import Conversation, Talk

FILL = "fill"
"""What is remembered of them, by archive: ``fill:interval`` is ``5001-5020 5100-5100``."""
MOST = 8
"""More holes than this are asked for as one, with the rows between them: those are known when they come again."""

_HOLE = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


class Hole(NamedTuple):
    """Order numbers of rows that are missing, both included."""

    first: int
    last: int


class Holes:
    """The holes of one archive. ``behind`` is the order number of its last stored row, None if nothing follows it."""

    def __init__(self, talk: Conversation, archive: str, behind: int | None) -> None:
        self._fact = f"{FILL}:{archive}"
        self._behind = behind
        self._open = _read(talk.recalled(self._fact))

    def __iter__(self) -> Iterator[Hole]:
        return iter(tuple(self._open))

    def noticed(self, first: int | None) -> Talk:
        """The archive's first row has come: whether rows are missing before it. Once is enough."""
        behind = self._behind
        if behind is None or first is None:
            return
        self._behind = None
        new = Hole(behind + 1, first - 1)
        if new.first <= new.last and not any(hole.first <= new.first and new.last <= hole.last for hole in self._open):
            self._open.append(new)
            yield from self._remember()

    def filled(self, hole: Hole, up_to: int | None = None) -> Talk:
        """The rows of a hole have come, or the device has them no more; with ``up_to`` only those up to this one."""
        at = self._open.index(hole)
        if up_to is None or up_to >= hole.last:
            del self._open[at]
        elif up_to >= hole.first:
            self._open[at] = Hole(up_to + 1, hole.last)
        else:
            return
        yield from self._remember()

    def _remember(self) -> Talk:
        if len(self._open) > MOST:
            firsts, lasts = zip(*self._open, strict=True)
            self._open = [Hole(min(firsts), max(lasts))]
        yield Remember(self._fact, " ".join(f"{first}-{last}" for first, last in self._open))


def _read(text: str) -> list[Hole]:
    found = [Hole(int(one[1]), int(one[2])) for part in text.split() if (one := _HOLE.fullmatch(part))]
    return [hole for hole in found if hole.first <= hole.last]
