from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.model import Quality, Saved
from gateway_server.store.check import check_store
from gateway_server.store.inbox import ALL_ROWS
from gateway_server.store.open import open_store
from gateway_server.store.records import EventToSave, Filter, RowToSave, SessionKey
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, brief, contents, entry, hour, known_session

METER = "41203377"


def again(
    store: SqlStore,
    key: SessionKey,
    rows: list[RowToSave],
    events: list[EventToSave] | None = None,
    *,
    version: str = "2",
    dry_run: bool = False,
) -> Saved:
    return store.save_reprocessed(key.id, METER, "lis200", version, rows, events or [], dry_run=dry_run)


def everything(store: SqlStore) -> list[tuple[object, ...]]:
    """Also what is no longer valid: place, variant, values, codec version by its number."""
    return store.connection.all(
        f"SELECT order_number, measured_at_ms, variant, vals, codec_version_id FROM {ALL_ROWS} ORDER BY 1, 2, 3"
    )


def test_a_session_that_says_the_same_changes_nothing(store: SqlStore) -> None:
    key = known_session(store)
    rows, events = [hour(1), hour(2)], [entry(1)]
    store.save(key, METER, rows, events)
    before = list(store.rows()), list(store.events()), everything(store)
    assert again(store, key, rows, events) == Saved(same=3)
    assert (list(store.rows()), list(store.events()), everything(store)) == before


def test_a_value_decoded_otherwise_takes_the_place_of_the_old_one_which_stays(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2, "55.5")])
    assert again(store, key, [hour(1), hour(2, "555")]) == Saved(new=1, same=1)
    assert [brief(row) for row in store.rows()] == contents(store)
    one, two = store.rows()
    assert (one.row, one.codec_version) == (hour(1), "1")
    assert (two.row.values, two.codec_version, two.variant, two.session) == (("555", "7.5"), "2", 0, key.id)
    old = (2, NOON + 2 * HOUR, -1, "55.5\t7.5", 0)
    assert old in everything(store)
    assert again(store, key, [hour(1), hour(2, "555")]) == Saved(same=2)
    assert len(everything(store)) == 3


def test_a_doubt_the_new_codec_has_is_a_change_too(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1)])
    doubted = hour(1, quality=Quality.EXTRA_ROW)
    assert again(store, key, [doubted]) == Saved(new=1)
    assert [row.row for row in store.rows()] == [doubted]


def test_a_row_whose_time_was_decoded_wrongly_moves(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2)])
    moved = [hour(number, measured_at_ms=NOON + (number - 1) * HOUR) for number in (1, 2)]
    assert again(store, key, moved) == Saved(new=2)
    assert [row.row for row in store.rows()] == moved
    assert again(store, key, moved) == Saved(same=2)
    (volume, _) = store.last_readings()
    assert (volume.order_number, volume.measured_at_ms) == (2, NOON + HOUR)


def test_rows_of_one_block_share_its_bytes_and_only_the_changed_ones_go(store: SqlStore) -> None:
    key = known_session(store)
    block = [hour(number, span_start=0, span_end=500) for number in range(4)]
    store.save(key, METER, block)
    block[3] = block[3]._replace(order_number=33)
    assert again(store, key, block) == Saved(new=1, same=3)
    assert [row.row for row in store.rows()] == block


def test_what_the_codec_does_not_give_any_more_is_not_taken_away(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2)])
    assert again(store, key, [hour(1)]) == Saved(same=1)
    assert len(contents(store)) == 2


def test_the_newest_row_is_the_one_that_is_valid_now(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2, "99")])
    again(store, key, [hour(1), hour(2, "1099")])
    assert [reading.value for reading in store.last_readings()] == ["1099", "7.5"]
    assert [reading.quality for reading in store.last_readings()] == ["", ""]
    assert check_store(store).sound


def test_a_new_row_can_become_the_newest(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1)])
    assert again(store, key, [hour(1), hour(2)]) == Saved(new=1, same=1)
    assert next(store.last_readings()).order_number == 2


