from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.errors import StoreError
from gateway_server.model import Column, Quality, Saved
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, RowToSave
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, HOURLY, NOON, OPENING, TEMPERATURE, VOLUME, contents, entry, hour, known_session

METER = "41203377"


def test_a_row_that_comes_twice_is_stored_once(store: SqlStore) -> None:
    key = known_session(store)
    assert store.save(key, METER, [hour(1)]) == Saved(new=1)
    again = known_session(store)
    assert store.save(again, METER, [hour(1), hour(2)]) == Saved(new=1, same=1)
    assert [row.row for row in store.rows()] == [hour(1), hour(2)]
    assert [row.session for row in store.rows()] == [key.id, again.id]


def test_a_row_that_comes_twice_in_one_block_is_stored_once(store: SqlStore) -> None:
    assert store.save(known_session(store), METER, [hour(1), hour(1), hour(2), hour(1)]) == Saved(new=2, same=2)
    assert len(contents(store)) == 2


def test_a_row_with_other_values_is_kept_beside_the_first_and_flagged(store: SqlStore) -> None:
    store.save(known_session(store), METER, [hour(1, "500.0")])
    later = known_session(store)
    assert store.save(later, METER, [hour(1, "600.0"), hour(1, "500.0"), hour(1, "600.0")]) == Saved(
        same=2, conflicts=1
    )
    at, order = NOON + HOUR, 1
    assert contents(store) == [
        (at, order, 0, ("500.0", "7.5"), ""),
        (at, order, 1, ("600.0", "7.5"), Quality.CONFLICT),
    ]


def test_the_same_values_under_another_status_are_another_row(store: SqlStore) -> None:
    key = known_session(store)
    assert store.save(key, METER, [hour(1), hour(1, status="St.2=7")]).conflicts == 1


def test_a_row_read_again_later_is_the_same_whatever_the_clock_of_arrival_said(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1, quality=Quality.CLOCK_OFF)])
    assert store.save(key, METER, [hour(1, received_at_ms=NOON + 90 * HOUR)]) == Saved(same=1)


def test_a_layout_that_only_names_its_columns_otherwise_means_the_same(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1)])
    renamed = (Column("base_volume", "m3", name="Vb.total", cumulative=True), TEMPERATURE)
    other_unit = (Column("base_volume", "ft3", cumulative=True), TEMPERATURE)
    assert store.save(key, METER, [hour(1, columns=renamed)]) == Saved(same=1)
    assert store.save(key, METER, [hour(1, columns=other_unit)]) == Saved(conflicts=1)


def test_one_commit_tells_each_session_what_became_of_its_own_rows(store: SqlStore) -> None:
    one, two = known_session(store, "1001"), known_session(store, "1002")
    store.save(one, "1001", [hour(1)])
    assert store.save_all(
        [
            (one, "1001", [hour(1), hour(2)], []),
            (two, "1002", [hour(1)], [entry(1)]),
            (one, "1001", [hour(2, "9.9"), hour(3)], []),
        ]
    ) == [Saved(new=1, same=1), Saved(new=2), Saved(new=1, conflicts=1)]


def test_hundreds_of_rows_at_once_are_all_there(store: SqlStore) -> None:
    key = known_session(store)
    rows = [hour(number) for number in range(1000)]
    assert store.save(key, METER, rows) == Saved(new=1000)
    assert store.save(key, METER, [*rows, hour(1000)]) == Saved(new=1, same=1000)
    assert [row.row for row in store.rows()] == [*rows, hour(1000)]


def test_a_counter_that_goes_back_is_flagged(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1, "1000.5")])
    store.save(key, METER, [hour(2, "999.75"), hour(3, "1001", temperature="-3.0")])
    assert [row[-1] for row in contents(store)] == ["", Quality.COUNTER_BACK, ""]


def test_counters_are_compared_as_numbers_not_as_text(store: SqlStore) -> None:
    store.save(known_session(store), METER, [hour(1, "9.50"), hour(2, "10.50"), hour(3, "10.5"), hour(4, "-")])
    assert [row[-1] for row in contents(store)] == ["", "", "", ""]


def test_an_order_number_that_comes_again_with_another_time_is_flagged(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(7)])
    assert store.save(key, METER, [hour(7, measured_at_ms=NOON + 8 * HOUR)]) == Saved(conflicts=1)
    assert [row[-1] for row in contents(store)] == ["", Quality.CONFLICT]
    assert store.save(key, METER, [hour(7, measured_at_ms=NOON + 8 * HOUR)]) == Saved(same=1)


