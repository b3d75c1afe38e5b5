"""Which meter is on which line right now: one live line per meter, and the newcomer wins."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

logger = logging.getLogger(__name__)

_MINUTE = 60.0


class Present(Protocol):
    """A line that leads to a known meter."""

    def superseded(self, by: str) -> None:
        """The same meter came again over another line; this one is dead or must be."""


class Presence:
    """Binds serial numbers to the lines that lead to them.

    A meter whose radio was lost calls in again while its old socket still looks alive; so the newcomer takes its
    place. Two devices with one identity would throw each other out for ever: more than ``swaps_per_minute`` of a
    meter raise an alarm in the log. ``came`` hears of every meter that is on a line now and was not before.
    """

    def __init__(
        self, clock: IReactorTime, swaps_per_minute: int = 6, came: Callable[[str], None] | None = None
    ) -> None:
        self._clock = clock
        self.came = came
        self._most = swaps_per_minute
        self._lines: dict[str, Present] = {}
        self._swaps: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        """Serial numbers of the meters on the line."""
        return iter(tuple(self._lines))

    def line_to(self, serial: str) -> Present | None:
        """The line that leads to this meter now."""
        return self._lines.get(serial)

    def bind(self, serial: str, line: Present, remote: str) -> bool:
        """The meter is on this line from now on. Tells whether its lines swap too often to be one device's."""
        old = self._lines.get(serial)
        if old is line:
            return False
        self._lines[serial] = line
        swapping = False
        if old is not None:
            swapping = self._swapped(serial, remote)
            old.superseded(remote)
        if self.came is not None:
            self.came(serial)
        return swapping

    def unbind(self, serial: str, line: Present) -> None:
        """This line no longer leads to the meter; the late end of a line that was replaced changes nothing."""
        if self._lines.get(serial) is line:
            del self._lines[serial]

    def _swapped(self, serial: str, remote: str) -> bool:
        now = self._clock.seconds()
        swaps = self._swaps.setdefault(serial, deque())
        while swaps and swaps[0] <= now - _MINUTE:
            swaps.popleft()
        swaps.append(now)
        if len(self._swaps) > 1000:
            self._swaps = {key: times for key, times in self._swaps.items() if times[-1] > now - _MINUTE}
        if len(swaps) == self._most + 1:
            logger.error(
                "meter %s came over %d lines within a minute, now from %s: do two devices have the same identity?",
                serial,
                len(swaps),
                remote,
            )
        return len(swaps) > self._most
