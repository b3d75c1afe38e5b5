"""What a dial that did not connect means: whose fault it is, and what to do about it (dossier A.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_server.model import CallResult
from gateway_server.transports.at import Reply, Result

CONFIGURATION = frozenset({50, 57, 58, 63, 65, 69, 70, 79, 88})
BARRED = frozenset({8, 21, 68})
WRONG_NUMBER = frozenset({1, 3, 22, 28})
BUSY, NO_USER, NO_ANSWER = 17, 18, 19
TEMPORARY = frozenset({27, 34, 38, 41, 42, 44, 47})
OTHER_BEARER = frozenset({57, 58, 65, 88})
"""With these the other value of +CBST is worth a try (A.2)."""

_SIM = {10: "no SIM is in it", 11: "the SIM wants its PIN", 12: "the SIM wants its PUK", 13: "the SIM has failed"}
_SIM |= {15: "the SIM is of another network", 16: "the PIN is wrong", 17: "the SIM wants its PIN2", 18: "and its PUK2"}
_NETWORK = {30: "no network", 31: "the network did not answer in time", 32: "emergency calls only"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a call failed. ``ours`` counts against the modem; ``cause`` is the network's own word."""

    result: CallResult
    detail: str
    cause: str = ""
    ours: bool = False
    other_bearer: bool = False


def cause_of(answer: str) -> tuple[str, int | None]:
    """The text of a +CEER answer and its cause number: ``21``, ``8,21,0`` (Siemens: location, cause), or words."""
    text = answer.strip().strip('"')
    numbers = re.fullmatch(r"(\d{1,4})(?:\s*,\s*(\d{1,4}))?(?:\s*,\s*\d{1,4})?", text)
    if numbers is None:
        named = re.search(r"\b[Cc]ause[^0-9]{0,3}(\d{1,3})\b", text)
        return text, int(named[1]) if named else None
    cause = int(numbers[2] or numbers[1])
    return str(cause), cause


def judge(reply: Reply, seconds: float, ceer: str, *, refused_within: float = 3.0) -> Verdict:
    """What the end of a dial means. ``seconds`` is how long it took, ``ceer`` what +CEER said right behind it."""
    text, cause = cause_of(ceer)
    match reply.result:
        case Result.BUSY:
            return Verdict(CallResult.BUSY, "the number is busy: another collector, or an earlier call of ours", text)
        case Result.NO_ANSWER:
            return Verdict(CallResult.NO_ANSWER, "it rings and nobody answers: is the meter's modem on?", text)
        case Result.DELAYED | Result.BLACKLISTED:
            return Verdict(CallResult.DELAYED, f"the modem's own guard refuses to dial now: {reply.text}", text)
        case Result.NO_DIALTONE:
            said = "not registered with the network, or the line is in use; check antenna, SIM and coverage"
            return Verdict(CallResult.NO_DIALTONE, said, text, ours=True)
        case Result.CME_ERROR:
            return Verdict(CallResult.MODEM_FAULT, f"the modem refused to dial: {refusal(reply)}", text, ours=True)
        case Result.ERROR:
            return Verdict(CallResult.MODEM_FAULT, "the modem refused to dial: ERROR", text, ours=True)
        case Result.OK:
            return Verdict(CallResult.MODEM_FAULT, "the modem made a voice call of it, or none at all", text, ours=True)
        case _:
            return _no_carrier(seconds, text, cause, refused_within)


def _no_carrier(seconds: float, text: str, cause: int | None, refused_within: float) -> Verdict:
    if cause in WRONG_NUMBER:
        return Verdict(CallResult.WRONG_NUMBER, "the network does not know this number; correct the route", text)
    if cause in CONFIGURATION or cause in BARRED:
        what = "no data service on the SIM, or the wrong bearer" if cause in CONFIGURATION else "barred, or no credit"
        said = f"the network refuses the call: {what}; ask the SIM's operator"
        return Verdict(CallResult.BARRED, said, text, ours=True, other_bearer=cause in OTHER_BEARER)
    if cause == BUSY:
        return Verdict(CallResult.BUSY, "the number is busy: another collector, or an earlier call of ours", text)
    if cause in (NO_USER, NO_ANSWER):
        return Verdict(CallResult.NO_ANSWER, "the meter's modem does not answer: is it on, is it in coverage?", text)
    if cause in TEMPORARY:
        return Verdict(CallResult.NO_CARRIER, "the network is in trouble for the moment", text)
    if cause is None and seconds < refused_within:
        said = "the network refused at once: no data service on the SIM, wrong bearer, barred or no credit"
        return Verdict(CallResult.BARRED, said, text, ours=True, other_bearer=True)
    said = f"no carrier after {seconds:.0f} s: weak radio, or the far end answered as voice"
    return Verdict(CallResult.NO_CARRIER, said, text, other_bearer=True)


def refusal(reply: Reply) -> str:
    """An error answer in words."""
    if reply.result is not Result.CME_ERROR:
        return reply.text
    if reply.code is None:
        return reply.text
    known = {3: "not allowed", 4: "not supported", 14: "the SIM is busy", **_SIM, **_NETWORK}
    return f"{reply.text} ({known[reply.code]})" if reply.code in known else reply.text
