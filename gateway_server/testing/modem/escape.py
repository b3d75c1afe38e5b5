"""Notices +++ between two silences in what a modem is given to send (Hayes' escape; S2, S12)."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.testing.air_line import ROUNDING_S

PLUSES = 3


class EscapeWatch:
    """``escaped`` is called when the second silence is over. One by one or at once, the three must come together."""

    def __init__(self, clock: IReactorTime, escaped: Callable[[], None]) -> None:
        self._clock = clock
        self._escaped = escaped
        self._last = clock.seconds()
        self._count = 0
        self._silence: IDelayedCall | None = None

    def begin(self) -> None:
        """The line has just come."""
        self.stop()
        self._last = self._clock.seconds()

    def stop(self) -> None:
        """There is nothing to escape from any more."""
        self._count = 0
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def sent(self, data: bytes, escape: int, guard_s: float) -> bool:
        """Octets were given to send; whether they may be an escape. ``escape`` is S2, above 127 it is off."""
        now = self._clock.seconds()
        quiet = now - self._last + ROUNDING_S >= guard_s
        self._last = now
        pluses = escape < 128 and data == bytes((escape,)) * len(data)
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if pluses and quiet:
            self._count = len(data)
        elif pluses and 0 < self._count < PLUSES:
            self._count += len(data)
        else:
            self._count = 0
        if self._count == PLUSES:
            self._silence = self._clock.callLater(guard_s, self._over)
        elif self._count > PLUSES:
            self._count = 0
        return self._count > 0

    def _over(self) -> None:
        self._silence = None
        self._count = 0
        self._escaped()
