from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.errors import StoreError, StoreFull
from gateway_server.model import Identify, Saved
from gateway_server.store.records import MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from tests.store.samples import NOON, OPENING, hour, known_session, opened


def test_it_has_every_verb_the_program_asks_of_a_store(store: SqlStore) -> None:
    asked: Store = store
    assert asked.meters() == []


def test_what_another_process_changes_is_seen_at_once(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as gateway, opened(tmp_path / "gateway.db") as command_line:
        key = known_session(gateway, "1")
        gateway.save(key, "1", [hour(5)])
        # the command line claims the meter under another number and removes nothing the gateway remembers
        command_line.claim("1", MeterRecord("2"))
        assert gateway.save(key, "1", [hour(5)]) == Saved(new=1)
        assert sorted(meter.serial for meter in gateway.meters()) == ["1", "2"]
        gateway.identify(gateway.open_session(OPENING), Identify("2"), NOON)
        assert gateway.save(key, "2", [hour(5)]) == Saved(same=1)


def test_what_a_failed_transaction_remembered_is_not_believed(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    with pytest.raises(StoreError), store.connection.transaction("fails"):
        store.connection.execute(f"INSERT INTO no_table VALUES ('{store.save(key, '1', [hour(9)])}')")
    assert store.save(key, "1", [hour(1)]) == Saved(new=1)
    assert [reading.order_number for reading in store.last_readings()] == [1, 1]


def test_a_probe_finds_out_whether_there_is_room(store: SqlStore) -> None:
    store.probe()
    (pages,) = store.connection.one("PRAGMA page_count")
    store.connection.one(f"PRAGMA max_page_count = {pages}")
    store.connection.execute("DELETE FROM fact")
    for number in range(1000):  # facts of other names take what room their table still has
        try:
            store.connection.execute("INSERT INTO fact VALUES (?, ?)", (f"{number}", bytes(100)))
        except StoreFull:
            break
    with pytest.raises(StoreFull):
        store.probe()
