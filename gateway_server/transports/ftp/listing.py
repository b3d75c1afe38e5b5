"""What LIST, NLST, MLSD and MLST show of an account's uploads: folders are made of the names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway_server.transports.ftp.paths import raw_of

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HALF_A_YEAR_MS = 15_552_000_000

FACTS = ("type", "size", "modify")  # of RFC 3659, section 7.5


class Listed(NamedTuple):
    """One upload by its absolute path."""

    path: str
    size: int
    received_at_ms: int
    complete: bool = True


def listing(kind: str, path: str, files: Iterable[Listed], now_ms: int, wanted: Sequence[str] = FACTS) -> bytes:
    """The listing of a folder, or of a file by its own path. Of one name the first given (the newest) is shown.
    ``wanted`` are the facts that MLSD tells."""
    entries: dict[str, Listed | None] = {}
    inside = path.rstrip("/") + "/"
    for file in files:
        if file.path == path:
            entries.setdefault(path.rpartition("/")[2], file)
        elif file.path.startswith(inside):
            name, folder, _ = file.path.removeprefix(inside).partition("/")
            entries.setdefault(name, None if folder else file)

    def told(name: str, file: Listed | None, now_ms: int) -> str:
        return f"{facts(file, wanted)} {name}"

    lines = {"LIST": _long, "NLST": _short, "MLSD": told}[kind]
    return b"".join(raw_of(lines(name, entries[name], now_ms)) + b"\r\n" for name in sorted(entries))


def _short(name: str, file: Listed | None, now_ms: int) -> str:
    return name


def _long(name: str, file: Listed | None, now_ms: int) -> str:
    """As `ls -l`, which is what clients take apart; months in English whatever the locale."""
    at_ms = now_ms if file is None else file.received_at_ms
    at = time.gmtime(at_ms // 1000)
    when = f"{at.tm_year:5d}" if now_ms - at_ms > _HALF_A_YEAR_MS else f"{at.tm_hour:02d}:{at.tm_min:02d}"
    kind = "drwx------" if file is None else "-rw-------"
    size = 0 if file is None else file.size
    return f"{kind}   1 meter    meter    {size:12d} {_MONTHS[at.tm_mon - 1]} {at.tm_mday:2d} {when} {name}"


def facts(file: Listed | None, wanted: Sequence[str] = FACTS) -> str:
    """What is told of a file, or of a folder, which has nothing but its type (RFC 3659, section 7.2)."""
    known = {"type": "dir"}
    if file is not None:
        at = time.strftime("%Y%m%d%H%M%S", time.gmtime(file.received_at_ms // 1000))
        known = {"type": "file", "size": str(file.size), "modify": at}
    return "".join(f"{fact}={known[fact]};" for fact in FACTS if fact in wanted and fact in known)
