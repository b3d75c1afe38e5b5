from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from gateway_server.model import Quality, Saved
from gateway_server.store.check import check_store
from gateway_server.store.inbox import FOLD_AT
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, OPENING, brief, contents, entry, hour, known_session, opened

METER = "41203377"
OTHER = "41203378"


def held(store: SqlStore) -> tuple[int, int]:
    """How many rows are in the archive and how many in the inbox."""
    archive, inbox = (
        store.connection.one(f"SELECT COUNT(*) FROM {table}")[0] for table in ("archive_row", "inbox_row")
    )
    return archive, inbox


def seen(store: SqlStore) -> list[object]:
    """Everything that readers are told."""
    latest = Filter(newest_first=True, limit=3)
    return [
        list(store.rows()),
        list(store.rows(latest)),
        list(store.rows(Filter(serials=(OTHER,), since_ms=NOON + 2 * HOUR))),
        list(store.readings()),
        list(store.last_readings()),
        [store.known_meter(serial).last for serial in (METER, OTHER)],
        [(session.id, session.readings) for session in store.sessions()],
        check_store(store),
    ]


def fleet(store: SqlStore) -> None:
    """Rows of two meters in turn, of two archives, one session each."""
    one, other = known_session(store, METER), known_session(store, OTHER)
    for number in range(5):
        store.save_all(
            [
                (one, METER, [hour(number), hour(number, archive="daily")], [entry(number)]),
                (other, OTHER, [hour(number, columns=(), values=())], []),
            ]
        )


def test_readers_are_told_the_same_before_and_after_rows_are_folded(store: SqlStore) -> None:
    fleet(store)
    assert held(store) == (0, 15)
    before = seen(store)
    store.fold()
    assert held(store) == (15, 0)
    assert seen(store) == before
    assert check_store(store).sound


def test_readers_are_told_of_the_archive_and_of_what_came_since(store: SqlStore) -> None:
    fleet(store)
    store.fold()
    key = known_session(store, METER)
    store.save(key, METER, [hour(7, "900.5")])
    assert held(store) == (15, 1)
    before = seen(store)
    (latest, *_) = store.rows(Filter(serials=(METER,), newest_first=True, limit=1))
    assert brief(latest) == (NOON + 7 * HOUR, 7, 0, ("900.5", "7.5"), Quality.COUNTER_BACK)
    store.fold()
    assert seen(store) == before


def test_another_process_sees_a_row_as_soon_as_it_is_committed(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store, opened(tmp_path / "gateway.db") as reader:
        fleet(store)
        assert held(store)[1] == 15
        assert seen(reader) == seen(store)


def test_a_row_that_comes_again_while_the_first_is_in_the_inbox_is_stored_once(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1)])
    assert held(store) == (0, 1)
    assert store.save(key, METER, [hour(1)]) == Saved(same=1)
    assert store.save(key, METER, [hour(1, "7.25")]) == Saved(conflicts=1)
    assert contents(store) == [
        (NOON + HOUR, 1, 0, ("1001.25", "7.5"), ""),
        (NOON + HOUR, 1, 1, ("7.25", "7.5"), Quality.CONFLICT),
    ]


def test_what_another_process_put_in_the_inbox_is_known(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store, opened(tmp_path / "gateway.db") as other:
        key = known_session(store)
        store.save(key, METER, [hour(1)])
        other.save(key, METER, [hour(2, "2000.5"), hour(3, "3000.5", archive="daily")])
        assert held(store) == (0, 3)
        assert store.save(key, METER, [hour(2, "2000.5")]) == Saved(same=1)
        assert store.save(key, METER, [hour(3, "1999.5")]) == Saved(new=1)
        assert [row[-1] for row in contents(store) if row[1] == 3] == ["", Quality.COUNTER_BACK]


def test_rows_of_an_archive_that_come_by_the_dozen_go_there_at_once(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(0)])
    assert store.save(key, METER, [hour(number) for number in range(1, 25)]) == Saved(new=24)
    assert held(store) == (25, 0)
    session = store.session(key.id)
    assert session is not None
    assert session.readings == 50
    assert check_store(store).sound


def test_an_inbox_that_nobody_folds_stays_bounded(store: SqlStore) -> None:
    key = known_session(store)
    for start in range(0, 6 * FOLD_AT, 8):
        store.save(key, METER, [hour(number) for number in range(start, start + 8)])
    assert held(store)[1] <= 4 * FOLD_AT + 8
    assert sum(held(store)) == 6 * FOLD_AT


def test_a_store_that_is_closed_has_an_empty_inbox(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        fleet(store)
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as file:
        assert file.execute("SELECT COUNT(*) FROM inbox_row").fetchone() == (0,)
        assert file.execute("SELECT COUNT(*) FROM archive_row").fetchone() == (15,)


def test_a_fold_that_fails_leaves_everything_where_it_is(store: SqlStore) -> None:
    fleet(store)
    before = seen(store)
    with suppress(KeyError), store.connection.transaction("no room"):
        store.fold()
        raise KeyError
    assert held(store) == (0, 15)
    assert seen(store) == before
    store.fold()
    assert seen(store) == before


def test_rows_in_the_inbox_go_with_their_meter(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    store.caller_contact(key, "5", NOON)
    store.save(key, "caller:5", [hour(1), hour(2)])
    store.put_meter(MeterRecord("777"))
    store.claim("caller:5", MeterRecord("777"))
    assert [row.meter for row in store.rows()] == ["777", "777"]
    assert store.save(key, "777", [hour(2), hour(3)]) == Saved(new=1, same=1)
    assert check_store(store).sound


def test_what_is_missing_is_looked_for_in_the_inbox_too(store: SqlStore) -> None:
    def looked_for() -> list[object]:
        return [
            store.archives_of(METER),
            store.row_bounds(METER, "interval"),
            store.row_times(METER, "interval", NOON, NOON + 9 * HOUR),
            store.rows_between(METER, "interval", NOON, NOON + 9 * HOUR),
            store.rows_at(METER, "interval", NOON + HOUR),
            store.brought(1, METER, "interval", NOON, NOON + 9 * HOUR),
        ]

    fleet(store)
    before = looked_for()
    assert before[:2] == [["daily", "interval"], (NOON, NOON + 4 * HOUR)]
    store.fold()
    assert looked_for() == before
