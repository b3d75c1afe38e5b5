"""A disk that forgets: what was written since the last sync is gone, kept or torn when the power fails.

Works below SQLite, as a virtual file system of apsw (SQLite's own crash tests do the same, see "How SQLite Is Tested",
crash tests). apsw's files have no shared memory, so the write-ahead log is used with exclusive locking.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw

from gateway_server.store.dialect import SQLiteDialect

SECTOR = 512


class PowerFailedError(Exception):
    """The power failed in the middle of a file operation."""


class Disk(apsw.VFS):
    """Files in memory, each as the program sees it and as it is on the platter.

    ``found`` is what is there when the power is back; None until it failed.
    """

    def __init__(self, name: str, files: dict[str, bytes], *, fails_after: int, chance: random.Random) -> None:
        self.name = name
        self.files = {path: Platter(self, data) for path, data in files.items()}
        self._left = fails_after
        self._chance = chance
        self.found: dict[str, bytes] | None = None
        super().__init__(name, "")

    def operation(self) -> None:
        """Counts what changes the disk; at its time the power fails. What a dead program still does is not kept."""
        self._left -= 1
        if self._left < 0 and self.found is None:
            self.found = {path: platter.torn(self._chance) for path, platter in self.files.items()}
            raise PowerFailedError

    def xOpen(self, name: Any, flags: list[int]) -> Platter:  # type: ignore[override]  # its methods are all apsw needs
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        flags[1] = flags[0]
        return self.files.setdefault(path, Platter(self, b""))

    def xAccess(self, pathname: str, flags: int) -> bool:
        return Path(pathname).name in self.files

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.operation()
        self.files.pop(Path(filename).name, None)

    def xFullPathname(self, filename: str) -> str:
        return filename


class Platter:
    """One file: ``seen`` by the program, ``kept`` by the disk, and what was written but not synced."""

    def __init__(self, disk: Disk, data: bytes) -> None:
        self._disk = disk
        self.seen = bytearray(data)
        self.kept = bytearray(data)
        self.unsynced: list[tuple[int, bytes]] = []

    def torn(self, chance: random.Random) -> bytes:
        """What is found after the power failed: of each write whole sectors, some of them, in no order."""
        found = bytearray(self.kept)
        for offset, data in self.unsynced:
            for start in range(0, len(data), SECTOR):
                if chance.random() < 0.5:
                    put(found, offset + start, data[start : start + SECTOR])
        return bytes(found)

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.operation()
        put(self.seen, offset, data)
        self.unsynced.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.operation()
        del self.seen[size:]

    def xSync(self, flags: int) -> None:
        self._disk.operation()
        self.kept = bytearray(self.seen)
        self.unsynced.clear()

    def xFileSize(self) -> int:
        return len(self.seen)

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None: ...


def put(image: bytearray, offset: int, data: bytes) -> None:
    """Writes into a file's image, which grows with zeros."""
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


class Rows(list[Any]):
    """A finished statement, as the store expects a cursor to be."""

    rowcount = 0

    def fetchone(self) -> Any:
        return self[0] if self else None

    def close(self) -> None: ...


class ApswConnection:
    """apsw's connection with the methods of sqlite3's that the store uses."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        rows = Rows(self._connection.execute(statement, tuple(parameters)))
        rows.rowcount = self._connection.changes()
        return rows

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        for one in parameters:
            self.execute(statement, one)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


class ForgetfulDialect(SQLiteDialect):
    """SQLite as the store opens it, on a disk that forgets."""

    def __init__(self, disk: Disk, *, synchronous: str) -> None:
        super().__init__("gateway.db")
        self._disk = disk
        self._synchronous = synchronous

    def connect(self) -> Any:
        connection = apsw.Connection("gateway.db", vfs=self._disk.name)
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "wal_autocheckpoint = 20"):
            list(connection.execute(f"PRAGMA {pragma}"))
        for pragma in self.pragmas():
            if pragma.split()[0] not in ("journal_mode", "wal_autocheckpoint", "page_size"):
                list(connection.execute(f"PRAGMA {pragma}"))
        if self._synchronous:
            list(connection.execute(f"PRAGMA synchronous = {self._synchronous}"))
        return ApswConnection(connection)
