"""When the device's own gas day starts: object 2:141, "day boundary 2" (lis200.md 3; asked behind the clock, 7)."""

from __future__ import annotations

import re

_TIME = re.compile(r"([01]?\d|2[0-3])(?::([0-5]\d))?(?::[0-5]\d)?")


def start_of(text: str) -> str | None:
    """The start as ``HH:MM``; None for a text that is no time of day.

    The object is listed with its meaning, but no capture shows its value: that it is written as an hour, alone or
    with minutes and seconds, is a guess.
    """
    match = _TIME.fullmatch(text.strip())
    return f"{int(match[1]):02d}:{match[2] or '00'}" if match else None
