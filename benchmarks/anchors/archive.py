"""The schema to read from that was the best of all tried: clustered rows, and the last one of each meter aside.

Values as text, as ours, so that both hand out the same. No sessions, no origin of a row, no second variants.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

Row = tuple[int, int, int, str, str, str, str, str]

SCHEMA = """
CREATE TABLE reading(meter INTEGER, ts INTEGER, seq INTEGER, vb TEXT, vm TEXT, p TEXT, t TEXT, status TEXT,
                     PRIMARY KEY(meter, ts, seq)) WITHOUT ROWID;
CREATE TABLE last(meter INTEGER PRIMARY KEY, ts INTEGER, seq INTEGER, vb TEXT, vm TEXT, p TEXT, t TEXT, status TEXT);
"""


class Archive:
    """A store of rows, as bare as it can be."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=20000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(SCHEMA)

    def load(self, rows: Iterable[Row]) -> None:
        """Stores rows in one transaction; the last of each meter is the newest one."""
        held = list(rows)
        execute = self.connection.executemany
        self.connection.execute("BEGIN")
        execute("INSERT OR IGNORE INTO reading VALUES(?,?,?,?,?,?,?,?)", held)
        execute("INSERT OR REPLACE INTO last VALUES(?,?,?,?,?,?,?,?)", held)
        self.connection.execute("COMMIT")

    def last_rows(self) -> list[Row]:
        """The newest row of every meter."""
        return self.connection.execute("SELECT * FROM last ORDER BY meter").fetchall()

    def rows(self, meter: int, since: int, until: int) -> list[Row]:
        """The rows of one meter in a span of time."""
        wanted = "SELECT * FROM reading WHERE meter=? AND ts BETWEEN ? AND ? ORDER BY ts, seq"
        return self.connection.execute(wanted, (meter, since, until)).fetchall()
