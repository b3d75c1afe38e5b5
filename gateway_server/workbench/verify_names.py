"""Are the names in a meter profile those that everybody uses? A misspelt quantity would be one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from gateway_server.codec.meter_profile.form import MeterProfile, ValueMap
from gateway_server.codec.meter_profile.parse_meaning import QUANTITIES
from gateway_server.model import CURRENT, DAILY, INTERVAL, MONTHLY
from gateway_server.workbench.verify import Check

_ARCHIVES = (CURRENT, INTERVAL, DAILY, MONTHLY)
_OFTEN_MEANT = {"hourly": INTERVAL, "hour": INTERVAL, "day": DAILY, "month": MONTHLY, "now": CURRENT, "live": CURRENT}
_UNITS = sorted({one.unit for one in QUANTITIES.values() if one.unit})


def check_names(profile: MeterProfile) -> Iterator[Check]:
    """A remark for each name that is none of ours; it may well be meant so."""
    values = [value for message in profile.messages for row in message.rows for value in row.values]
    archives = dict.fromkeys(row.archive for message in profile.messages for row in message.rows)
    told = [f"archive {name} is none of ours{_near_archive(name)}" for name in archives if name not in _ARCHIVES]
    told += dict.fromkeys(filter(None, map(_about, values)))
    for text in told:
        yield Check("names", True, text, remark=True)


def _near_archive(name: str) -> str:
    near = _OFTEN_MEANT.get(name) or next(iter(get_close_matches(name, _ARCHIVES, 1)), "")
    return f"; near: {near}" if near else f"; there are: {', '.join(_ARCHIVES)}"


def _about(value: ValueMap) -> str:
    column = value.column
    known = QUANTITIES.get(column.quantity)
    if known is None:
        near = ", ".join(get_close_matches(column.quantity, QUANTITIES, 3))
        return f"quantity {column.quantity} is none of ours{'; near: ' if near else ''}{near}"
    if column.unit == known.unit or not known.unit:
        return ""
    if column.unit not in _UNITS:
        return f"unit {column.unit or 'none'} of {column.quantity} is none of ours; ours is {known.unit}"
    return ""
