"""Times of a meter's own clock as UTC, for questions to a meter that speaks UTC: nothing missing is passed over.

A row that comes again changes nothing, one that is passed over is lost: of two moments that a time can mean, the one
that asks for more counts. Without a zone so much more is asked for as any zone is away from UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

_FURTHEST_ZONE = timedelta(hours=14)


def earliest(local: datetime | None, zone: tzinfo | None) -> datetime | None:
    """The first moment that a local time can mean, as UTC without a zone; the second of two, if its fold says so."""
    if local is None:
        return None
    if zone is None:
        return local - _FURTHEST_ZONE
    return min(_moments(local, zone, {local.fold, 1} if _is_skipped(local, zone) else {local.fold}))


def latest(local: datetime | None, zone: tzinfo | None) -> datetime | None:
    """The last moment that a local time can mean, as UTC without a zone."""
    if local is None:
        return None
    return local + _FURTHEST_ZONE if zone is None else max(_moments(local, zone, {0, 1}))


def _moments(local: datetime, zone: tzinfo, folds: Iterable[int]) -> list[datetime]:
    return [local.replace(tzinfo=zone, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in folds]


def _is_skipped(local: datetime, zone: tzinfo) -> bool:
    """Whether the clocks are put forward over this time."""
    there = local.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local
