"""Times as people write them on the command line, turned into moments, and moments turned into text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from gateway_server.errors import OperatorError
from gateway_server.store.zones import moment as moment_of

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_AGO = re.compile(r"-(\d+)(min|m|h|d|w)")
_UNITS = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_YEAR = re.compile(r"(\d{4})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_RUSSIAN = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

FORMS = "2026-10-01, 2026-10, '2026-10-01 10:00', 2026-10-01T07:00:00Z, 01.10.2026, today, yesterday, now, -24h, -7d"


def parse_moment(text: str, home: tzinfo, now_ms: int, *, last: bool) -> int:
    """The moment a person means, in UTC milliseconds. ``home`` is the zone of a time that names none.

    A day, month or year stands for its first moment, or with ``last`` for its last one. ``-24h`` counts back from now.
    """
    text = text.strip()
    now = (EPOCH + timedelta(milliseconds=now_ms)).astimezone(home)
    if found := _AGO.fullmatch(text):
        try:
            return to_ms(now - timedelta(**{_UNITS[found[2]]: int(found[1])}))
        except OverflowError as error:
            raise OperatorError(f"{text!r} is not a time: the calendar does not go back so far") from error
    if text == "now":
        return now_ms
    try:
        start, length = _named(text, now) or _written(text)
    except ValueError as error:
        raise OperatorError(f"{text!r} is not a time; write it like {FORMS}") from error
    moment = start + length if last else start
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=home, fold=1 if last else 0)
    return to_ms(moment) - (1 if last and length else 0)


def _named(text: str, now: datetime) -> tuple[datetime, timedelta] | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    if text == "today":
        return midnight, timedelta(days=1)
    if text == "yesterday":
        return midnight - timedelta(days=1), timedelta(days=1)
    return None


def _written(text: str) -> tuple[datetime, timedelta]:
    if found := _YEAR.fullmatch(text):
        start = _wall(int(found[1]), 1, 1)
        return start, _wall(start.year + 1, 1, 1) - start
    if found := _MONTH.fullmatch(text):
        start = _wall(int(found[1]), int(found[2]), 1)
        following = _wall(start.year + start.month // 12, start.month % 12 + 1, 1)
        return start, following - start
    if found := _RUSSIAN.fullmatch(text):
        day = f"{found[3]}-{found[2]}-{found[1]}"
        text = f"{day}T{found[4]}" if found[4] else day
    if _DAY.fullmatch(text):
        return datetime.fromisoformat(text), timedelta(days=1)
    return datetime.fromisoformat(text), timedelta(0)


def _wall(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day)


def to_ms(moment: datetime) -> int:
    """A moment as UTC milliseconds, exactly."""
    return (moment - EPOCH) // MILLISECOND


def at(ms: int) -> datetime:
    """UTC milliseconds as a moment; one that the calendar does not hold is shown at its end."""
    return moment_of(ms)


def rfc3339(ms: int | None) -> str | None:
    """UTC with ``Z``; a fraction only where there is one."""
    if ms is None:
        return None
    moment = at(ms).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds' if moment.microsecond else 'seconds')}Z"


def local(ms: int | None, home: tzinfo, *, precise: bool = False) -> str:
    """A time for the eyes: in the meter's zone, with its offset; empty for none."""
    if ms is None:
        return ""
    moment = at(ms).astimezone(home)
    return moment.isoformat(sep=" ", timespec="milliseconds" if precise else "seconds")


def duration(ms: int) -> str:
    """A length of time as a person says it."""
    seconds, rest = divmod(ms, 1000)
    if seconds < 60:
        return f"{seconds}.{rest:03} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
