"""The store's one connection: named transactions, and database errors as ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gateway_server.errors import StoreBroken, StoreBusy, StoreError, StoreFull
from gateway_server.store.dialect import Dialect, Trouble

BUSY_ATTEMPTS = 6
FETCH = 256

Parameters = Sequence[Any]


class DryRunError(Exception):
    """Ends a `Connection.attempt` of a dry run without leaving a trace."""


class Connection:
    """Runs statements and transactions on the thread that made it.

    ``transaction`` is the only place where anything begins, commits or rolls back. Within a transaction a verb of the
    store joins it; outside it opens its own.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        try:
            self.raw = dialect.connect()
        except sqlite3.Error as error:
            raise self._ours(error, "open") from error
        self._transaction = ""
        self._forget: list[Callable[[], None]] = []
        self._version = -1

    def close(self) -> None:
        """Ends the connection; what was not committed is gone."""
        self.raw.close()

    def on_doubt(self, forget: Callable[[], None]) -> None:
        """Calls ``forget`` when what is remembered of the store may not be so: after a rollback, and in a transaction
        before which another process has written."""
        self._forget.append(forget)

    def execute(self, statement: str, parameters: Parameters = ()) -> Any:
        """Runs one statement and gives its cursor."""
        try:
            return self.raw.execute(statement, parameters)
        except sqlite3.Error as error:
            raise self._ours(error, self._transaction) from error

    def executemany(self, statement: str, parameters: Iterator[Parameters] | Sequence[Parameters]) -> None:
        """Runs one statement for each set of parameters."""
        with self.own_errors():
            self.raw.executemany(statement, parameters)

    def one(self, statement: str, parameters: Parameters = ()) -> Any:
        """The first row, or None."""
        return self.execute(statement, parameters).fetchone()

    def all(self, statement: str, parameters: Parameters = ()) -> list[Any]:
        """Every row."""
        with self.own_errors():
            return list(self.raw.execute(statement, parameters))

    def stream(self, statement: str, parameters: Parameters = ()) -> Iterator[Any]:
        """Every row, fetched as they are asked for: the result may be larger than the memory, or only its first row
        be wanted."""
        cursor = self.execute(statement, parameters)
        try:
            fetch = 1
            while rows := cursor.fetchmany(fetch):
                yield from rows
                fetch = min(4 * fetch, FETCH)
        except sqlite3.Error as error:
            raise self._ours(error, self._transaction) from error
        finally:
            with suppress(sqlite3.ProgrammingError):  # a listing that stopped early may outlive the connection
                cursor.close()

    @property
    def in_transaction(self) -> bool:
        """Whether a named transaction is open."""
        return bool(self._transaction)

    @contextmanager
    def transaction(self, name: str) -> Generator[None, None, None]:
        """All or nothing of what is done inside; part of the transaction around it, if there is one."""
        if self._transaction:
            yield
            return
        self._begin(name)
        try:
            with self.own_errors():
                yield
                self.raw.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._transaction = ""

    @contextmanager
    def attempt(self, name: str) -> Generator[None, None, None]:
        """A part of a transaction that may fail alone."""
        self.execute(f"SAVEPOINT {name}")
        try:
            with self.own_errors():
                yield
        except BaseException:
            if self.raw.in_transaction:  # SQLite ends the whole transaction by itself when the disk is full
                self.execute(f"ROLLBACK TO {name}")
                self.execute(f"RELEASE {name}")
                self._forget_all()
            raise
        self.execute(f"RELEASE {name}")

    @contextmanager
    def own_errors(self) -> Generator[None, None, None]:
        """Makes the database's errors ours, also those of a library that works on the same connection."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._ours(error, self._transaction) from error

    def _begin(self, name: str) -> None:
        for attempt in range(BUSY_ATTEMPTS):
            try:
                self.raw.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.Error as error:
                # each attempt has already waited the dialect's busy timeout inside the database
                if self.dialect.trouble(error) is not Trouble.BUSY or attempt == BUSY_ATTEMPTS - 1:
                    raise self._ours(error, name) from error
        self._transaction = name
        version = self.dialect.version(self.raw)
        if version != self._version:
            self._version = version
            self._forget_all()

    def _roll_back(self) -> None:
        try:
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._ours(error, self._transaction) from error
        finally:
            self._forget_all()

    def _forget_all(self) -> None:
        for forget in self._forget:
            forget()

    def _ours(self, error: sqlite3.Error, doing: str) -> StoreError:
        where = f" in '{doing}'" if doing else ""
        match self.dialect.trouble(error):
            case Trouble.FULL:
                return StoreFull(f"no room on the store's disk{where}: {error}")
            case Trouble.BROKEN:
                return StoreBroken(f"the store's files failed{where}: {error}; check the disk, then `store check`")
            case Trouble.BUSY:
                return StoreBusy(f"another process kept the store locked{where}: {error}; end it or try again")
            case Trouble.WRONG:
                return StoreError(f"the store refused{where}: {error}")
