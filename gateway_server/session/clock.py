"""What a meter's clock is worth: how far it is off, in words, and what follows for its rows."""

from __future__ import annotations

from decimal import Decimal

MOST_DRIFT_S = 300
"""So far off a clock may be without a word: a period's rows still stand where they belong."""

_HOUR_S = 3600
_DAY_S = 86_400
_FURTHEST_ZONE_S = 14 * _HOUR_S


def drift_in_words(drift_s: Decimal) -> str:
    """``1095 d ahead``, ``3 h 20 min behind``, ``47 s ahead``."""
    seconds = int(abs(drift_s))
    way = "ahead" if drift_s > 0 else "behind"
    if seconds < 120:
        return f"{seconds} s {way}"
    if seconds < _HOUR_S:
        return f"{seconds // 60} min {way}"
    if seconds < 2 * _DAY_S:
        hours, rest = divmod(seconds, _HOUR_S)
        return f"{hours} h {rest // 60} min {way}" if rest >= 60 else f"{hours} h {way}"
    return f"{seconds // _DAY_S} d {way}"


def remark(drift_s: Decimal) -> str:
    """What is to be said of a clock that is so far off (device minus gateway), empty if nothing."""
    if abs(drift_s) <= MOST_DRIFT_S:
        return ""
    marked = " and marked clock_off" if drift_s > _DAY_S else ""
    return f"the meter's clock is {drift_in_words(drift_s)}: its rows are stored at its time{marked}; {advice(drift_s)}"


def advice(drift_s: Decimal) -> str:
    """What to do about it: whole hours are most often a time zone, not a clock."""
    off = abs(drift_s)
    from_hour = min(off % _HOUR_S, _HOUR_S - off % _HOUR_S)
    if from_hour <= MOST_DRIFT_S and off <= _FURTHEST_ZONE_S + MOST_DRIFT_S:
        return "whole hours: check its time zone in the register (`gateway-server meter add SERIAL --time-zone ZONE`)"
    return "have it set at the device, the gateway never writes to a meter"
