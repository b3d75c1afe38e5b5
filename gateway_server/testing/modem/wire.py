"""The cable between a simulated modem and whoever uses it: what is said leaves in order, each thing at its time."""

from __future__ import annotations

import random
from collections import deque
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.testing.air_line import ROUNDING_S


class Port(Protocol):
    """Where a modem is plugged in. ``speed`` is what the port is set to, 0 where that cannot be known."""

    @property
    def speed(self) -> int: ...

    def write(self, data: bytes) -> None: ...

    def lines(self, *, carrier: bool, ring: bool) -> None: ...

    def unplug(self, seconds: float) -> None: ...


class Wire:
    """The modem's end of the cable. Nobody at the other end: what is said is gone."""

    def __init__(self, clock: IReactorTime, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._port: Port | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._next: IDelayedCall | None = None
        self.carrier = False
        self.ring = False

    def plug(self, port: Port | None) -> None:
        """From now on the modem is at this port."""
        self._port = port
        self._tell_lines()

    def unplug(self, seconds: float) -> None:
        """Somebody pulls the plug for so long."""
        if self._port is not None:
            self._port.unplug(seconds)

    @property
    def speed(self) -> int:
        """What the port is set to, 0 if unknown."""
        return self._port.speed if self._port is not None else 0

    def garbled(self, data: bytes) -> bytes:
        """What is heard at the wrong speed."""
        return bytes(self._chance.choice(b"\x00\x80\xf8\xe0\xfe\xff\x1c") for _ in range((len(data) + 1) // 2))

    def put(self, data: bytes, after: float = 0.0) -> None:
        """Says something so much later, never before what was said already."""
        if not data:
            return
        due = self._clock.seconds() + after
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        elif after <= 0:
            self._write(data)
            return
        self._waiting.append((due, data))
        self._await_next()

    def silence(self) -> None:
        """What was about to be said never is."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def set_lines(self, *, carrier: bool | None = None, ring: bool | None = None) -> None:
        """DCD and RI."""
        before = (self.carrier, self.ring)
        if carrier is not None:
            self.carrier = carrier
        if ring is not None:
            self.ring = ring
        if before != (self.carrier, self.ring):
            self._tell_lines()

    def _tell_lines(self) -> None:
        if self._port is not None:
            self._port.lines(carrier=self.carrier, ring=self.ring)

    def _await_next(self) -> None:
        if self._next is None and self._waiting:
            self._next = self._clock.callLater(max(0.0, self._waiting[0][0] - self._clock.seconds()), self._due)

    def _due(self) -> None:
        self._next = None
        now = self._clock.seconds() + ROUNDING_S
        while self._waiting and self._waiting[0][0] <= now:
            self._write(self._waiting.popleft()[1])
        self._await_next()

    def _write(self, data: bytes) -> None:
        if self._port is not None:
            self._port.write(data)
