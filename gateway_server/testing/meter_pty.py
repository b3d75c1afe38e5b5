"""A simulated meter at the far end of a pseudo terminal, for whoever opens a serial port."""

from __future__ import annotations

import os
import pty
import tty

from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.python.failure import Failure

from gateway_server.testing.lis200.speed import FakeSpeed, speed_of
from gateway_server.testing.meter_lines import Hears, MeterClock, MeterOnLine

HEAD_FORGETS_SECONDS = 60.0
"""So long without a character, and a head speaks at its first speed again, as the meter behind it signs off."""


class MeterOnPty:
    """A meter at the far end of a pseudo terminal; ``path`` is the terminal for whoever wants to talk to it.

    It answers at any speed, or at ``baud`` and the speeds that are chosen from there.
    """

    def __init__(
        self, reactor: IReactorFDSet, meter: Hears, time: MeterClock, *, bytes_per_second: float = 0.0, baud: int = 0
    ) -> None:
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._reactor = reactor
        self._unsent = bytearray()
        self._clock = IReactorTime(reactor)
        self._speed = FakeSpeed(baud) if baud else None
        self._last_heard = 0.0
        self._line = MeterOnLine(meter, self._clock, time, self._write, meter.hung_up, bytes_per_second)
        reactor.addReader(self)  # type: ignore[arg-type]  # it has what the reactor calls
        self._line.connected()

    def fileno(self) -> int:
        return self._ours

    def logPrefix(self) -> str:
        return "meter on pty"

    def doRead(self) -> None:
        try:
            data = os.read(self._ours, 4096)
        except BlockingIOError:
            return
        if self._speed is None:
            self._line.received(data)
            return
        if self._clock.seconds() - self._last_heard > HEAD_FORGETS_SECONDS:
            self._speed.fall_back()
        self._last_heard = self._clock.seconds()
        if (wait := self._speed.heard(data, speed_of(self._theirs))) is not None:
            self._clock.callLater(wait, self._arrived, data)

    def _arrived(self, data: bytes) -> None:
        if self._ours >= 0:
            self._line.received(data)

    def doWrite(self) -> None:
        try:
            sent = os.write(self._ours, self._unsent)
        except BlockingIOError:
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._reactor.removeWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives up on the terminal."""
        self.stop()

    def stop(self) -> None:
        """Closes the terminal."""
        if self._ours < 0:
            return
        self._line.lost()
        self._reactor.removeReader(self)  # type: ignore[arg-type]  # it has what the reactor calls
        self._reactor.removeWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = -1

    def _write(self, data: bytes) -> None:
        self._unsent += data if self._speed is None else self._speed.said(data, speed_of(self._theirs))
        self._reactor.addWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls
