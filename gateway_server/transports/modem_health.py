"""When a modem is to be prepared anew, reset, or taken out of the pool (dossier A.4)."""

from __future__ import annotations

import enum
from collections import deque

FAILURES_IN_A_ROW = 3
PREPARATIONS = 2
RESETS_AN_HOUR = 3
_HOUR = 3600.0


class Step(enum.Enum):
    """What is to be done with a modem."""

    GO_ON = "go on"
    PREPARE = "prepare"
    RESET = "reset"
    RETIRE = "retire"


class Health:
    """Counts what was the modem's own fault; what was the meter's shows that the modem works."""

    def __init__(self) -> None:
        self._failures = 0
        self._preparations = 0
        self._resets: deque[float] = deque()
        self.calls_failed = 0

    def call_ended(self, now: float, *, ours: bool) -> Step:
        """A call is over."""
        if not ours:
            self._failures = self._preparations = 0
            self._resets.clear()
            return Step.GO_ON
        self.calls_failed += 1
        self._failures += 1
        return Step.GO_ON if self._failures < FAILURES_IN_A_ROW else self.unfit(now)

    def unfit(self, now: float) -> Step:
        """It has to be prepared anew, or could not be."""
        self._failures = 0
        self._preparations += 1
        return Step.PREPARE if self._preparations <= PREPARATIONS else self.dead(now)

    def dead(self, now: float) -> Step:
        """Nothing but a reset can help, if that."""
        self._failures = self._preparations = 0
        while self._resets and self._resets[0] <= now - _HOUR:
            self._resets.popleft()
        if len(self._resets) >= RESETS_AN_HOUR:
            self._resets.clear()
            return Step.RETIRE
        self._resets.append(now)
        return Step.RESET
