"""Looking for rows that are not there."""

from __future__ import annotations

import pytest

from gateway_server.model import CURRENT
from gateway_server.store.gaps import Gap
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, hour, known_session

SERIAL = "41203377"
PHASE = NOON % HOUR


@pytest.fixture(autouse=True)
def rows(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, SERIAL, [hour(number) for number in range(20) if number not in (5, 6, 7, 15)])
    store.save(
        key,
        SERIAL,
        [
            hour(30, quality="extra_row"),
            hour(2, "9.9"),  # another value for the same row
            hour(3)._replace(measured_at_ms=NOON + 3 * HOUR + 60_000, order_number=903),
            hour(40)._replace(measured_at_ms=NOON - 10**12, quality="clock_off"),
        ],
    )


def test_gaps_are_between_rows_on_the_grid_with_their_numbers(store: SqlStore) -> None:
    gaps, first, last = store.row_gaps(SERIAL, "interval", 0, NOON + 99 * HOUR, HOUR, PHASE)
    assert gaps == [Gap(NOON + 4 * HOUR, NOON + 8 * HOUR, 4, 8), Gap(NOON + 14 * HOUR, NOON + 16 * HOUR, 14, 16)]
    assert (first, last) == (NOON, NOON + 19 * HOUR)


def test_archive_without_rows_within_the_bounds_has_no_ends(store: SqlStore) -> None:
    assert store.row_gaps(SERIAL, "interval", NOON + 50 * HOUR, NOON + 99 * HOUR, HOUR, PHASE) == ([], None, None)
    assert store.row_gaps(SERIAL, "daily", 0, NOON, HOUR, 0) == ([], None, None)
    assert store.row_bounds(SERIAL, "daily") is None
    assert store.row_bounds("nobody", "interval") is None


def test_one_row_alone_is_both_ends(store: SqlStore) -> None:
    assert store.row_gaps(SERIAL, "interval", NOON, NOON, HOUR, PHASE) == ([], NOON, NOON)


def test_bounds_leave_out_rows_whose_time_cannot_be_true(store: SqlStore) -> None:
    assert store.row_bounds(SERIAL, "interval") == (NOON, NOON + 19 * HOUR)


def test_times_are_the_latest_first_each_once(store: SqlStore) -> None:
    times = store.row_times(SERIAL, "interval", NOON, NOON + 19 * HOUR, 5)
    assert times == [NOON + number * HOUR for number in (19, 18, 17, 16, 14)]
    assert len(store.row_times(SERIAL, "interval", NOON, NOON + 19 * HOUR)) == 17


def test_rows_between_and_at_a_time_are_counted(store: SqlStore) -> None:
    assert store.rows_between(SERIAL, "interval", NOON + 3 * HOUR, NOON + 4 * HOUR) == 1
    assert store.rows_between(SERIAL, "interval", NOON + 4 * HOUR, NOON + 8 * HOUR) == 0
    assert store.rows_at(SERIAL, "interval", NOON + 2 * HOUR) == 1
    store.save(known_session(store), SERIAL, [hour(2)._replace(order_number=77)])
    assert store.rows_at(SERIAL, "interval", NOON + 2 * HOUR) == 2


def test_archives_and_what_a_session_brought(store: SqlStore) -> None:
    assert store.archives_of(SERIAL) == ["interval"]
    key = known_session(store)
    store.save(key, SERIAL, [hour(5), hour(6)])
    assert store.brought(key.id, SERIAL, "interval", NOON, NOON + 5 * HOUR) == [NOON + 5 * HOUR]


def test_archives_of_all_meters_have_the_names_their_readers_know(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, SERIAL, [hour(50)._replace(archive="daily"), hour(51)._replace(archive=CURRENT, order_number=None)])
    assert store.archives_known() == {"interval", "daily", CURRENT}
