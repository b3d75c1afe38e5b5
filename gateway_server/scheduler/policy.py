"""What follows from how a call went: when the meter is called again, by what, and when somebody must be told.

The gaps are those of the dossier on CSD practice (A.3, A.4: 60, 180, 600 s; busy 1 to 5 minutes; no answer few times
with long gaps; a modem's own redial guard 2 minutes), below which the rules for automatic diallers do not allow to go.
The other numbers are guesses.
"""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass, replace

from gateway_server.model import CallResult, Outcome

JITTER = 0.2
_MOST_OURS = 6
MOST_TRIES = 10
"""Calls to one number in one night, whoever was to blame: what GSM 02.07 annex A allows automatic diallers."""


class Then(enum.Enum):
    """What becomes of the job."""

    DONE = "done"
    AGAIN = "again"
    FAILED = "failed"  # enough for this night
    STOP = "stop"  # nobody calls this meter until somebody has acted


@dataclass(frozen=True, slots=True)
class Rule:
    """How one result is answered.

    ``counts``: it is one of the meter's attempts. ``gaps_s`` are the waits behind the first, second, ... try; the last
    goes on. ``other_modem`` and ``other_bearer``: the next try is made by another one. ``most``: so many in one night
    at most (0: as many attempts as there are). ``alarm``: it is told as an error, not as a warning. ``rests``: when it
    is given up, the number is left alone for the operator's time, whatever else is due meanwhile.
    """

    gaps_s: tuple[float, ...] = ()
    counts: bool = True
    other_modem: bool = False
    other_bearer: bool = False
    most: int = 0
    stops: bool = False
    alarm: bool = False
    rests: bool = False


RULES: dict[CallResult, Rule] = {
    CallResult.BUSY: Rule((60, 180, 600)),
    CallResult.NO_ANSWER: Rule((120, 600, 1200)),
    CallResult.NO_CARRIER: Rule((60, 180, 600), other_bearer=True),
    CallResult.NO_DIALTONE: Rule((30, 60, 180), counts=False, other_modem=True, most=6, alarm=True),
    CallResult.BARRED: Rule((60,), counts=False, other_modem=True, other_bearer=True, most=2, alarm=True, rests=True),
    CallResult.WRONG_NUMBER: Rule(stops=True, alarm=True),
    CallResult.DELAYED: Rule((120, 300), counts=False, most=4),
    CallResult.SILENT: Rule((60, 180, 600)),
    CallResult.REFUSED: Rule(stops=True, alarm=True),
    CallResult.LOST: Rule((30, 60, 180)),
    CallResult.OVER_BUDGET: Rule((300, 600)),
    CallResult.MODEM_FAULT: Rule((5, 30, 60), counts=False, other_modem=True, most=6),
    CallResult.INTERRUPTED: Rule((5,), counts=False),
}

# A session over a line of ours, as the nearest thing that may happen to a call.
OUTCOMES: dict[Outcome, CallResult] = {
    Outcome.READ: CallResult.OK,
    Outcome.PARTIAL: CallResult.LOST,
    Outcome.SILENT: CallResult.SILENT,
    Outcome.GARBLED: CallResult.SILENT,
    Outcome.REFUSED: CallResult.REFUSED,
    Outcome.UNKNOWN_METER: CallResult.WRONG_NUMBER,
    Outcome.LINE_LOST: CallResult.NO_ANSWER,
    Outcome.GATEWAY_FAULT: CallResult.MODEM_FAULT,
    Outcome.IDLE: CallResult.SILENT,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a job. ``why`` says it in words for its detail; ``rest_s`` how long a stop holds at most, 0 until
    somebody acts."""

    then: Then
    gap_s: float = 0.0
    attempts: int = 0
    tries: int = 0
    other_modem: bool = False
    other_bearer: bool = False
    alarm: bool = False
    why: str = ""
    rest_s: float = 0.0


class Policy:
    """Answers how calls went. ``chance`` moves gaps by a fifth: what failed together does not come together again.

    ``gaps`` is what the operator wants them to be, times as long; ``rest_s`` how long a number that the network bars is
    left alone, 0 for this night.
    """

    def __init__(
        self,
        chance: random.Random,
        rules: dict[CallResult, Rule] | None = None,
        gaps: float = 1.0,
        rest_s: float = 0.0,
    ) -> None:
        self._chance = chance
        self._rules = RULES if rules is None else rules
        self._gaps = gaps
        self._rest_s = rest_s

    def judge(
        self,
        result: CallResult,
        attempts: int,
        tries: int,
        most_attempts: int,
        *,
        progressed: bool,
        same: int = 1,
        ours: bool = False,
    ) -> Verdict:
        """The verdict on one more call. ``attempts`` and ``tries`` are those before it.

        ``progressed``: it brought rows, so that it was worth its money; ``same``: how often in a row it went like this,
        this time included; ``ours``: the modem says that it was to blame, whatever the result is called.
        """
        if result is CallResult.OK:
            return Verdict(Then.DONE, attempts=attempts, tries=tries + 1)
        rule = self._rules[result]
        tries += 1
        if ours and not rule.stops:
            rule = replace(rule, counts=False, other_modem=True, most=rule.most or _MOST_OURS)
        if rule.counts and not (progressed and result in (CallResult.LOST, CallResult.OVER_BUDGET)):
            attempts += 1
        if rule.stops:
            return Verdict(Then.STOP, attempts=attempts, tries=tries, alarm=rule.alarm, why=_ACTS[result])
        if attempts >= most_attempts and rule.counts:
            why = f"{attempts} of {most_attempts} attempts made"
            return Verdict(Then.FAILED, attempts=attempts, tries=tries, alarm=rule.alarm, why=why)
        if tries >= MOST_TRIES or (rule.most and same >= rule.most):
            why = f"{tries} calls made without reaching it" if tries >= MOST_TRIES else f"{same} times in a row"
            if rule.rests and self._rest_s:
                why += _RESTS
                return Verdict(
                    Then.STOP, attempts=attempts, tries=tries, alarm=rule.alarm, why=why, rest_s=self._rest_s
                )
            return Verdict(Then.FAILED, attempts=attempts, tries=tries, alarm=True, why=why)
        place = max(0, (same if not rule.counts else attempts) - 1)
        gap = rule.gaps_s[min(place, len(rule.gaps_s) - 1)]
        gap *= self._gaps * (1 + self._chance.uniform(-JITTER, JITTER))
        return Verdict(Then.AGAIN, gap, attempts, tries, rule.other_modem, rule.other_bearer, rule.alarm, "again later")


_RESTS = "; it is left alone for a time ([dialling] barred_for), or until its csd: route is changed, or `call resume`"
_ACTS = {
    CallResult.WRONG_NUMBER: "the number is not this meter's; it is not called again until its csd: route is changed",
    CallResult.REFUSED: "the meter refused; it is not called again until its access code is changed"
    " (`meter add --password-file`) or `call resume`",
}
