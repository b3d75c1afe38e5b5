"""The store's schema, step by step. A step that was ever released is never changed; new steps go behind it."""

from __future__ import annotations

from sqlite_utils import Database

from gateway_server.errors import OperatorError
from gateway_server.store.connection import Connection
from gateway_server.store.migrations.modems import migrations

__all__ = ["applied", "migrate", "migrations", "pending"]


def _database(connection: Connection) -> Database:
    return Database(connection.raw, recursive_triggers=False, execute_plugins=False)


def pending(connection: Connection) -> list[str]:
    """Names of the steps this store has not taken. Raises `OperatorError` if it has taken steps we do not know."""
    database = _database(connection)
    with connection.own_errors():
        missing = [step.name for step in migrations.pending(database)]
        taken = {step.name for step in migrations.applied(database)}
    if unknown := sorted(taken - _ours()):
        raise OperatorError(f"the store was written by a newer program (schema step '{unknown[-1]}'); update this one")
    return missing


def applied(connection: Connection) -> list[str]:
    """Names of the steps this store has taken, in their order."""
    with connection.own_errors():
        return [step.name for step in migrations.applied(_database(connection))]


def _ours() -> set[str]:
    with Database(memory=True) as empty:
        return {step.name for step in migrations.pending(empty)}


def migrate(connection: Connection) -> list[str]:
    """Takes the missing steps, each in one transaction of its own; gives their names."""
    database = _database(connection)
    taken = []
    while missing := pending(connection):
        with connection.transaction(f"migration {missing[0]}"):
            # another process may have taken the step while we waited for the lock
            if pending(connection)[:1] == missing[:1]:
                migrations.apply(database, stop_before=missing[1:])
                taken.append(missing[0])
    return taken
