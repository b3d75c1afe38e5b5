"""What differs between the databases a store can live in; everything else is SQL that both understand.

PostgreSQL comes behind the same questions.
"""

from __future__ import annotations

import enum
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Protocol


class Trouble(enum.Enum):
    """What a database error means for the one who called."""

    BUSY = "busy"  # another process holds the store; the same again may succeed
    FULL = "full"  # no room; the same again may succeed when there is
    BROKEN = "broken"  # the files cannot be trusted: end, start again, read back
    WRONG = "wrong"  # the statement or its data; the same again fails the same


class Dialect(Protocol):
    """What differs between databases: what `Connection` and the schema need to know of each."""

    @property
    def placeholder(self) -> str:
        """How a statement marks a parameter."""

    @property
    def identity(self) -> str:
        """The column type of a number that the database gives each new row."""

    @property
    def blob(self) -> str:
        """The column type of bytes."""

    def connect(self) -> Any:
        """A new connection in autocommit, ready for use, belonging to the calling thread."""

    def trouble(self, error: Exception) -> Trouble:
        """What an error of this database means."""

    def version(self, connection: Any) -> int:
        """A number that changes when another connection has written."""

    def reserve(self, connection: Any) -> None:
        """Makes room on disk for what will be written, so that commits need not; to be asked once by who writes."""


BUSY_TIMEOUT_MS = 10_000
PAGE_SIZE = 2048  # an archive row lands on a page of its own: half the bytes written per row, a quarter more rows/s
CACHE_KIB = 65_536
# The write-ahead log is folded back every 16 MB: a page is then written back once for many rows.
CHECKPOINT_PAGES = 8_000
CACHED_STATEMENTS = 512

_ROOM_TO_SPARE = 4  # times the reserved log

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_BROKEN = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOMEM,
}


class SQLiteDialect:
    """SQLite in one file (or in memory): write-ahead log, every commit synced."""

    placeholder = "?"
    identity = "INTEGER PRIMARY KEY AUTOINCREMENT"
    blob = "BLOB"

    def __init__(self, path: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.path = path
        self._busy_timeout_ms = busy_timeout_ms

    @property
    def in_memory(self) -> bool:
        """Whether the store ends with its connection."""
        return self.path == ":memory:"

    def connect(self) -> sqlite3.Connection:
        """Opens the file with what durability asks for: WAL and a sync at every commit (`reliability.md` T3)."""
        connection = sqlite3.connect(
            self.path if self.in_memory else str(Path(self.path).absolute()),
            isolation_level=None,
            cached_statements=CACHED_STATEMENTS,
        )
        try:
            for pragma in self.pragmas():
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def pragmas(self) -> tuple[str, ...]:
        """How every connection is set."""
        return (
            f"busy_timeout = {self._busy_timeout_ms}",
            f"page_size = {PAGE_SIZE}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            f"cache_size = -{CACHE_KIB}",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        )

    def trouble(self, error: Exception) -> Trouble:
        """Judges by SQLite's primary result code."""
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return Trouble.WRONG
        primary = code & 0xFF
        if primary in _BUSY:
            return Trouble.BUSY
        if primary == sqlite3.SQLITE_FULL:
            return Trouble.FULL
        return Trouble.BROKEN if primary in _BROKEN else Trouble.WRONG

    def version(self, connection: sqlite3.Connection) -> int:
        """SQLite counts the commits of others for us."""
        return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def reserve(self, connection: sqlite3.Connection) -> None:
        """Writes the write-ahead log once to its full size, in a transaction that is then taken back.

        SQLite then overwrites it in place. A sync of a file that grows costs the file system a commit of its own:
        measured 0.35 to 2 ms for one session's row, against 0.2 ms without. A disk with little room keeps it for
        what comes.
        """
        if self.in_memory:
            return
        size = CHECKPOINT_PAGES * PAGE_SIZE
        log = Path(f"{self.path}-wal")
        if log.exists() and log.stat().st_size >= size:
            return
        if shutil.disk_usage(log.parent).free < _ROOM_TO_SPARE * size:
            return
        connection.execute("PRAGMA cache_size = -256")  # what does not fit goes to the log before any commit
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO fact (name, value) VALUES ('room', zeroblob(?))", (size,))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
