"""Received files as they come in: whatever became of the upload, what came is there, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Outcome
from gateway_server.store.arrivals import CUT_OFF
from gateway_server.store.check import check_store
from gateway_server.store.file_records import FilePart, FileRecord, FileState, UploadEnd
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionClosing, SessionOpening, Upload
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from tests.store.deliveries import DAY, LOGIN, begin, content, end, send, upload, wire
from tests.store.samples import NOON, opened


def test_a_file_that_arrives_is_incomplete_and_nothing_of_it_is_acknowledged(store: SqlStore) -> None:
    key = begin(store, "DAY.TXT")
    send(store, key, DAY[:20])
    (record,) = store.files()
    assert (record.state, record.size, record.sha256) == (FileState.INCOMPLETE, 0, "")
    assert store.former_file(LOGIN, "DAY.TXT", 0) is None
    end(store, key, DAY[:20])
    (record,) = store.files()
    assert record.state is FileState.STORED


def test_the_meter_that_the_session_turned_out_to_be_has_the_file(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    key = begin(store, "41203377_DAY.TXT")
    send(store, key, DAY)
    closing = SessionClosing(NOON, Outcome.READ, serial="41203377")
    record = store.finish_upload(key, UploadEnd(True, len(DAY), hashlib.sha256(DAY).hexdigest()), closing)
    assert record.meter == "41203377"
    assert [one.id for one in store.files(Filter(serials=("41203377",)))] == [record.id]
    assert list(store.files(Filter(serials=("1",)))) == []


def test_the_same_content_again_is_noted_and_not_stored_twice(store: SqlStore) -> None:
    first = upload(store, "DAY.TXT", DAY)
    key = begin(store, "DAY.TXT")
    store.log([(key, NOON, Direction.NOTE, b"ftp> STOR DAY.TXT")])
    send(store, key, DAY)
    store.log([(key, NOON, Direction.NOTE, b"ftp< 226 Stored.")])
    again = end(store, key, DAY)
    assert (again.state, again.same_as, again.size) == (FileState.DUPLICATE, first.id, len(DAY))
    assert content(store, again) == DAY
    notes = [(entry.direction, entry.data.decode()) for entry in store.session_log(again.session)]
    assert [direction for direction, _ in notes] == [Direction.NOTE] * 3
    assert notes[0][1] == "ftp> STOR DAY.TXT"
    assert f"{len(DAY)} bytes with SHA-256 {first.sha256}: the content of file {first.id}" in notes[1][1]
    assert wire(store, first.session) == DAY
    assert check_store(store).sound
    third = upload(store, "DAY.TXT", DAY)
    assert third.same_as == first.id


def test_on_an_account_of_several_meters_the_same_content_by_another_name_is_another_file(store: SqlStore) -> None:
    first = upload(store, "1.TXT", b"")
    assert upload(store, "2.TXT", b"").state is FileState.STORED
    assert upload(store, "1.TXT", b"").same_as == first.id


def test_on_a_meters_own_account_the_same_content_by_another_name_is_a_duplicate(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    first = upload(store, "MON.TXT", DAY, serial="41203377")
    assert upload(store, "TUE.TXT", DAY, serial="41203377").same_as == first.id


def test_the_same_content_on_an_account_that_went_to_another_meter_is_that_meters_file(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    store.put_meter(MeterRecord("20511893"))
    upload(store, "DAY.TXT", b"", serial="41203377")
    assert upload(store, "DAY.TXT", b"", serial="20511893").state is FileState.STORED


def test_a_meter_that_a_session_turns_out_to_be_is_known_before_contents_are_compared(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    first = upload(store, "41203377_1.TXT", DAY, serial="41203377")
    key = begin(store, "41203377_2.TXT")
    send(store, key, DAY)
    closing = SessionClosing(NOON, Outcome.READ, serial="41203377")
    record = store.finish_upload(key, UploadEnd(True, len(DAY), hashlib.sha256(DAY).hexdigest()), closing)
    assert (record.state, record.same_as) == (FileState.DUPLICATE, first.id)


def test_what_was_cut_off_is_kept_and_completed_by_a_resume(store: SqlStore) -> None:
    cut = upload(store, "DAY.TXT", DAY[:20], complete=False)
    assert (cut.state, cut.size) == (FileState.INCOMPLETE, 20)
    assert content(store, cut) == DAY[:20]
    former = store.former_file(LOGIN, "DAY.TXT", NOON)
    assert former == cut
    whole = upload(store, "DAY.TXT", DAY[20:], former, 20, at_ms=60)
    assert (whole.id, whole.state, whole.received_at_ms) == (cut.id, FileState.STORED, NOON + 60)
    assert content(store, whole) == DAY
    assert store.file_parts(whole.id) == [FilePart(cut.session, 0, 20), FilePart(whole.session, 0, len(DAY) - 20)]
    assert len(list(store.files())) == 1


def test_a_resume_that_begins_before_the_end_replaces_what_lay_behind_it(store: SqlStore) -> None:
    cut = upload(store, "DAY.TXT", DAY[:18] + b"??", complete=False)
    whole = upload(store, "DAY.TXT", DAY[18:], cut, 18)
    assert content(store, whole) == DAY
    assert wire(store, cut.session) == DAY[:18] + b"??"


def test_a_resume_that_is_cut_off_too_goes_on_with_the_next(store: SqlStore) -> None:
    record = upload(store, "DAY.TXT", DAY[:10], complete=False)
    for start in range(10, 40, 10):
        record = upload(store, "DAY.TXT", DAY[start : start + 10], record, start, complete=False)
        assert record.state is FileState.INCOMPLETE
    record = upload(store, "DAY.TXT", DAY[40:], record, 40)
    assert (record.state, content(store, record)) == (FileState.STORED, DAY)


def test_a_file_that_grows_piece_by_piece_stays_one_file(store: SqlStore) -> None:
    record = upload(store, "LOG", b"")
    for start in range(0, 500, 5):
        record = upload(store, "LOG", b"%05d" % start, record, record.size)
    assert content(store, record) == b"".join(b"%05d" % start for start in range(0, 500, 5))
    assert len(store.file_parts(record.id)) == 100
    assert len(list(store.files())) == 1


def test_a_grown_file_is_hashed_right_by_a_program_that_did_not_see_it_grow(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        record = upload(store, "LOG", DAY)
        record = upload(store, "LOG", DAY, record, record.size)
    with opened(tmp_path / "gateway.db") as store:
        record = upload(store, "LOG", DAY, record, record.size)
        assert content(store, record) == DAY * 3


def test_what_is_cut_from_a_whole_file_makes_a_version_of_its_own(store: SqlStore) -> None:
    first = upload(store, "DAY.TXT", DAY)
    second = upload(store, "DAY.TXT", b"other end", first, 10)
    assert second.id != first.id
    assert content(store, second) == DAY[:10] + b"other end"
    assert content(store, first) == DAY
    assert store.former_file(LOGIN, "DAY.TXT", 0) == second


def test_a_piece_that_is_cut_off_does_not_touch_the_file_it_was_for(store: SqlStore) -> None:
    whole = upload(store, "LOG", DAY)
    cut = upload(store, "LOG", DAY[:9], whole, whole.size, complete=False)
    assert (cut.state, content(store, cut)) == (FileState.INCOMPLETE, DAY + DAY[:9])
    assert store.file(whole.id) == whole
    grown = upload(store, "LOG", DAY[9:], cut, cut.size)
    assert content(store, grown) == DAY + DAY


def test_a_file_others_are_the_same_as_does_not_grow_away_from_them(store: SqlStore) -> None:
    first = upload(store, "LOG", DAY)
    twin = upload(store, "LOG", DAY)
    grown = upload(store, "LOG", b"more", first, first.size)
    assert grown.id not in (first.id, twin.id)
    assert content(store, first) == content(store, twin) == DAY
    grown = upload(store, "LOG", b"more", twin, twin.size)
    assert content(store, grown) == DAY + b"more"


def test_two_uploads_that_go_on_with_the_same_file_do_not_mix(store: SqlStore) -> None:
    cut = upload(store, "DAY.TXT", DAY[:10], complete=False)
    one, two = begin(store, "DAY.TXT", cut, 10), begin(store, "DAY.TXT", cut, 10)
    for _ in range(3):
        send(store, one, b"1111")
        send(store, two, b"2222")
    first, second = end(store, one, b"1" * 12), end(store, two, b"2" * 12)
    assert content(store, first) == DAY[:10] + b"1" * 12
    assert content(store, second) == DAY[:10] + b"2" * 12


def test_a_resume_behind_the_end_is_refused(store: SqlStore) -> None:
    cut = upload(store, "DAY.TXT", DAY[:10], complete=False)
    key = begin(store, "DAY.TXT", cut, 11)
    with pytest.raises(StoreError, match=f"file {cut.id} has 10 bytes; nothing can go on at byte 11"):
        end(store, key, b"x")
    assert store.file(cut.id) == cut


def test_a_session_without_a_file_finishes_none(store: SqlStore) -> None:
    key = store.open_session(SessionOpening("ftp", "x", NOON))
    with pytest.raises(StoreError, match="no file arrives in session 1"):
        end(store, key, b"")


def test_only_the_newest_file_of_this_account_and_name_is_gone_on_with(store: SqlStore) -> None:
    upload(store, "DAY.TXT", b"old", at_ms=1)
    newest = upload(store, "DAY.TXT", b"new", at_ms=2)
    upload(store, "NIGHT.TXT", b"night", at_ms=3)
    assert store.former_file(LOGIN, "DAY.TXT", NOON + 2) == newest
    assert store.former_file(LOGIN, "DAY.TXT", NOON + 3) is None
    assert store.former_file("another", "DAY.TXT", 0) is None


def test_files_of_a_killed_gateway_are_incomplete_and_can_be_resumed(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as store:
        cut = upload(store, "DAY.TXT", DAY[:10], complete=False)
        send(store, begin(store, "DAY.TXT", cut, 10), DAY[10:30])
        begin(store, "empty")
        store.connection.execute("UPDATE session SET owner = 'another boot:1:1'")
    with opened(path) as store:
        former = store.former_file(LOGIN, "DAY.TXT", 0)
        assert former is not None
        assert (former.state, former.detail, content(store, former)) == (FileState.INCOMPLETE, CUT_OFF, DAY[:30])
        empty = store.former_file(LOGIN, "empty", 0)
        assert empty is not None
        assert (empty.state, empty.size) == (FileState.INCOMPLETE, 0)
        assert content(store, upload(store, "DAY.TXT", DAY[30:], former, 30)) == DAY
        assert check_store(store).sound


def test_an_upload_the_full_disk_refused_can_be_resumed(store: SqlStore) -> None:
    key = begin(store, "DAY.TXT")
    send(store, key, DAY[:30])
    store.close_session(key, SessionClosing(NOON, Outcome.GATEWAY_FAULT, "the disk is full"))
    former = store.former_file(LOGIN, "DAY.TXT", 0)
    assert former is not None
    assert content(store, former) == DAY[:30]


def test_what_another_process_wrote_meanwhile_does_not_disturb_an_upload(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as store, opened(path) as command_line:
        key = begin(store, "DAY.TXT")
        send(store, key, DAY[:20])
        command_line.put_meter(MeterRecord("1"))
        send(store, key, DAY[20:])
        command_line.put_meter(MeterRecord("2"))
        assert content(store, end(store, key, DAY)) == DAY


def test_data_row_and_the_sessions_end_are_one_commit(store: SqlStore) -> None:
    writer = DirectWriter(store)
    opening = SessionOpening("ftp", "x", NOON, caller=LOGIN, upload=Upload("DAY.TXT"))
    key = writer.open_session(opening)
    writer.log(key, NOON, Direction.FROM_METER, DAY)
    answers: list[FileRecord | StoreError] = []
    done = UploadEnd(True, len(DAY), hashlib.sha256(DAY).hexdigest())
    writer.call(lambda kept: kept.finish_upload(key, done, SessionClosing(NOON, Outcome.READ)), answers.append)
    (record,) = answers
    assert isinstance(record, FileRecord)
    assert content(store, record) == DAY


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_client_does_the_file_is_what_it_was_told(data: st.DataObject) -> None:
    """Fresh, appended and resumed uploads, cut off or not, against a model that is a plain dictionary of bytes."""
    store = open_store(":memory:")
    model: dict[int, bytes] = {}
    former: FileRecord | None = None
    for step in range(data.draw(st.integers(1, 12))):
        piece = data.draw(st.binary(max_size=40))
        complete = data.draw(st.booleans())
        if former is not None and data.draw(st.booleans()):
            offset = data.draw(st.sampled_from([former.size, data.draw(st.integers(0, former.size))]))
            expected = model[former.id][:offset] + piece
            record = upload(store, "f", piece, former, offset, complete=complete, at_ms=step)
        else:
            expected = piece
            record = upload(store, "f", piece, complete=complete, at_ms=step)
        model[record.id] = expected
        assert (record.state is FileState.INCOMPLETE) is not complete
        former = store.former_file(LOGIN, "f", 0)
        assert former is not None
        assert former.received_at_ms == NOON + step
    for one in store.files():
        assert content(store, one) == model[one.id]
    assert check_store(store).sound
    store.close()


def test_an_upload_that_was_never_finished_is_counted_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as store:
        key = begin(store, "DAY.TXT")
        send(store, key, DAY[:30])
        store.close_session(key, SessionClosing(NOON, Outcome.GATEWAY_FAULT, "the disk is full"))
    with opened(path) as store:
        (record,) = store.files()
        assert (record.state, record.size, content(store, record)) == (FileState.INCOMPLETE, 30, DAY[:30])


def test_a_transaction_that_failed_leaves_no_hash_behind(store: SqlStore) -> None:
    first = upload(store, "LOG", DAY)

    def broken() -> None:
        with store.connection.transaction("broken"):
            assert upload(store, "LOG", b"xx", first, 3).id == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    second = upload(store, "LOG", b"12345")
    assert (second.id, second.size) == (2, 5)
    assert content(store, upload(store, "LOG", b"6", second, 5)) == b"123456"
