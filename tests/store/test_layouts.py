from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import Column
from gateway_server.store.layouts import REMEMBERED
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOURLY, VOLUME, hour, known_session, opened


def test_a_layout_is_kept_once(store: SqlStore) -> None:
    number = store.layout(HOURLY)
    assert store.layout(tuple(Column(**{f: getattr(c, f) for f in Column.__slots__}) for c in HOURLY)) == number
    assert store.layout((VOLUME,)) != number
    assert store.columns_of(number) == HOURLY
    assert store.connection.one("SELECT COUNT(*) FROM layout") == (2,)


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
