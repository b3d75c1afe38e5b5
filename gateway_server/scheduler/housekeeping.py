"""Removes old jobs that are over, and old calls. Sessions, their logs and what was read are never touched."""

from __future__ import annotations

import logging

from twisted.internet.interfaces import IDelayedCall

from gateway_server.errors import GatewayError
from gateway_server.session.plan import Facilities
from gateway_server.store.plan_records import Swept

logger = logging.getLogger(__name__)

DAY_MS = 86_400_000
PORTION = 500
LOOK_SECONDS = 600.0
APART_SECONDS = 2.0


class Housekeeping:
    """Once a day, when no job is being carried out, a small portion at a time; in a day without quiet all the same.

    ``keep_days`` 0 keeps everything.
    """

    def __init__(self, facilities: Facilities, keep_days: int) -> None:
        self._facilities = facilities
        self._keep_ms = keep_days * DAY_MS
        self._timer: IDelayedCall | None = None
        self._since_ms = 0
        self._removed = 0
        self._running = False

    def start(self) -> None:
        """Looks from now on; what is old already goes at the first quiet time."""
        if self._keep_ms:
            self._running = True
            self._since_ms = self._facilities.now_ms()
            self._later(LOOK_SECONDS)

    def stop(self) -> None:
        """Removes nothing any more."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self, seconds: float) -> None:
        self._timer = self._facilities.clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now_ms = self._facilities.now_ms()
        before_ms, in_any_case = now_ms - self._keep_ms, now_ms - self._since_ms >= DAY_MS
        self._facilities.writer.call(
            lambda store: store.sweep(before_ms, PORTION, when_quiet=not in_any_case), self._swept
        )

    def _swept(self, swept: Swept | GatewayError) -> None:
        if not self._running:
            return
        if isinstance(swept, GatewayError):
            logger.warning("old jobs and calls could not be removed, and are tried again: %s", swept)
            self._later(LOOK_SECONDS)
        elif not swept.quiet:
            self._later(LOOK_SECONDS)
        elif swept.removed:
            self._removed += swept.removed
            self._later(APART_SECONDS)
        else:
            if self._removed:
                logger.info("%d old jobs and calls were removed", self._removed)
            self._removed, self._since_ms = 0, self._facilities.now_ms()
            self._later(DAY_MS / 1000)
