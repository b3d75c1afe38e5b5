"""A meter that pushes and says how it fares: whoever watches it learns whether his gateway acknowledges anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.meter_profile.meter import ProfileMeter

Say = Callable[[str], None]


class TellingMeter:
    """Lives the life of another meter, and tells when all it had is acknowledged, and, once, when nothing is."""

    def __init__(self, meter: ProfileMeter, say: Say) -> None:
        self.patience_s = meter.patience_s
        self._meter = meter
        self._say = say
        self._told = -1
        """How many entries were acknowledged when something was told last; then nothing was new."""

    def tick(self, now: datetime) -> None:
        """Time has passed."""
        self._meter.tick(now)

    def connected(self) -> list[Reply]:
        """The line is there."""
        return self._meter.connected()

    def received(self, data: bytes) -> list[Reply]:
        """Bytes from the gateway."""
        replies = self._meter.received(data)
        known = len(self._meter.acknowledged)
        if not self._meter.unacknowledged and known > max(self._told, 0):
            self._told = known
            self._say(
                f"{known} rows are acknowledged, none waits; new ones come by the hour. Does the gateway show none?"
                f" It keeps the bytes of a meter that nobody has claimed: `meter claim {self._meter.serial}`"
            )
        return replies

    def overdue(self) -> list[Reply]:
        """Nobody has spoken for a while."""
        self._complain("nothing comes back")
        return self._meter.overdue()

    def hung_up(self) -> None:
        """The line has ended."""
        self._complain("the line ended")
        self._meter.hung_up()

    def _complain(self, what: str) -> None:
        waiting, known = self._meter.unacknowledged, len(self._meter.acknowledged)
        if waiting and self._told != known:
            self._told = known
            self._say(f"{what}: {waiting} rows are not acknowledged; the gateway's `session list` says why")
