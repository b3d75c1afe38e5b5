"""How a session ended, in one outcome and in words that say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gateway_server.errors import (
    CodecError,
    LineError,
    MeterRefused,
    MeterSilent,
    StoreError,
    StoreFull,
    UnknownMeter,
    cut,
)
from gateway_server.model import Outcome

ADVICE = {
    Outcome.SILENT: "check the meter's power, the wiring, speed and parity, and its bus address",
    Outcome.GARBLED: "look at the bytes with `session show`; the codec may be the wrong one or the line is noisy",
    Outcome.REFUSED: "check the access code and the meter's locks",
    Outcome.LINE_LOST: "the next session tries again",  # with something stored it would be partial
    Outcome.PARTIAL: "what came is stored; the next session goes on behind the last stored row",
    Outcome.GATEWAY_FAULT: "nothing of it was acknowledged; the gateway's own log has the details",
}


_LONGEST_REASON = 500
_REMEDY = re.compile(r"[:;,] (?:check|try|store) ")
"""An error that says what to do by itself."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended, for whoever began it. ``stored`` counts rows and events that are in the store now."""

    outcome: Outcome
    detail: str
    serial: str = ""
    stored: int = 0
    error: BaseException | None = None


def outcome_of(error: BaseException | None) -> Outcome:
    """What an exception that leaves a dialogue means for the session."""
    match error:
        case None:
            return Outcome.READ
        case MeterRefused():
            return Outcome.REFUSED
        case MeterSilent():
            return Outcome.SILENT
        case CodecError():
            return Outcome.GARBLED
        case UnknownMeter():
            return Outcome.UNKNOWN_METER
        case LineError():
            return Outcome.LINE_LOST
        case _:
            return Outcome.GATEWAY_FAULT


def ending(error: BaseException | None, reason: str, serial: str, stored: int, *, unclaimed: bool) -> Ending:
    """The ending of a session whose dialogue left ``error``, or came to its end (``reason``: but not to all).

    What broke half-way with something stored is ``partial``, unless it was the gateway that broke it. Of a meter that
    nobody has claimed only the bytes are kept, whatever else happened.
    """
    outcome = outcome_of(error)
    said = cut(reason if error is None else _said(error), _LONGEST_REASON)
    if error is None and reason:
        outcome = Outcome.PARTIAL
    if unclaimed and outcome is not Outcome.GATEWAY_FAULT:
        detail = f"nobody has claimed meter {serial}; its bytes are kept: `gateway-server meter claim {serial}`"
        return Ending(Outcome.UNKNOWN_METER, f"{detail} ({said})" if said else detail, serial, stored, error)
    if stored and error is not None and outcome not in (Outcome.GATEWAY_FAULT, Outcome.UNKNOWN_METER):
        outcome = Outcome.PARTIAL
    advice = "" if outcome is not Outcome.PARTIAL and _REMEDY.search(said) else ADVICE.get(outcome, "")
    if isinstance(error, StoreFull):
        advice = "nothing of it was acknowledged; make room on the store's disk, the gateway goes on by itself"
    detail = f"{said}; {advice}" if said and advice else said
    return Ending(outcome, detail, serial, stored, error)


def masked(how: Ending, access_code: str) -> Ending:
    """The ending without an access code that an error's text may have repeated."""
    detail = how.detail
    for secret in (access_code, access_code.partition(":")[2]):
        if secret:
            detail = detail.replace(secret, "********")
    return replace(how, detail=detail)


def _said(error: BaseException) -> str:
    text = str(error).rstrip(". ")
    if isinstance(error, MeterRefused) and error.meaning and error.meaning not in text:
        text = f"{text}: {error.meaning}"
    if isinstance(error, StoreError):
        return f"the store could not keep what came: {text}"
    if outcome_of(error) is Outcome.GATEWAY_FAULT:
        return f"the gateway failed: {type(error).__name__}: {text}"
    return text or type(error).__name__
