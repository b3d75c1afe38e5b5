"""What stored files say, saved with the sessions their bytes came in."""

from __future__ import annotations

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import Saved
from gateway_server.store.file_records import FileRecord, FileState
from gateway_server.store.records import Filter, MeterRecord, RowToSave
from gateway_server.store.sql import SqlStore
from tests.store.deliveries import upload
from tests.store.samples import NOON, contents, entry, hour

METER = "41203377"
BYTES = b"x" * 300  # the row of hour n is bytes 100n to 100n+100


def decode(store: SqlStore, record: FileRecord, *rows: RowToSave, version: str = "1", dry_run: bool = False) -> Saved:
    return store.save_file_readings(record.id, METER, "lis200", version, rows, [], dry_run=dry_run)


def spans(store: SqlStore) -> list[tuple[int, int, int]]:
    return [(row.session, row.row.span_start, row.row.span_end) for row in store.rows()]


def test_a_decoded_file_is_the_meters_with_codec_and_count(store: SqlStore) -> None:
    store.put_meter(MeterRecord(METER))
    record = upload(store, "DAY.TXT", BYTES)
    saved = store.save_file_readings(
        record.id, METER, "lis200", "3", [hour(0), hour(1)], [entry(1)], detail="archive rows in plain text"
    )
    assert saved == Saved(3)
    (decoded,) = store.files(Filter(states=("decoded",), serials=(METER,)))
    assert (decoded.codec, decoded.codec_version, decoded.readings) == ("lis200", "3", 4)
    assert decoded.detail == "archive rows in plain text"
    assert [(row.codec, row.codec_version) for row in store.rows()] == [("lis200", "3")] * 2
    session = store.session(record.session)
    assert session is not None
    assert (session.meter, session.codec, session.codec_version, session.readings) == (METER, "lis200", "3", 4)


def test_a_meter_nobody_knows_comes_into_the_register(store: SqlStore) -> None:
    decode(store, upload(store, "DAY.TXT", BYTES), hour(0))
    assert store.meter(METER) is not None


def test_spans_are_those_of_the_session_the_bytes_came_in(store: SqlStore) -> None:
    cut = upload(store, "DAY.TXT", BYTES[:150], complete=False)
    whole = upload(store, "DAY.TXT", BYTES[150:], cut, 150)
    decode(store, whole, hour(0), hour(1), hour(2))
    assert spans(store) == [(cut.session, 0, 100), (cut.session, 100, 150), (whole.session, 50, 150)]


def test_rows_without_a_place_in_the_file_have_none_in_a_session(store: SqlStore) -> None:
    cut = upload(store, "DAY.GZ", BYTES[:150], complete=False)
    whole = upload(store, "DAY.GZ", BYTES[150:], cut, 150)
    decode(store, whole, hour(1, span_start=0, span_end=0))
    assert spans(store) == [(cut.session, 0, 0)]


def test_an_empty_file_can_be_understood_to_say_nothing(store: SqlStore) -> None:
    record = upload(store, "DAY.TXT", b"")
    assert decode(store, record) == Saved()
    decoded = store.file(record.id)
    assert decoded is not None
    assert (decoded.state, decoded.readings) == (FileState.DECODED, 0)


def test_decoding_twice_changes_nothing(store: SqlStore) -> None:
    record = upload(store, "DAY.TXT", BYTES)
    assert decode(store, record, hour(0), hour(1)) == Saved(2)
    before, file = contents(store), store.file(record.id)
    assert decode(store, record, hour(0), hour(1)) == Saved(0, 2)
    assert (contents(store), store.file(record.id)) == (before, file)


def test_what_a_newer_codec_reads_otherwise_takes_the_place_of_the_older(store: SqlStore) -> None:
    record = upload(store, "DAY.TXT", BYTES)
    decode(store, record, hour(0), hour(1))
    assert decode(store, record, hour(0), hour(1, "1001.75"), version="2") == Saved(1, 1)
    assert [(row.row.values[0], row.codec_version) for row in store.rows()] == [("1000.25", "1"), ("1001.75", "2")]
    kept = store.connection.one("SELECT vals FROM archive_row WHERE variant < 0")
    assert kept[0].startswith("1001.25")


def test_a_dry_run_leaves_no_trace(store: SqlStore) -> None:
    record = upload(store, "DAY.TXT", BYTES)
    assert decode(store, record, hour(0), dry_run=True) == Saved(1)
    assert contents(store) == []
    assert store.file(record.id) == record
    session = store.session(record.session)
    assert session is not None
    assert (session.meter, session.codec, session.readings) == ("", "", 0)
    assert store.meter(METER) is None


def test_a_grown_file_brings_only_what_is_new(store: SqlStore) -> None:
    record = upload(store, "LOG", BYTES[:100])
    decode(store, record, hour(0))
    grown = upload(store, "LOG", BYTES[:100], record, 100)
    assert grown.state is FileState.STORED
    assert decode(store, grown, hour(0), hour(1)) == Saved(1, 1)
    assert spans(store) == [(record.session, 0, 100), (grown.session, 0, 100)]
    assert [row.row.measured_at_ms for row in store.rows()] == [NOON, NOON + 3_600_000]


def test_a_file_that_is_not_there_is_not_decoded(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="there is no file 7"):
        store.save_file_readings(7, METER, "lis200", "1", [], [])
