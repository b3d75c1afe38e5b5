"""A file that got its name late is the file of that name: found, told, and to be decoded by it."""

from __future__ import annotations

from gateway_server.model import Direction, MeterState
from gateway_server.store.records import FileState, MeterRecord
from gateway_server.store.sql import SqlStore
from tests.store.deliveries import DAY, LOGIN, content, upload
from tests.store.samples import NOON


def notes(store: SqlStore, session: int) -> list[bytes]:
    return [entry.data for entry in store.session_log(session) if entry.direction is Direction.NOTE]


def test_renamed_file_keeps_its_bytes_and_is_to_be_decoded_again(store: SqlStore) -> None:
    file = upload(store, "tmp.1", DAY)
    store.set_file_state(file.id, FileState.UNKNOWN, "nobody can read it")
    renamed = store.rename_file(file.id, "DAY.TXT", b"", NOON + 9)
    assert renamed is not None
    assert (renamed.name, renamed.state, renamed.detail) == ("DAY.TXT", FileState.STORED, "")
    assert content(store, renamed) == DAY
    former = store.former_file(LOGIN, "DAY.TXT", 0)
    assert former is not None
    assert former.id == file.id
    assert notes(store, file.session) == [b'"tmp.1" is "DAY.TXT" from now on']


def test_name_that_is_no_utf8_keeps_its_bytes(store: SqlStore) -> None:
    raw = "сутки".encode("cp1251")
    renamed = store.rename_file(upload(store, "tmp.1", DAY).id, "сутки", raw, NOON)
    assert renamed is not None
    assert (renamed.name, renamed.raw_name) == ("сутки", raw)


def test_meter_is_told_by_the_new_name_where_a_rule_says_so(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377", routes=("ftp:m1",)))
    for said, serial, state in (("m1", "41203377", MeterState.ACTIVE), ("55555555", "55555555", MeterState.UNCLAIMED)):
        file = upload(store, "tmp.1", DAY + said.encode())
        renamed = store.rename_file(file.id, f"{said}.txt", b"", NOON, serial=said, by_rule=True)
        assert renamed is not None
        assert renamed.meter == serial
        meter, session = store.meter(serial), store.session(file.session)
        assert meter is not None
        assert session is not None
        assert (meter.state, session.meter) == (state, serial)


def test_content_that_the_new_name_had_before_is_noted_as_a_duplicate(store: SqlStore) -> None:
    first = upload(store, "DAY.TXT", DAY)
    again = upload(store, "tmp.1", DAY)
    assert again.state is FileState.STORED
    renamed = store.rename_file(again.id, "DAY.TXT", b"", NOON)
    assert renamed is not None
    assert (renamed.state, renamed.same_as) == (FileState.DUPLICATE, first.id)
    assert content(store, renamed) == DAY
    assert len(notes(store, again.session)) == 2


def test_file_that_is_cut_off_stays_incomplete_under_any_name(store: SqlStore) -> None:
    renamed = store.rename_file(upload(store, "tmp.1", DAY, complete=False).id, "DAY.TXT", b"", NOON)
    assert renamed is not None
    assert renamed.state is FileState.INCOMPLETE
    assert store.rename_file(4711, "DAY.TXT", b"", NOON) is None
