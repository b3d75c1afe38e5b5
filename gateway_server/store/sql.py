"""The store in an SQL database: every verb of `Store`, each query once."""

from __future__ import annotations

from contextlib import suppress

from gateway_server.errors import StoreError
from gateway_server.store.accounts import AccountQueries
from gateway_server.store.calls import CallQueries
from gateway_server.store.connection import Connection
from gateway_server.store.file_readings import FileReadingQueries
from gateway_server.store.gaps import GapQueries
from gateway_server.store.jobs import JobQueries
from gateway_server.store.modems import ModemQueries
from gateway_server.store.owner import this_process
from gateway_server.store.plan import PlanQueries
from gateway_server.store.renaming import RenamingQueries
from gateway_server.store.secrets import Vault


class SqlStore(
    FileReadingQueries,
    RenamingQueries,
    AccountQueries,
    JobQueries,
    CallQueries,
    ModemQueries,
    PlanQueries,
    GapQueries,
):
    """Synchronous; belongs to the thread that opened it (`open_store`)."""

    def __init__(self, connection: Connection, vault: Vault, owner: str = "") -> None:
        super().__init__(connection, vault, owner or this_process())

    def probe(self) -> None:
        """Writes something small, to learn whether there is room. Raises `StoreFull`."""
        with self.connection.transaction("probe"):
            self.connection.execute(
                "INSERT INTO fact (name, value) VALUES ('probe', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (bytes(512),),
            )

    def reserve(self) -> None:
        """Makes room on disk for what will be written; for the process that writes all day. Raises `StoreError`."""
        with self.connection.own_errors():
            self.connection.dialect.reserve(self.connection.raw)

    def close(self) -> None:
        """Ends the connection; what it put in the inbox is folded into the archive, if there is room."""
        if self.waiting:
            with suppress(StoreError):
                self.fold()
        self.connection.close()
