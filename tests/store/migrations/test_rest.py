"""The schema step of stops that end by themselves."""

from __future__ import annotations

from pathlib import Path

from gateway_server.model import CallResult
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord
from tests.store.samples import NOON

YEARS_MS = 10 * 365 * 86_400_000


def test_stops_of_an_earlier_release_hold_until_somebody_acts(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    store = open_store(f"sqlite:///{path}")
    store.put_meter(MeterRecord("7", routes=("csd:+79160000001",)))
    store.stop_plan("7", CallResult.WRONG_NUMBER, "no such number", NOON)
    with store.connection.transaction("back to the release before"):
        store.connection.execute("ALTER TABLE plan_stop DROP COLUMN until_ms")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'rest'")
    store.close()
    connection = Connection(SQLiteDialect(str(path)))
    assert migrate(connection) == ["rest"]
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert store.plan_stops(NOON + YEARS_MS)["7"].until_ms is None
    store.close()