def test_a_meter_nobody_registered_loses_no_reading(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    assert store.save(key, "777", [hour(1)]) == Saved(new=1)
    meter = store.meter("777")
    assert meter is not None
    assert meter.state.value == "unclaimed"


def test_a_value_that_holds_the_separator_does_not_shift_the_others(store: SqlStore) -> None:
    store.save(known_session(store), METER, [hour(1, "1\t2", "8")])
    assert [row.row.values for row in store.rows()] == [("1 2", "8")]


def test_a_row_whose_values_are_not_as_many_as_its_columns_is_refused(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="2 columns came with 1 values"):
        store.save(known_session(store), METER, [hour(1), hour(2, values=("1",))])
    assert contents(store) == []


def test_a_row_without_columns_is_a_row(store: SqlStore) -> None:
    row = hour(1, columns=(), values=(), event="0x8103")
    store.save(known_session(store), METER, [row])
    assert [stored.row for stored in store.rows()] == [row]


def test_an_entry_of_the_event_log_is_stored_once(store: SqlStore) -> None:
    key = known_session(store)
    assert store.save(key, METER, [], [entry(1), entry(2), entry(1)]) == Saved(new=2, same=1)
    assert store.save(key, METER, [hour(1)], [entry(2), entry(3)]) == Saved(new=2, same=1)
    assert [event.order_number for event in store.events()] == [1, 2, 3]


def test_a_session_counts_the_values_its_meter_reported(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2)])
    store.save(key, METER, [hour(2)])
    session = store.session(key.id)
    assert session is not None
    assert session.readings == 6


# the newest row of an archive


def newest(store: SqlStore) -> tuple[int, int | None]:
    (first, *_) = store.last_readings(Filter(serials=(METER,)))
    return first.measured_at_ms, first.order_number


def test_the_highest_order_number_is_the_newest_row_in_whatever_order_rows_come(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(3), hour(1), hour(2)])
    assert newest(store) == (NOON + 3 * HOUR, 3)
    store.save(key, METER, [hour(2, "5", received_at_ms=NOON + 99 * HOUR)])
    assert newest(store) == (NOON + 3 * HOUR, 3)


def test_a_clock_set_back_does_not_hide_the_row_with_the_higher_order_number(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(10), hour(11, measured_at_ms=NOON + 9 * HOUR)])
    assert newest(store) == (NOON + 9 * HOUR, 11)


def test_an_archive_that_was_cleared_and_counts_anew_goes_on_with_its_new_rows(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(900)])
    store.save(key, METER, [hour(1, measured_at_ms=NOON + 901 * HOUR)])
    assert newest(store) == (NOON + 901 * HOUR, 1)


def test_a_wrong_clock_does_not_become_the_newest_time_for_ever(store: SqlStore) -> None:
    key = known_session(store)
    timed = [hour(number, order_number=None) for number in range(3)]
    store.save(key, METER, [timed[0], timed[1]._replace(measured_at_ms=NOON * 2, quality=Quality.CLOCK_OFF)])
    assert newest(store) == (NOON, None)
    store.save(key, METER, [timed[2]])
    assert newest(store) == (NOON + 2 * HOUR, None)


def test_a_wrong_clock_is_better_than_no_newest_row_but_gives_way_to_the_next_true_one(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1, order_number=None, measured_at_ms=NOON * 2, quality=Quality.CLOCK_OFF)])
    assert newest(store) == (NOON * 2, None)
    store.save(key, METER, [hour(1, order_number=None)])
    assert newest(store) == (NOON + HOUR, None)


# against a model in plain Python


@dataclass
class Model:
    """What the archive should hold: per key the variants in the order of their coming."""

    rows: dict[tuple[str, str, int, int | None], list[tuple[str, ...]]] = field(default_factory=dict)

    def save(self, serial: str, row: RowToSave) -> str:
        variants = self.rows.setdefault((serial, row.archive, row.measured_at_ms, row.order_number), [])
        if row.values in variants:
            return "same"
        variants.append(row.values)
        return "new" if len(variants) == 1 else "conflicts"


some_rows = st.builds(
    lambda number, volume, archive, extra: hour(
        number, volume, archive=archive, order_number=None if extra else number
    ),
    st.integers(0, 5),
    st.sampled_from(["1.5", "1.50", "2"]),
    st.sampled_from(["interval", "daily"]),
    st.booleans(),
)
some_batches = st.lists(
    st.lists(st.tuples(st.sampled_from(["1001", "1002"]), st.lists(some_rows, max_size=6)), max_size=4), max_size=5
)


@settings(deadline=None, max_examples=60)
@given(some_batches)
def test_whatever_comes_in_whatever_batches_the_archive_holds_each_row_once(
    batches: list[list[tuple[str, list[RowToSave]]]],
) -> None:
    store = open_store(":memory:")
    model = Model()
    keys = {serial: known_session(store, serial) for serial in ("1001", "1002")}
    for batch in batches:
        expected = []
        for serial, rows in batch:
            fates = [model.save(serial, row) for row in rows]
            expected.append(Saved(fates.count("new"), fates.count("same"), fates.count("conflicts")))
        assert store.save_all([(keys[serial], serial, rows, []) for serial, rows in batch]) == expected
    stored = {
        (row.meter, row.row.archive, row.row.measured_at_ms, row.row.order_number, row.variant): row.row.values
        for row in store.rows()
    }
    assert stored == {
        (*key, number): values for key, variants in model.rows.items() for number, values in enumerate(variants)
    }
    store.close()


def test_the_columns_of_a_row_come_back_as_they_were(store: SqlStore) -> None:
    store.save(known_session(store), METER, [hour(1)])
    (row,) = store.rows()
    assert row.row.columns == HOURLY == (VOLUME, TEMPERATURE)
    assert (row.codec, row.codec_version, row.variant) == ("lis200", "1", 0)
