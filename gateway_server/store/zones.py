"""UTC milliseconds as a meter's own clock shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway_server.errors import OperatorError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(info).replace(tzinfo=None)

    return shown
