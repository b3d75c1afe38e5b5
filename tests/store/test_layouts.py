from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CURRENT, Column, Saved
from gateway_server.store.layouts import REMEMBERED
from gateway_server.store.records import Filter
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOURLY, TEMPERATURE, VOLUME, hour, known_session, opened


def test_a_layout_is_kept_once(store: SqlStore) -> None:
    number = store.layout(HOURLY)
    assert store.layout(tuple(Column(**{f: getattr(c, f) for f in Column.__slots__}) for c in HOURLY)) == number
    assert store.layout((VOLUME,)) != number
    assert store.columns_of(number) == HOURLY
    assert store.connection.one("SELECT COUNT(*) FROM layout") == (2,)


def test_quantities_known_are_those_of_all_layouts(store: SqlStore) -> None:
    assert store.quantities_known() == set()
    store.layout((VOLUME,))
    store.layout((TEMPERATURE,))
    assert store.quantities_known() == {VOLUME.quantity, TEMPERATURE.quantity}


def test_a_layout_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        number = store.layout(HOURLY)
    with opened(tmp_path / "gateway.db") as store:
        assert store.columns_of(number) == HOURLY
        assert store.layout(tuple(HOURLY)) == number


def test_a_layout_made_in_a_transaction_that_failed_is_made_again(store: SqlStore) -> None:
    with pytest.raises(StoreError), store.connection.transaction("fails"):
        store.connection.execute(f"INSERT INTO no_table VALUES ({store.layout(HOURLY)})")
    store.save(known_session(store), "1", [hour(1)])
    assert [row.row.columns for row in store.rows()] == [HOURLY]


def test_every_session_may_bring_a_layout_object_of_its_own(store: SqlStore) -> None:
    number = store.layout(HOURLY)
    assert {store.layout((*HOURLY[:1], *HOURLY[1:])) for _ in range(REMEMBERED + 10)} == {number}


def test_a_layout_that_is_missing_is_told(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="layout 99 is missing"):
        store.columns_of(99)


def test_live_values_read_one_by_one_in_the_same_millisecond_are_all_there_and_each_the_newest(store: SqlStore) -> None:
    key = known_session(store)
    volume, temperature = (
        hour(1)._replace(archive=CURRENT, order_number=None, columns=(column,), values=(value,))
        for column, value in ((VOLUME, "500.0"), (TEMPERATURE, "7.5"))
    )
    assert store.save(key, "41203377", [volume]) == Saved(new=1)
    assert store.save(key, "41203377", [temperature, volume]) == Saved(new=1, same=1)
    wanted = Filter(archives=(CURRENT,))
    for found in (store.readings(wanted), store.last_readings(wanted), store.readings()):
        assert [(one.archive, one.quantity, one.value, one.quality) for one in found] == [
            (CURRENT, VOLUME.quantity, "500.0", ""),
            (CURRENT, TEMPERATURE.quantity, "7.5", ""),
        ]
    assert set(store.known_meter("41203377").last) == {CURRENT}


def test_live_values_of_several_layouts_are_listed_by_time(store: SqlStore) -> None:
    key = known_session(store)
    for at, column in enumerate((VOLUME, TEMPERATURE, VOLUME), 1):
        row = hour(at)._replace(archive=CURRENT, order_number=None, columns=(column,), values=(str(at),))
        store.save(key, "41203377", [row])
    assert [one.value for one in store.readings()] == ["1", "2", "3"]
    assert [one.value for one in store.readings(Filter(newest_first=True))] == ["3", "2", "1"]
