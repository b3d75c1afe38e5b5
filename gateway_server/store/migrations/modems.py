"""How each modem is: for whoever wants to know while the gateway that has it runs, and for how it was when it ended."""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.rest import migrations

__all__ = ["migrations"]

STATEMENTS = (
    """CREATE TABLE modem (
        name TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        state TEXT NOT NULL,
        why TEXT NOT NULL DEFAULT '',
        operator TEXT NOT NULL DEFAULT '',
        signal BIGINT,
        since_ms BIGINT NOT NULL,
        next_ms BIGINT
    )""",
)


@migrations()
def modems(database: Database) -> None:
    """The state of each modem, and whose word that is."""
    for statement in STATEMENTS:
        database.execute(statement)
