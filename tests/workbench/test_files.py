"""Uploaded files become readings: at once, or whenever somebody can read them."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import OperatorError
from gateway_server.model import INTERVAL, Identify
from gateway_server.store.file_records import FileState
from gateway_server.store.records import Filter
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.files import decode_file, examine, keep, look_up
from tests.workbench.reports import REPORT, Report
from tests.workbench.uploads import CAME_MS, SERIAL, hourly, in_care, registry_of, uploaded

LIS200 = load_codecs()
NOBODY = registry_of([])


def test_upload_in_an_unknown_format_becomes_readings_when_a_codec_for_it_is_there(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    first = decode_file(store, NOBODY, file)
    assert (first.state, store.file(file).state) == (FileState.UNKNOWN, FileState.UNKNOWN)  # type: ignore[union-attr]
    assert "no codec reads it; it looks like text of 4 lines" in first.detail

    later = decode_file(store, registry_of([Report()]), file)
    assert (later.state, later.new, later.codec, later.meter) == (FileState.DECODED, 3, "report", SERIAL)
    record = store.file(file)
    assert record is not None
    assert (record.state, record.readings, record.codec, record.detail) == (FileState.DECODED, 2, "report", "")
    assert b"".join(store.file_bytes(file)) == REPORT
    assert [one.value for one in store.readings()] == ["1042.5", "1043"]
    assert [one.code for one in store.events()] == ["0x2504"]


def test_decoding_twice_changes_nothing(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    before = (list(store.readings()), store.file(file))
    again = decode_file(store, registry_of([Report()]), file)
    assert (again.no_change, again.same, again.skipped) == (True, 3, "")
    assert (list(store.readings()), store.file(file)) == before


def test_row_knows_the_bytes_it_came_from(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    (first, second) = store.rows()
    assert REPORT[first.row.span_start : first.row.span_end] == b"7 1042.5\n"
    assert REPORT[second.row.span_start : second.row.span_end] == b"8 1043\n"


def test_newer_codec_replaces_what_the_older_one_read_and_says_how(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    newer = registry_of([Report(version="2", scale="10")])
    tried = decode_file(store, newer, file, dry_run=True)
    assert (tried.changed, tried.same, tried.new) == (2, 1, 0)
    assert [(change.old, change.new) for change in tried.changes] == [
        ("1042.5 m3", "10425.0 m3"),
        ("1043 m3", "10430 m3"),
    ]
    assert [one.value for one in store.readings()] == ["1042.5", "1043"]

    done = decode_file(store, newer, file)
    assert (done.changed, done.old_version, done.codec_version) == (2, "1", "2")
    assert [one.value for one in store.readings()] == ["10425.0", "10430"]
    assert {one.codec_version for one in store.readings()} == {"2"}
    assert decode_file(store, newer, file).no_change


def test_rows_whose_time_was_read_wrongly_move(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    moved = decode_file(store, registry_of([Report(version="2", shift=10)]), file)
    assert (moved.changed, moved.new, moved.gone) == (2, 0, 0)
    assert [one.order_number for one in store.readings()] == [7, 8]


def test_dry_run_of_a_first_decoding_leaves_no_trace(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    told = decode_file(store, registry_of([Report()]), file, dry_run=True)
    assert "nobody has claimed meter 41203377" in told.skipped
    assert store.meters() == []
    assert store.file(file).state is FileState.STORED  # type: ignore[union-attr]


def test_of_two_codecs_that_could_read_it_none_is_guessed(store: SqlStore) -> None:
    in_care(store)
    both = registry_of([Report("one"), Report("two", scale="10")])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    told = decode_file(store, both, file)
    assert told.state is FileState.UNKNOWN
    assert "several codecs can read it (one, two)" in told.detail
    assert [(one.codec, one.said, one.reads) for one in told.tried] == [
        ("one", "2 rows, 1 events", True),
        ("two", "2 rows, 1 events", True),
    ]
    in_care(store, profile="two")
    assert decode_file(store, both, file).codec == "two"


def test_codec_of_the_place_is_asked_behind_the_meters_own(store: SqlStore) -> None:
    in_care(store, codec="one")
    both = registry_of([Report("one"), Report("two"), Report("three")])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert decode_file(store, both, file, prefer=("two",), dry_run=True).codec == "one"
    in_care(store, codec="gone")
    assert decode_file(store, both, file, prefer=("two",), dry_run=True).codec == "two"
    assert decode_file(store, both, file, codec="three", dry_run=True).codec == "three"


def test_named_codec_that_does_not_exist_is_the_operators_error(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    with pytest.raises(OperatorError, match="there is no codec 'gone'"):
        decode_file(store, NOBODY, file, codec="gone")
    with pytest.raises(OperatorError, match="there is no file 99"):
        decode_file(store, NOBODY, 99)


def test_file_that_a_codec_knows_but_cannot_read_has_failed_and_says_where(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT + b"broken\n", serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), file)
    assert told.state is FileState.FAILED
    assert "report: line at byte 36 is broken" in told.detail


def test_codec_with_a_defect_harms_nothing_but_its_own_reading(store: SqlStore) -> None:
    class Defect(Report):
        def read_file(self, file: UploadedFile) -> FileReading | None:
            raise ZeroDivisionError("oh")

    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    told = decode_file(store, registry_of([Defect("bad")]), file)
    assert (told.state, told.tried[0].said) == (FileState.FAILED, "the codec failed: ZeroDivisionError: oh")
    assert decode_file(store, registry_of([Defect("bad"), Report()]), file).codec == "report"


def test_codec_that_fails_only_when_it_knows_the_meter_harms_nothing(store: SqlStore) -> None:
    class Misfit(Report):
        def read_file(self, file: UploadedFile) -> FileReading | None:
            if file.meter is not None:
                raise ZeroDivisionError("only when the meter is known")
            return FileReading(identity=Identify(SERIAL))

    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT)
    told = decode_file(store, registry_of([Misfit()]), file)
    assert (told.state, told.detail) == (
        FileState.FAILED,
        "the codec report failed: ZeroDivisionError: only when the meter is known",
    )


def test_decoded_file_stays_decoded_when_nobody_reads_it_any_more(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    assert "no codec reads it" in decode_file(store, NOBODY, file).skipped
    assert store.file(file).state is FileState.DECODED  # type: ignore[union-attr]
    assert len(list(store.readings())) == 2


def test_times_are_the_meters_own_unless_the_file_says_utc(store: SqlStore) -> None:
    in_care(store)
    local = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), local)
    in_moscow = [one.row.measured_at_ms for one in store.rows()]
    decode_file(store, registry_of([Report(version="2", utc=True)]), local)
    in_utc = [one.row.measured_at_ms for one in store.rows()]
    assert [after - before for before, after in zip(in_moscow, in_utc, strict=True)] == [3 * 3_600_000] * 2


def test_three_steps_of_the_gateway_do_what_the_one_does(store: SqlStore) -> None:
    in_care(store)
    registry = registry_of([Report()])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    waiting = look_up(store, file)
    sniffed = examine(registry, waiting)
    assert keep(store, waiting, sniffed).new == 3


def test_hourly_rows_of_a_corrector_join_those_read_by_telephone(store: SqlStore) -> None:
    in_care(store)
    first = uploaded(store, "1.txt", hourly(24), serial=SERIAL)
    decode_file(store, LIS200, first)
    assert {one.archive for one in store.readings()} == {INTERVAL}
    second = uploaded(store, "2.txt", hourly(30), serial=SERIAL, at_ms=CAME_MS + 6 * 3_600_000)
    told = decode_file(store, LIS200, second)
    assert (told.new, told.same, told.conflicts) == (6, 24, 0)


def test_single_row_is_known_by_where_it_goes_on(store: SqlStore) -> None:
    in_care(store)
    decode_file(store, LIS200, uploaded(store, "1.txt", hourly(24), serial=SERIAL))
    next_row = hourly(1, first=664, start=datetime(2026, 3, 15))
    told = decode_file(store, LIS200, uploaded(store, "2.txt", next_row, serial=SERIAL))
    assert told.new == 1
    assert "go on behind its last stored row" in told.detail
    assert len(list(store.rows(Filter(archives=(INTERVAL,))))) == 25
