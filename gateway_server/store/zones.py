"""UTC milliseconds as moments of the calendar, and as a meter's own clock shows them.

A clock that is wrong may say any year from 1 to 9999. The calendar of every zone holds what lies between the two ends
here; what lies outside is shown at the end: a store must be readable whatever a meter said.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway_server.errors import OperatorError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

FIRST_MS = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MILLISECOND
LAST_MS = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MILLISECOND - 1
"""A day from the calendar's ends: no zone is further from UTC."""


def within_calendar(at_ms: int) -> int:
    """The same time, or the end of the calendar that it lies behind."""
    return min(max(at_ms, FIRST_MS), LAST_MS)


def moment(at_ms: int) -> datetime:
    """UTC milliseconds as a moment, which can be shown in any zone."""
    return _EPOCH + timedelta(milliseconds=within_calendar(at_ms))


@lru_cache(maxsize=64)
def zone_of(zone: str) -> ZoneInfo:
    """A meter's zone by its name. Raises `OperatorError` for one that nobody knows."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OperatorError(f"time zone '{zone}' is not known; give a name like Europe/Moscow") from error


def meter_clock(zone: str) -> Callable[[int], datetime]:
    """What the clock of a meter in this zone shows, naive, with ``fold`` set in the second of two equal hours."""
    info = zone_of(zone)

    def shown(at_ms: int) -> datetime:
        return moment(at_ms).astimezone(info).replace(tzinfo=None)

    return shown
