"""Numbers that were written with zeros before them, and must be sent so.

An access code is not a number: a meter that is told 471 instead of 0471 may lock itself.
"""

from __future__ import annotations

from typing import Self

_MOST_DIGITS = 19


class AsWritten(int):
    """A number that somebody wrote with zeros before it: it counts as one, and in characters it stays as it was."""

    def __new__(cls, text: str) -> Self:
        """The number in these digits."""
        return super().__new__(cls, int(text))

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text

    def __format__(self, spec: str) -> str:
        return format(self._text if not spec else int(self), spec)


def number_as_written(text: str) -> int | None:
    """The number that digits say, which remembers zeros before it; None if they are no digits, or too many."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        return None
    number = int(text)
    return number if str(number) == text else AsWritten(text)
