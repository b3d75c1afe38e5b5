from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.model import Column
from gateway_server.store.open import open_store
from gateway_server.store.readings import merged
from gateway_server.store.records import Filter, StoredEvent, StoredReading, StoredRow
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, TEMPERATURE, entry, hour, known_session

ONE, TWO = "1001", "1002"


def fill(store: SqlStore) -> None:
    """Two meters with hours 1 to 3 and a day each, in two sessions."""
    for serial in (TWO, ONE):
        key = known_session(store, serial)
        store.save(key, serial, [hour(3), hour(1), hour(2), hour(9, archive="daily")])


def listed(store: SqlStore, wanted: Filter) -> list[tuple[str, str, int | None]]:
    return [(stored.meter, stored.row.archive, stored.row.order_number) for stored in store.rows(wanted)]


def test_a_row_comes_back_with_where_it_came_from(store: SqlStore) -> None:
    key = known_session(store, ONE)
    store.save(key, ONE, [hour(1, status="St.2=7", event="0x8104", quality="extra_row")])
    expected = hour(1, status="St.2=7", event="0x8104", quality="extra_row")
    assert list(store.rows()) == [StoredRow(ONE, expected, key.id, "lis200", "1")]


def test_rows_are_listed_by_meter_archive_and_time(store: SqlStore) -> None:
    fill(store)
    each = [("daily", 9), ("interval", 1), ("interval", 2), ("interval", 3)]
    assert listed(store, Filter()) == [(serial, *row) for serial in (ONE, TWO) for row in each]
    assert listed(store, Filter(limit=2)) == [(ONE, "daily", 9), (ONE, "interval", 1)]


def test_the_newest_rows_of_all_meters_come_first_when_asked_for(store: SqlStore) -> None:
    fill(store)
    newest = listed(store, Filter(newest_first=True, limit=3))
    assert newest == [(ONE, "daily", 9), (TWO, "daily", 9), (ONE, "interval", 3)]


def test_rows_are_found_by_meter_archive_time_and_session(store: SqlStore) -> None:
    fill(store)
    hours = Filter(archives=("interval",), since_ms=NOON + 2 * HOUR, until_ms=NOON + 3 * HOUR, serials=("01001",))
    assert listed(store, hours) == [(ONE, "interval", 2), (ONE, "interval", 3)]
    assert {meter for meter, _, _ in listed(store, Filter(sessions=(1,)))} == {TWO}
    assert listed(store, Filter(sessions=(1,), serials=(ONE,))) == []
    assert listed(store, Filter(serials=("77",))) == []


def test_a_row_is_one_reading_for_each_of_its_columns(store: SqlStore) -> None:
    key = known_session(store, ONE)
    store.save(key, ONE, [hour(1, "1000.25", "7.5", status="St.2=7")])
    at = NOON + HOUR
    rest = (at, at + 60_000, "interval", 1, "St.2=7", "", "", key.id, 100, 200, "lis200", "1")
    assert list(store.readings()) == [
        StoredReading(ONE, "base_volume", "7-0:13.2.0", "Vb", "1000.25", "m3", *rest),
        StoredReading(ONE, "gas_temperature", "7-0:41.0.0", "T", "7.5", "°C", *rest),
    ]


def test_readings_are_found_by_quantity_and_counted_as_values(store: SqlStore) -> None:
    fill(store)
    volumes = list(store.readings(Filter(serials=(ONE,), quantities=("base_volume",), limit=3)))
    assert [reading.value for reading in volumes] == ["1009.25", "1001.25", "1002.25"]
    assert len(list(store.readings(Filter(limit=5)))) == 5


def test_rows_without_the_wanted_quantity_do_not_use_up_the_limit(store: SqlStore) -> None:
    key = known_session(store, ONE)
    cold = [hour(number, columns=(TEMPERATURE,), values=("7.5",)) for number in range(1, 6)]
    store.save(key, ONE, [hour(0), *cold])
    for newest_first in (False, True):
        wanted = Filter(quantities=("base_volume",), limit=1, newest_first=newest_first)
        assert [reading.value for reading in store.readings(wanted)] == ["1000.25"]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["daily", "interval"]), st.integers(0, 30))),
    st.integers(0, 8),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_the_newest_of_many_archives_are_those_of_all_rows_sorted(
    came: list[tuple[str, str, int]], limit: int, since: int, until: int
) -> None:
    store = open_store(":memory:")
    for serial, archive, number in came:
        store.save(known_session(store, serial), serial, [hour(number, archive=archive)])
    bounds = Filter(since_ms=NOON + since * HOUR, until_ms=NOON + until * HOUR)
    everything = sorted((stored.row.measured_at_ms for stored in store.rows(bounds)), reverse=True)
    newest = store.rows(replace(bounds, newest_first=True, limit=limit))
    assert [stored.row.measured_at_ms for stored in newest] == everything[:limit]
    store.close()


