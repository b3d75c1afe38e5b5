"""Who may hold a line: a bound in all and per address, so that one bad peer costs only itself."""

from __future__ import annotations

import logging

from twisted.internet.interfaces import IReactorTime

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 10.0


class Admission:
    """Counts lines in all and per address; refusals are counted too, and logged at a bounded rate."""

    def __init__(self, clock: IReactorTime, most: int, most_per_address: int) -> None:
        self._clock = clock
        self._most = most
        self._most_per_address = most_per_address
        self._lines = 0
        self._by_address: dict[str, int] = {}
        self._logged_at = float("-inf")
        self._unlogged = 0
        self.refused = 0
        self.closed_because = ""

    @property
    def lines(self) -> int:
        """How many lines are held now."""
        return self._lines

    def admit(self, address: str) -> bool:
        """Takes a line from this address in, or refuses it."""
        here = self._by_address.get(address, 0)
        if self.closed_because:
            return self._refuse(address, self.closed_because)
        if self._lines >= self._most:
            return self._refuse(address, f"all {self._most} sessions are taken (limits.sessions)")
        if here >= self._most_per_address:
            return self._refuse(address, f"it holds {here} already (limits.sessions_per_address)")
        self._lines += 1
        self._by_address[address] = here + 1
        return True

    def release(self, address: str) -> None:
        """A line that was taken in is gone."""
        self._lines -= 1
        here = self._by_address[address] - 1
        if here:
            self._by_address[address] = here
        else:
            del self._by_address[address]

    def _refuse(self, address: str, reason: str) -> bool:
        self.refused += 1
        self._unlogged += 1
        now = self._clock.seconds()
        if now - self._logged_at >= _QUIET_SECONDS:
            logger.warning("refused %d connections, the last from %s: %s", self._unlogged, address, reason)
            self._logged_at = now
            self._unlogged = 0
        return False
