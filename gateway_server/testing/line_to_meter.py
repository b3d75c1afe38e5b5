"""A session's line that ends at a simulated meter, in the time of a clock: whole conversations without a wire."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.task import Clock

from gateway_server.testing.meter_lines import Hears, MeterClock, MeterOnLine


class _Receiver(Protocol):
    def received(self, data: bytes) -> None: ...

    def line_lost(self) -> None: ...


class LineToMeter:
    """A `Line` to a simulated meter. Bytes of either side arrive behind the call that sent them, never within it."""

    transport = "tcp"

    def __init__(self, meter: Hears, clock: Clock, time: MeterClock, remote: str = "192.0.2.7:40001") -> None:
        self.remote = remote
        self.written: list[bytes] = []
        self.changes: list[tuple[int, str]] = []
        self._clock = clock
        self._receiver: _Receiver | None = None
        self._ended = False
        self._meter = MeterOnLine(meter, clock, time, self._deliver, self._hang_up)

    def connect(self, receiver: _Receiver) -> None:
        """From now on ``receiver`` hears the meter."""
        self._receiver = receiver

    def write(self, data: bytes) -> None:
        """Sends bytes to the meter."""
        if not self._ended:
            self.written.append(data)
            self._clock.callLater(0, self._arrive, data)

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """Records the speed and format."""
        self.changes.append((baud, format))

    def pause(self) -> None:
        """Nothing is ever too much for a test."""

    def resume(self) -> None:
        """Nothing was held back."""

    def close(self) -> None:
        """Ends the line once what was written has arrived."""
        self._clock.callLater(0, self.abort)

    def abort(self) -> None:
        """Ends the line now."""
        if not self._ended:
            self._ended = True
            self._meter.lost()

    def _arrive(self, data: bytes) -> None:
        if not self._ended:
            self._meter.received(data)

    def _deliver(self, data: bytes) -> None:
        self._clock.callLater(0, self._hear, data)

    def _hear(self, data: bytes) -> None:
        if not self._ended and self._receiver is not None:
            self._receiver.received(data)

    def _hang_up(self) -> None:
        self._clock.callLater(0, self._lose)

    def _lose(self) -> None:
        if not self._ended and self._receiver is not None:
            self.abort()
            self._receiver.line_lost()


def run(clock: Clock, seconds: float) -> None:
    """Lets everything happen that is due within so many seconds, each thing at its own time."""
    end = clock.seconds() + seconds
    while calls := clock.getDelayedCalls():
        due = min(call.getTime() for call in calls)
        if due > end:
            break
        clock.advance(max(0.0, due - clock.seconds()))
    clock.advance(max(0.0, end - clock.seconds()))
