"""How a battery device that sleeps is woken: by NULs for two seconds without a longer pause (lis200.md 1.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

LONG_ENOUGH = timedelta(seconds=2)
LONGEST_GAP = timedelta(seconds=0.5)
QUIET = timedelta(seconds=1)


class Sleeper:
    """Hears NULs and knows whether they woke it. A burst of them is one moment, however many they are."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._last: datetime | None = None

    def heard_nuls(self, now: datetime) -> None:
        """NULs have come."""
        if self._since is None or self._last is None or now - self._last >= LONGEST_GAP:
            self._since = now
        self._last = now

    def is_awake(self, now: datetime) -> bool:
        """Whether a request is heard: behind NULs of two seconds and the pause in which it gets up."""
        if self._since is None or self._last is None:
            return False
        return self._last - self._since >= LONG_ENOUGH and now - self._last >= QUIET

    def sleep(self) -> None:
        """What came before counts no longer."""
        self._since = self._last = None
