"""Uploaded files that came in parts or in containers."""

from __future__ import annotations

import gzip

import pytest

from gateway_server.store.file_records import FileState
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.containers import ContainerLimits
from gateway_server.workbench.files import decode_file
from tests.workbench.reports import REPORT, Report, zipped
from tests.workbench.uploads import SERIAL, in_care, registry_of, uploaded


def test_appended_file_is_read_whole_and_each_row_points_into_its_own_session(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT[:14], serial=SERIAL)
    file = uploaded(store, "DAY.TXT", REPORT[14:], serial=SERIAL, continues=file)
    assert decode_file(store, registry_of([Report()]), file).new == 3
    sessions = {part.session: part for part in store.file_parts(file)}
    assert len(sessions) == 2
    assert [one.session for one in store.rows()] == sorted(sessions)
    assert decode_file(store, registry_of([Report()]), file).no_change


def test_file_that_grows_after_it_was_decoded_gives_only_what_is_new(store: SqlStore) -> None:
    in_care(store)
    registry = registry_of([Report()])
    file = uploaded(store, "DAY.TXT", REPORT[:19], serial=SERIAL)
    assert decode_file(store, registry, file).new == 1
    assert uploaded(store, "DAY.TXT", REPORT[19:], serial=SERIAL, continues=file) == file
    assert store.file(file).state is FileState.STORED  # type: ignore[union-attr]
    told = decode_file(store, registry, file)
    assert (told.new, told.same, told.changed, told.gone) == (2, 1, 0, 0)
    assert decode_file(store, registry, file).no_change


def test_incomplete_file_waits_for_its_rest(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT[:20], serial=SERIAL, complete=False)
    assert "incomplete" in decode_file(store, registry_of([Report()]), file).skipped
    assert store.file(file).state is FileState.INCOMPLETE  # type: ignore[union-attr]


def test_duplicate_is_not_read_again(store: SqlStore) -> None:
    in_care(store)
    uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    second = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert "is that of file 1" in decode_file(store, registry_of([Report()]), second).skipped


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"day.txt": data})], ids=["gzip", "zip"])
def test_packed_file_is_read_and_its_rows_point_at_the_packed_bytes(store: SqlStore, pack) -> None:  # type: ignore[no-untyped-def]  # one of two packers
    in_care(store)
    packed = pack(REPORT)
    file = uploaded(store, "DAY.PACKED", packed, serial=SERIAL)
    assert decode_file(store, registry_of([Report()]), file).new == 3
    for one in store.rows():
        assert 0 <= one.row.span_start < one.row.span_end <= len(packed)
    assert decode_file(store, registry_of([Report()]), file).no_change
    assert decode_file(store, registry_of([Report(version="2", scale="10")]), file).changed == 2
    assert [one.value for one in store.readings()] == ["10425.0", "10430"]


def test_what_is_not_read_in_a_zip_is_said(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "day.zip", zipped({"day.txt": REPORT, "readme": b"hello"}), serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), file)
    assert (told.new, told.notes) == (3, ["readme is not read: no line is a row"])
    assert store.file(file).detail == "readme is not read: no line is a row"  # type: ignore[union-attr]


def test_zip_with_files_of_two_meters_is_nobodys(store: SqlStore) -> None:
    data = zipped({"a": REPORT, "b": REPORT.replace(b"41203377", b"77000001")})
    told = decode_file(store, registry_of([Report()]), uploaded(store, "day.zip", data))
    assert (told.state, told.detail) == (FileState.FAILED, "it tells of several meters (41203377, 77000001)")


def test_bomb_and_what_is_too_large_are_kept_unread(store: SqlStore) -> None:
    in_care(store)
    limits = ContainerLimits(size=1 << 20, ratio=20, free=1 << 12)
    bomb = uploaded(store, "bomb.gz", gzip.compress(bytes(1 << 20)), serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), bomb, limits=limits)
    assert told.state is FileState.FAILED
    assert "exhaust" in told.detail
    large = uploaded(store, "large", REPORT * 50_000, serial=SERIAL)
    assert "read at once" in decode_file(store, registry_of([Report()]), large, limits=limits).detail


def test_empty_file_is_unknown(store: SqlStore) -> None:
    file = uploaded(store, "EMPTY", b"")
    told = decode_file(store, registry_of([Report()]), file)
    assert (told.state, told.detail) == (FileState.UNKNOWN, "it is empty")
