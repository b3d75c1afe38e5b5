"""The way through the air of one CSD call: 9600 bit/s, late by half a round trip each way, now and then much later.

Octets travel in RLP frames of 24; one that must be repeated holds up all behind it, and nothing is lost or overtaken.
Frame, rate and repetition: 3GPP TS 24.022 and dossiers of meter readers; the share of repeated frames is a guess.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime

FRAME = 24
ROUNDING_S = 1e-5  # seconds since 1970 are exact to a quarter of a microsecond, times what a clock is sped up


@dataclass(frozen=True, slots=True)
class AirShape:
    """How a line is. ``repeated`` is the share of RLP frames that arrive only after ``repeat_s``.

    ``bytes_per_second`` 0 lets octets go at once.
    """

    bytes_per_second: float = 960.0
    round_trip_s: float = 0.6
    repeated: float = 0.0
    repeat_s: float = 0.6


CSD = AirShape()


class OneWay:
    """One direction: what is put in at one end comes out at the other, later."""

    def __init__(
        self, clock: IReactorTime, shape: AirShape, deliver: Callable[[bytes], None], chance: random.Random
    ) -> None:
        self._clock = clock
        self._shape = shape
        self._deliver = deliver
        self._chance = chance
        self._under_way: deque[tuple[float, bytes | Callable[[], None]]] = deque()
        self._sent_at = self._arrived_at = 0.0
        self._next: IDelayedCall | None = None

    def send(self, data: bytes) -> None:
        """Puts octets in; they queue behind those that have not left yet."""
        shape = self._shape
        self._sent_at = max(self._sent_at, self._clock.seconds())
        for start in range(0, len(data), FRAME):
            piece = data[start : start + FRAME]
            if shape.bytes_per_second:
                self._sent_at += len(piece) / shape.bytes_per_second
            arrival = self._sent_at + shape.round_trip_s / 2
            if shape.repeated and self._chance.random() < shape.repeated:
                arrival += shape.repeat_s
            self._arrived_at = max(self._arrived_at, arrival)
            self._under_way.append((self._arrived_at, piece))
        self._await_next()

    def then(self, what: Callable[[], None]) -> None:
        """Does something when all that is under way has arrived, half a round trip from now at the soonest."""
        leaves = max(self._sent_at, self._clock.seconds())
        self._arrived_at = max(self._arrived_at, leaves + self._shape.round_trip_s / 2)
        self._under_way.append((self._arrived_at, what))
        self._await_next()

    def cut(self) -> None:
        """What is under way never arrives."""
        self._under_way.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _await_next(self) -> None:
        if self._next is None and self._under_way:
            self._next = self._clock.callLater(max(0.0, self._under_way[0][0] - self._clock.seconds()), self._arrive)

    def _arrive(self) -> None:
        self._next = None
        now = self._clock.seconds() + ROUNDING_S
        due = bytearray()
        behind: Callable[[], None] | None = None
        while self._under_way and self._under_way[0][0] <= now and behind is None:
            piece = self._under_way.popleft()[1]
            if isinstance(piece, bytes):
                due += piece
            else:
                behind = piece
        self._await_next()
        if due:
            self._deliver(bytes(due))
        if behind is not None:
            behind()
