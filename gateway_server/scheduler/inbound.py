"""A night's job that waits for a modem begins by itself when its meter calls in: then it need not be called."""

from __future__ import annotations

import logging
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from gateway_server.errors import GatewayError
from gateway_server.model import CallResult
from gateway_server.session.plan import Facilities
from gateway_server.store.store import Store

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 5.0
"""What the meter called for comes first."""


class Inbound:
    """Gives the jobs of a meter that came, and that wait for a modem, to its line. ``given`` hears of it.

    Not those of a meter that refused, whatever way it comes; a number that is wrong or barred is no hindrance.
    """

    def __init__(self, facilities: Facilities, given: Callable[[], None]) -> None:
        self._facilities = facilities
        self._given = given
        self._timers: dict[str, IDelayedCall] = {}

    def came(self, serial: str) -> None:
        """A meter is on a line of its own."""
        if serial not in self._timers:
            self._timers[serial] = self._facilities.clock.callLater(SETTLED_SECONDS, self._give, serial)

    def stop(self) -> None:
        """Gives nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _give(self, serial: str) -> None:
        del self._timers[serial]
        now_ms = self._facilities.now_ms()

        def work(store: Store) -> int:
            stop = store.plan_stops(now_ms).get(serial)
            if stop is not None and stop.result is CallResult.REFUSED:
                return 0
            return store.calls_to_line(serial, now_ms)

        self._facilities.writer.call(work, self._done)

    def _done(self, given: int | GatewayError) -> None:
        if isinstance(given, GatewayError):
            logger.warning("what a meter that came waits for by modem could not be looked up: %s", given)
        elif given:
            self._given()