def test_values_stay_what_the_meter_wrote(store: SqlStore) -> None:
    wire = ("0001000.2500", "-7.50", "1E+3")
    columns = tuple(Column(f"q{number}") for number in range(3))
    store.save(known_session(store, ONE), ONE, [hour(1, columns=columns, values=wire)])
    assert tuple(reading.value for reading in store.readings()) == wire


def test_the_newest_row_of_every_meter_and_archive(store: SqlStore) -> None:
    fill(store)
    last = list(store.last_readings(Filter(quantities=("base_volume",))))
    assert [(reading.meter, reading.archive, reading.order_number) for reading in last] == [
        (ONE, "daily", 9),
        (ONE, "interval", 3),
        (TWO, "daily", 9),
        (TWO, "interval", 3),
    ]


def test_the_newest_live_values_are_found_as_current(store: SqlStore) -> None:
    key = known_session(store, ONE)
    live = [hour(number, archive="current", order_number=None) for number in (1, 2)]
    store.save(key, ONE, [*live, hour(3)])
    volumes = list(store.last_readings(Filter(archives=("current",), quantities=("base_volume",))))
    assert [(reading.archive, reading.value) for reading in volumes] == [("current", "1002.25")]
    newest = store.last_readings(Filter(newest_first=True, limit=1))
    assert [reading.archive for reading in newest] == ["interval"]
    assert list(store.last_readings(Filter(serials=("77",)))) == []


def test_the_newest_rows_are_not_searched_for_in_the_archive(store: SqlStore) -> None:
    statements: list[str] = []
    fill(store)
    store.connection.raw.set_trace_callback(statements.append)
    list(store.last_readings())
    assert statements
    assert not any("archive_row" in statement for statement in statements)


def test_a_year_of_a_meter_is_a_walk_along_the_archive_without_sorting(store: SqlStore) -> None:
    statements: list[str] = []
    fill(store)
    store.connection.raw.set_trace_callback(statements.append)
    list(store.rows(Filter(serials=(ONE,), archives=("interval",), since_ms=NOON)))
    list(store.rows(Filter(newest_first=True, limit=5)))
    store.connection.raw.set_trace_callback(None)
    walks = [statement for statement in statements if "FROM archive_row" in statement]
    assert len(walks) == 6
    for walk in walks:
        plan = [step[3] for step in store.connection.all(f"EXPLAIN QUERY PLAN {walk}")]
        on_the_archive = [step for step in plan if " a " in step or "archive_row" in step]
        assert len(on_the_archive) == 1
        assert re.match(r"SEARCH (a|archive_row) USING PRIMARY KEY \(meter_id=\? AND archive=\?", on_the_archive[0])
        assert len(plan) == 1 or walk.count("SELECT") > 1


def test_entries_of_event_logs_are_listed_and_found_by_their_words(store: SqlStore) -> None:
    key = known_session(store, ONE)
    store.save(key, ONE, [], [entry(2), entry(1), entry(3, "0x8104", "Часы переведены")])
    store.save(known_session(store, TWO), TWO, [], [entry(2)._replace(order_number=None)])
    assert next(store.events()) == StoredEvent(
        ONE, "0x2504", "Alarm: temperature", NOON + 1, NOON + HOUR, 1, "", key.id, 10, 20, "lis200", "1"
    )
    found = {
        name: [(event.meter, event.order_number) for event in store.events(wanted)]
        for name, wanted in {
            "all": Filter(),
            "newest": Filter(newest_first=True, limit=2, serials=(ONE,)),
            "words": Filter(search="часы"),
            "code": Filter(search="0x25 alarm", until_ms=NOON + 1),
            "session": Filter(sessions=(2,)),
            "nobody": Filter(serials=("77",)),
        }.items()
    }
    assert found == {
        "all": [(ONE, 1), (ONE, 2), (ONE, 3), (TWO, None)],
        "newest": [(ONE, 3), (ONE, 2)],
        "words": [(ONE, 3)],
        "code": [(ONE, 1)],
        "session": [(TWO, None)],
        "nobody": [],
    }


def test_a_doubt_of_codec_and_store_is_told_once() -> None:
    assert merged("extra_row counter_back", "counter_back conflict") == "extra_row counter_back conflict"


def test_an_event_that_was_decoded_again_tells_the_version_that_reads_it_so(store: SqlStore) -> None:
    key = known_session(store)
    store.save(key, ONE, [], [entry(1), entry(2)])
    store.save_reprocessed(key.id, ONE, "lis200", "2", [], [entry(1), entry(2, text="Alarm: pressure")])
    assert [(event.text, event.codec, event.codec_version) for event in store.events()] == [
        ("Alarm: temperature", "lis200", "1"),
        ("Alarm: pressure", "lis200", "2"),
    ]


def test_first_and_last_row_of_each_session_of_a_meter_are_found(store: SqlStore) -> None:
    fill(store)
    (session,) = {stored.session for stored in store.rows(Filter(serials=(ONE,)))}
    times = [stored.row.measured_at_ms for stored in store.rows(Filter(serials=(ONE,)))]
    assert store.session_extents(ONE) == {session: (min(times), max(times))}
    assert store.session_extents("77") == {}
