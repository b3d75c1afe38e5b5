"""How long a meter is not called: a number that the network bars is tried again after a time, others are not."""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.store.migrations.plan import migrations

__all__ = ["migrations"]

STATEMENTS = ("ALTER TABLE plan_stop ADD COLUMN until_ms BIGINT",)


@migrations()
def rest(database: Database) -> None:
    """When a stop of the plan is over by itself."""
    for statement in STATEMENTS:
        database.execute(statement)
