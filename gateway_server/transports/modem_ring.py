"""A call that comes in: rings, its kind, and the caller's number, as a modem tells them line by line."""

from __future__ import annotations

import re


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
