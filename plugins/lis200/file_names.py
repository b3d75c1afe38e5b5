"""Names of the files that ComFTP of an FE260, EM260 or EK280 uploads (lis200.md 3.1).

Start, identification, time stamp, extension: ``EK12345678`` + ``20260315000500`` + ``0900`` + ``.abl``. The start is
whatever was configured; the identification is the serial number unless configured otherwise. The stamp is UTC, long
(``YYYYMMDDhhmmsszzzz``) or short (``YYMMDDhhmm``); that ``zzzz`` is the offset in minutes + 720 is inferred from the
one example of the manual.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_LONG = re.compile(r"(?P<before>.*?)(?P<time>20\d{12})(?P<zone>\d{4})")
_SHORT = re.compile(r"(?P<before>.*?)(?P<time>\d{10})")
_NUMBER = re.compile(r"(\d{4,})\D*$")
_NO_OFFSET = 720
_MOST_OFFSET = 14 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ComFtpName:
    """What a name says. ``hints`` may be the identification, the likeliest first; the offset is in minutes."""

    hints: tuple[str, ...]
    made_at_ms: int
    offset: int | None = None


def comftp_name(name: str) -> ComFtpName | None:
    """The name of a file, without folders, as ComFTP would have made it; None if it has no such time stamp."""
    stem = name.split(".", 1)[0] if "." in name else name
    for pattern, layout in ((_LONG, "%Y%m%d%H%M%S"), (_SHORT, "%y%m%d%H%M")):
        found = pattern.fullmatch(stem)
        if found is None:
            continue
        zone = found["zone"] if pattern is _LONG else None
        offset = int(zone) - _NO_OFFSET if zone is not None else None
        if offset is not None and (abs(offset) > _MOST_OFFSET or offset % 15):
            continue
        try:
            made = datetime.strptime(found["time"], layout).replace(tzinfo=UTC)
        except ValueError:
            continue
        made_at_ms = int((made - _EPOCH).total_seconds()) * 1000
        return ComFtpName(_hints(found["before"]), made_at_ms, offset)
    return None


def _hints(before: str) -> tuple[str, ...]:
    """What may be the identification: the last number in front of the stamp, and all that stands there."""
    trimmed = before.strip("_-. ")
    number = _NUMBER.search(trimmed)
    return tuple(dict.fromkeys(hint for hint in (number[1] if number else "", trimmed) if hint))
