"""When a modem is to be prepared anew, reset, or taken out of the pool (dossier A.4)."""

from __future__ import annotations

import enum
import logging
from collections import deque

from twisted.internet.interfaces import IReactorTime

from gateway_server.transports.modem.life import ModemLife
from gateway_server.transports.modem.steps import ModemFault

logger = logging.getLogger(__name__)

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


class Remedies:
    """Does with a modem what its health asks for: after a call, and when a piece of its work did not succeed.

    ``by_power``: somebody's command can switch its mains off, which ends a call that it cannot be made to end.
    """

    def __init__(self, clock: IReactorTime, name: str, life: ModemLife, *, by_power: bool = False) -> None:
        self._clock = clock
        self._name = name
        self._life = life
        self._by_power = by_power
        self._health = Health()
        self._after_rest = Step.GO_ON

    def call_ended(self, *, ours: bool) -> None:
        """A call is over; what it means for the modem is done once that has cooled down."""
        self._after_rest = self._health.call_ended(self._clock.seconds(), ours=ours)

    def rested(self) -> None:
        """It has cooled down."""
        step, self._after_rest = self._after_rest, Step.GO_ON
        self._take(step, "calls failed several times in a row by its fault")

    def failed(self, state: str, error: BaseException) -> None:
        """A piece of work did not succeed in this state: what to do next depends on what was tried before."""
        why = str(error) or type(error).__name__
        if state == "stopping":
            logger.error("modem %s: left as it is at the end: %s", self._name, why)
            self._life.stopped()
        elif state == "opening":
            self._life.lost(why)
        elif isinstance(error, ModemFault) and error.lasting:
            self._life.retire(why)
        elif state in ("finding", "resetting") or (state == "hanging up" and self._by_power):
            # in a call that it does not end every second is paid for, and the meter's number is busy
            self._take(self._health.dead(self._clock.seconds()), why)
        else:
            self._take(self._health.unfit(self._clock.seconds()), why)

    def _take(self, step: Step, why: str) -> None:
        match step:
            case Step.GO_ON:
                self._life.rested()
            case Step.PREPARE:
                self._life.mend(why)
            case Step.RESET:
                self._life.reset(why)
            case Step.RETIRE:
                self._life.retire(why)
