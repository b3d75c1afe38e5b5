"""A call that comes in: rings, its kind, and the caller's number, as a modem tells them line by line."""

from __future__ import annotations

import re
from collections.abc import Callable

RING_PATIENCE = 8.0
"""Rings come every five to six seconds; the number of the caller comes behind the first or the second."""


class Ring:
    """What was heard of a call that comes in."""

    def __init__(self) -> None:
        self.rings = 0
        self.kind = ""
        self.number = ""

    def heard(self, text: str) -> bool:
        """Whether this line belongs to it."""
        if text == "RING":
            self.rings += 1
        elif text.startswith("+CRING:"):
            self.rings += 1
            self.kind = text.partition(":")[2].strip()
        elif found := re.match(r'\+CLIP:\s*"([^"]*)"', text):
            self.rings = self.rings or 1
            self.number = found[1]
        elif text == "NO CARRIER":
            self.rings = 0
        else:
            return False
        return self.rings > 0


class Bell:
    """Tells of each call once: as soon as its number has come, or when none comes."""

    def __init__(self, later: Callable[[float, Callable[[], None]], object], rings: Callable[[Ring], None]) -> None:
        self._later = later
        self._rings = rings
        self._ring = Ring()

    def heard(self, text: str) -> None:
        """A line of an idle modem."""
        if not self._ring.heard(text):
            return
        if self._ring.number:
            self._tell()
        elif self._ring.rings == 1:
            self._later(RING_PATIENCE, self._tell)

    def forget(self) -> None:
        """Whatever rang before rings no more."""
        self._ring = Ring()

    def _tell(self) -> None:
        ring, self._ring = self._ring, Ring()
        if ring.rings:
            self._rings(ring)
