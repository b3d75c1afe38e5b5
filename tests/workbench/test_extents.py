"""From when to when the rows of sessions are."""

from __future__ import annotations

from gateway_server.model import Column
from gateway_server.store.open import open_store
from gateway_server.store.records import RowToSave, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.extents import Extents

AT = 1_709_280_000_000
HOUR = 3_600_000
VOLUME = (Column("base volume total", "m3"),)


def session_with(store: SqlStore, serial: str, *hours: int) -> int:
    key = store.open_session(SessionOpening("tcp", "192.0.2.7:1", AT, serial, "lis200", "1"))
    times = [AT + hour * HOUR for hour in hours]
    store.save(key, serial, [RowToSave(VOLUME, ("1",), "interval", at, at) for at in times], [])
    return key.id


def test_several_sessions_reach_from_the_first_row_of_any_to_the_last() -> None:
    store = open_store(":memory:")
    first = session_with(store, "41", 3, 1)
    second = session_with(store, "41", 7)
    session_with(store, "42", 99)
    empty = session_with(store, "41")
    extents = Extents(store)
    assert extents.of("41", [first]) == (AT + HOUR, AT + 3 * HOUR)
    assert extents.of("41", [first, second, empty]) == (AT + HOUR, AT + 7 * HOUR)
    assert extents.of("41", [empty]) is None
    assert extents.of("43", [first]) is None
    store.close()


def test_what_is_saved_after_the_store_was_asked_counts_once_it_is_told() -> None:
    store = open_store(":memory:")
    first = session_with(store, "41", 1)
    extents = Extents(store)
    assert extents.of("41", [first]) == (AT + HOUR, AT + HOUR)
    later = session_with(store, "41", 5)
    extents.widen("41", [first, later], AT + 5 * HOUR, AT + 6 * HOUR)
    assert extents.of("41", [first]) == (AT + HOUR, AT + 6 * HOUR)
    assert extents.of("41", [later]) == (AT + 5 * HOUR, AT + 6 * HOUR)
    store.close()
