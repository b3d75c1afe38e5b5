"""The bytes of a call on their way to its session, with the modem's NO CARRIER taken out where it is the modem's."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.transports.modem.carrier import HOLD_SECONDS, CarrierWatch


class CallStream:
    """Passes bytes on at once, except what may be the modem's last words: those wait for what comes next."""

    def __init__(self, clock: IReactorTime, passed: Callable[[bytes], None], lost: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._passed = passed
        self._lost = lost
        self._watch = CarrierWatch()
        self._timer: IDelayedCall | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._stop_waiting()
        if passed := self._watch.feed(data):
            self._passed(passed)
        if self._watch.holding and self._timer is None:
            self._timer = self._clock.callLater(HOLD_SECONDS, self._waited)

    def end(self) -> bytes:
        """The call is being ended by us; gives what was held back."""
        self._stop_waiting()
        return self._watch.release()

    def _waited(self) -> None:
        self._timer = None
        said = self._watch.said
        held = self._watch.release()
        if said:
            self._lost(held)
        elif held:
            self._passed(held)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
