"""What all groups of queries share: the connection, the vault, and how serial numbers become row numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from gateway_server.store.connection import Connection
from gateway_server.store.secrets import Vault

MOST_ROWS_A_STATEMENT = 128
_SIZES = (*range(1, 17), 24, 32, 40, 48, 56, 64, 80, 96, 112, MOST_ROWS_A_STATEMENT)

T = TypeVar("T")


class Queries:
    """The store's connection and what is remembered of the store while nobody else writes to it."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self.connection = connection
        self._vault = vault
        self._owner = owner
        self._meter_ids: dict[str, int] = {}
        connection.on_doubt(self.forget)

    def forget(self) -> None:
        """Drops whatever is remembered: it may not be true any more."""
        self._meter_ids.clear()

    def meter_id(self, serial: str) -> int | None:
        """The row number of the meter with this serial number: compared exactly, then without leading zeros."""
        if self.connection.in_transaction and (known := self._meter_ids.get(serial)) is not None:
            return known
        row = self.connection.one("SELECT id FROM meter WHERE serial = ?", (serial,))
        if row is None and (core := serial_core(serial)):
            row = self.connection.one("SELECT id FROM meter WHERE serial_core = ? ORDER BY id LIMIT 1", (core,))
        if row is None:
            return None
        number = int(row[0])
        if self.connection.in_transaction:
            self._meter_ids[serial] = number
        return number


def serial_core(serial: str) -> str:
    """A serial number without what meters and name plates disagree about: leading zeros and space around it."""
    return serial.strip().lstrip("0")


def full_text(words: str) -> str:
    """What a person typed as a search for words that begin so, every one of them."""
    return " ".join('"' + word.replace('"', '""') + '"*' for word in words.split())


def marks(values: Sequence[Any]) -> str:
    """As many parameter marks as there are values: ``?, ?, ?``."""
    return ", ".join("?" * len(values))


class Where:
    """Collects the conditions of one query with their parameters."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.parameters: list[Any] = []

    def add(self, condition: str, *parameters: Any) -> None:
        """One more condition that must hold."""
        self._conditions.append(condition)
        self.parameters.extend(parameters)

    def among(self, column: str, values: Sequence[Any]) -> None:
        """The column holds one of the values; no values ask for nothing."""
        if values:
            self.add(f"{column} IN ({marks(values)})", *values)

    def between(self, column: str, since: int | None, until: int | None) -> None:
        """The column lies within the bounds, which belong to it; None is no bound."""
        if since is not None:
            self.add(f"{column} >= ?", since)
        if until is not None:
            self.add(f"{column} <= ?", until)

    def __str__(self) -> str:
        return " WHERE " + " AND ".join(self._conditions) if self._conditions else ""


def limited(limit: int | None) -> str:
    """The end of a query that gives so many rows at most."""
    return "" if limit is None else f" LIMIT {int(limit)}"


def portions(rows: Sequence[T], one: str) -> Iterator[tuple[Sequence[T], str]]:
    """The rows in portions of 128 and fewer, each with the VALUES of a statement that takes so many.

    A statement with many rows costs a fifth of as many statements, and behind each the store's thread has to wait for
    its turn; few sizes keep them all in the statement cache. At most two portions are smaller than 128.
    """
    start, left = 0, len(rows)
    while left:
        size = _SIZES[bisect_right(_SIZES, left) - 1]
        yield (rows[start : start + size], _repeated(one, size))
        start += size
        left -= size


@lru_cache(maxsize=256)
def _repeated(one: str, times: int) -> str:
    return ", ".join([one] * times)