def test_a_row_read_in_two_sessions_does_not_swing_between_them(store: SqlStore) -> None:
    first, second = known_session(store), known_session(store)
    store.save(first, METER, [hour(1, "10")])
    store.save(second, METER, [hour(1, "10")])
    now = [hour(1, "100")]
    assert again(store, second, now) == Saved(new=1)
    assert again(store, first, now) == Saved(same=1)
    assert again(store, second, now) == Saved(same=1)
    assert [row[3] for row in contents(store)] == [("100", "7.5")]


def test_two_sessions_that_still_contradict_each_other_stay_beside_each_other(store: SqlStore) -> None:
    first, second = known_session(store), known_session(store)
    store.save(first, METER, [hour(1, "10")])
    store.save(second, METER, [hour(1, "20")])
    assert again(store, first, [hour(1, "100")]) == Saved(new=1)
    assert again(store, second, [hour(1, "200")]) == Saved(new=1)
    assert [(row[2], row[3][0], row[4]) for row in contents(store) if isinstance(row[3], tuple)] == [
        (0, "100", ""),
        (1, "200", Quality.CONFLICT),
    ]
    assert again(store, first, [hour(1, "100")]) == again(store, second, [hour(1, "200")]) == Saved(same=1)


def test_a_dry_run_tells_the_same_and_changes_nothing(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [hour(1), hour(2)], [entry(1)])
    before = list(store.rows()), list(store.last_readings()), everything(store)
    changed = [hour(1), hour(2, "7"), hour(3)]
    assert again(store, key, changed, [entry(1), entry(2)], dry_run=True) == Saved(new=3, same=2)
    assert (list(store.rows()), list(store.last_readings()), everything(store)) == before
    assert again(store, key, changed, [entry(1), entry(2)]) == Saved(new=3, same=2)


def test_an_event_understood_otherwise_replaces_what_was_understood_before(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, METER, [], [entry(1, text="unknown"), entry(2)])
    now = [entry(1, text="Battery low"), entry(2)._replace(measured_at_ms=NOON + 99)]
    assert again(store, key, [], now) == Saved(new=2)
    assert [(event.text, event.measured_at_ms) for event in store.events()] == [
        ("Battery low", NOON + 1),
        ("Alarm: temperature", NOON + 99),
    ]
    assert again(store, key, [], now) == Saved(same=2)
    assert store.connection.one("SELECT COUNT(*) FROM event WHERE variant < 0") == (2,)


def test_another_sessions_event_stays(store: SqlStore) -> None:
    first, second = known_session(store), known_session(store)
    store.save(first, METER, [], [entry(1, text="one")])
    assert again(store, second, [], [entry(1, text="two")]) == Saved(same=1)
    assert [event.text for event in store.events(Filter(sessions=(first.id,)))] == ["one"]


rows_of_a_session = st.lists(
    st.builds(
        lambda span, number, volume, quality: hour(number, volume, quality=quality)._replace(
            span_start=span * 10, span_end=span * 10 + 10
        ),
        st.integers(0, 5),
        st.integers(0, 4),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["", "extra_row"]),
    ),
    max_size=5,
    unique_by=(lambda row: row.order_number, lambda row: row.span_start),
)


@settings(deadline=None, max_examples=80)
@given(rows_of_a_session, rows_of_a_session)
def test_after_reading_again_exactly_what_the_codec_says_today_is_valid(
    then: list[RowToSave], now: list[RowToSave]
) -> None:
    store = open_store(":memory:")
    key = known_session(store)
    store.save(key, METER, then)
    again(store, key, now)
    valid = {row.row.order_number: (row.row.values, row.row.quality.split()[:1]) for row in store.rows()}
    for row in now:
        values, quality = valid.pop(row.order_number)
        assert values == row.values
        assert not row.quality or quality == [row.quality]
    read_now = {(row.order_number, row.span_start) for row in now}
    spans_now = {row.span_start for row in now}
    for order_number in valid:  # what today's codec is silent about stays
        (old,) = (row for row in then if row.order_number == order_number)
        assert (order_number, old.span_start) not in read_now
        assert old.span_start not in spans_now or old.order_number in {row.order_number for row in then}
    before = everything(store)
    assert again(store, key, now) == Saved(same=len(now))
    assert everything(store) == before
    assert check_store(store).sound
    store.close()
