"""The schema step of the modems' states."""

from __future__ import annotations

from pathlib import Path

from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate
from gateway_server.store.open import open_store
from tests.store.samples import NOON


def test_store_of_an_earlier_release_knows_no_modem_and_keeps_which_pin_was_tried(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    store.note_pin_tried("m1", f"{NOON}:5")
    with store.connection.transaction("back to the release before"):
        store.connection.execute("DROP TABLE modem")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'modems'")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert migrate(connection) == ["modems"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert store.modems() == []
    assert store.pin_tried("m1") == f"{NOON}:5"
    store.close()
