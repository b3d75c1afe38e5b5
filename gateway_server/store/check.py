"""Is the store sound, and a copy of it while it is in use."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from gateway_server.errors import OperatorError, StoreError
from gateway_server.store.inbox import ALL_ROWS
from gateway_server.store.owner import alive
from gateway_server.store.segments import SEGMENT, chunks_of
from gateway_server.store.sessions import LOG_PART
from gateway_server.store.sql import SqlStore

COUNTED = {
    "meters": "meter",
    "sessions": "session",
    "log entries": "session_log",
    "archive rows": ALL_ROWS,
    "events": "event",
    "files": "file",
    "jobs": "job",
    "calls": "call",
}
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What `check_store` found: how much there is, what is wrong, and which sessions have no end.

    ``running`` sessions belong to a process that lives, ``killed`` ones to none; the next start ends the latter.
    """

    counts: dict[str, int]
    problems: tuple[str, ...]
    running: tuple[int, ...]
    killed: tuple[int, ...]

    @property
    def sound(self) -> bool:
        """Nothing is damaged or missing."""
        return not self.problems


def check_store(store: SqlStore) -> StoreReport:
    """Reads the whole store: its pages and indexes, what refers to what, that the newest rows are so, and that every
    received file still has its content."""
    connection = store.connection
    problems = [f"damaged: {text}" for (text,) in connection.stream("PRAGMA integrity_check") if text != "ok"]
    for table, row, parent, _ in connection.stream("PRAGMA foreign_key_check"):
        where = f"row {row} of {table}" if row is not None else f"a row of {table}"
        problems.append(f"{where} refers to a {parent} that is missing")
        if len(problems) >= _MOST_PROBLEMS:
            break
    for table in ("archive_row", "inbox_row", "event", "session_log"):
        orphans = connection.one(f"SELECT COUNT(*) FROM {table} WHERE session_id NOT IN (SELECT id FROM session)")[0]
        if orphans:
            problems.append(f"{orphans} rows of {table} belong to a session that is missing")
    chunks, wrong = _log(store)
    problems += wrong
    for serial, archive in connection.stream(
        f"SELECT m.serial, l.archive FROM {store.last_from()} l JOIN meter m ON m.id = l.meter_id WHERE NOT EXISTS ("
        f"SELECT 1 FROM {ALL_ROWS} a WHERE a.meter_id = l.meter_id AND a.archive = l.archive"
        " AND a.measured_at_ms = l.measured_at_ms AND a.order_number = l.order_number AND a.variant >= 0)"
    ):
        problems.append(f"meter {serial}: the newest row of archive {archive} is not in the archive")
    for number, size, sha256 in connection.all("SELECT id, size, sha256 FROM file WHERE sha256 <> '' ORDER BY id"):
        content = hashlib.sha256()
        found = 0
        for piece in store.file_bytes(number):
            content.update(piece)
            found += len(piece)
        if (found, content.hexdigest()) != (size, sha256):
            problems.append(f"file {number}: {found} of {size} bytes are there, and they are not what was received")
    running: list[int] = []
    killed: list[int] = []
    for number, owner in connection.all("SELECT id, owner FROM session WHERE ended_ms IS NULL ORDER BY id"):
        (running if alive(owner) else killed).append(number)
    counts = {name: connection.one(f"SELECT COUNT(*) FROM {table}")[0] for name, table in COUNTED.items()}
    counts["log entries"] += chunks
    return StoreReport(counts, tuple(problems), tuple(running), tuple(killed))


def _log(store: SqlStore) -> tuple[int, list[str]]:
    """Reads the log of many sessions; gives how many more chunks than entries it holds, and what is wrong with it."""
    connection = store.connection
    lost = connection.one(
        "SELECT COUNT(*) FROM session_log l WHERE direction <> ? AND NOT EXISTS (SELECT 1 FROM session_log_part p"
        f" WHERE p.session_id = l.session_id AND p.part = l.id / {LOG_PART})",
        (SEGMENT,),
    )[0]
    more = 0
    problems: list[str] = []
    parts = groupby(
        connection.stream("SELECT part, session_id FROM session_log_part ORDER BY part"), key=lambda note: note[0]
    )
    part, noted = -1, set[int]()
    for number, segment in connection.stream(
        "SELECT id, data FROM session_log WHERE direction = ? ORDER BY id", (SEGMENT,)
    ):
        while part < number // LOG_PART:
            part, notes = next(parts, (number // LOG_PART, iter(())))
            noted = {session for _, session in notes}
        more -= 1
        try:
            for session, _, _, _ in chunks_of(segment):
                more += 1
                lost += part != number // LOG_PART or session not in noted
        except StoreError as error:
            if len(problems) < _MOST_PROBLEMS:
                problems.append(f"log entry {number}: {error}")
    if lost:
        problems.append(f"{lost} log entries are in a part of the log where nobody looks for their session")
    return more, problems


def back_up(store: SqlStore, target: Path) -> None:
    """Copies the store, as it is at this moment, while others write to it. The key of the access codes is not copied.

    The copy gets its name only when it is whole and synced. Raises `OperatorError`.
    """
    _back_up(store.connection.raw, target)


def back_up_file(store: Path, target: Path) -> None:
    """The same for a store that is not opened, because opening would change it."""
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as source:
        _back_up(source, target)


def _back_up(source: sqlite3.Connection, target: Path) -> None:
    if target.exists():
        raise OperatorError(f"backup {target}: exists already; choose another name")
    if not target.absolute().parent.is_dir():
        raise OperatorError(f"backup {target}: the folder {target.parent} is missing; make it")
    unfinished = target.with_name(target.name + ".part")
    try:
        with closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise OperatorError(f"backup {target}: the copy is damaged ({verdict}); run `store check`")
        sync(unfinished)
        unfinished.rename(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise OperatorError(f"backup {target}: cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def sync(path: Path) -> None:
    """Has the disk keep a file, or what a folder calls its files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
