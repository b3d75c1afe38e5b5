"""Why files and sessions were not read again: thousands of them have a handful of reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NUMBERS = re.compile(r"\b[0-9A-F]{2}(?: [0-9A-F]{2})+\b|\d+")  # hex beginnings of binary files too
_MOST_SHOWN = 20


@dataclass(slots=True)
class _Reason:
    """The first that was skipped for a reason, and how many there are."""

    first: str
    said: str
    count: int = 0


class Skipped:
    """Counts what was skipped by reason; reasons that differ in numbers only are one."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._reasons: dict[str, _Reason] = {}

    def add(self, name: str, why: str) -> None:
        """One that was skipped."""
        reason = self._reasons.setdefault(_NUMBERS.sub("#", why), _Reason(name, why))
        reason.count += 1

    def lines(self) -> Iterator[str]:
        """A line for each reason, the most frequent first."""
        found = sorted(self._reasons.values(), key=lambda reason: -reason.count)
        for reason in found[:_MOST_SHOWN]:
            if reason.count == 1:
                yield f"{reason.first}: skipped, {reason.said}"
            else:
                yield f"{reason.count} {self._noun} skipped, the first of them {reason.first}: {reason.said}"
        if rest := found[_MOST_SHOWN:]:
            count = sum(reason.count for reason in rest)
            yield f"{count} {self._noun} skipped for {len(rest)} more reasons; --verbose tells them one by one"
