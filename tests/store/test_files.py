"""Received files read back: byte for byte, and found by what is asked."""

from __future__ import annotations

import hashlib

from gateway_server.model import Direction, MeterState, Outcome
from gateway_server.store.file_records import FilePart, FileRecord, FileState, UploadEnd
from gateway_server.store.records import Filter, MeterRecord, SessionClosing, SessionOpening, Upload
from gateway_server.store.sessions import LOG_PART
from gateway_server.store.sql import SqlStore
from tests.store.deliveries import DAY, LOGIN, begin, content, end, send, upload
from tests.store.samples import NOON


def test_an_upload_is_the_bytes_its_session_received(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    other = begin(store, "other.txt")
    key = begin(store, "DAY.TXT", serial="41203377")
    store.log([(key, NOON, Direction.NOTE, b"ftp> STOR DAY.TXT")])
    for number in range(0, len(DAY), 7):
        store.log([(key, NOON, Direction.FROM_METER, DAY[number : number + 7])])
        store.log([(other, NOON, Direction.FROM_METER, b"something else")])
    record = end(store, key, DAY, at_ms=5)
    assert record == FileRecord(
        record.id, "41203377", LOGIN, "DAY.TXT", len(DAY), hashlib.sha256(DAY).hexdigest(), NOON + 5, FileState.STORED,
        session=key.id, transport="ftp", remote="127.0.0.1:50001",
    )  # fmt: skip
    assert content(store, record) == DAY
    assert store.file_parts(record.id) == [FilePart(key.id, 0, len(DAY))]
    session = store.session(key.id)
    assert session is not None
    assert (session.outcome, session.ended_ms, session.meter) == (Outcome.READ, NOON + 5, "41203377")


def test_a_name_that_is_no_text_keeps_its_bytes(store: SqlStore) -> None:
    raw = "АРХИВ.TXT".encode("cp1251")
    opening = SessionOpening("ftp", "x", NOON, caller=LOGIN, upload=Upload(raw.decode("utf-8", "replace"), raw))
    record = end(store, store.open_session(opening), b"")
    assert record.raw_name == raw
    assert (record.size, content(store, record)) == (0, b"")


def test_a_file_is_read_back_over_many_parts_of_the_log(store: SqlStore) -> None:
    other = begin(store, "other")
    key = begin(store, "DAY.TXT")
    send(store, key, DAY[:20])
    store.log([(other, NOON, Direction.FROM_METER, b"")] * (2 * LOG_PART))
    send(store, key, DAY[20:])
    assert content(store, end(store, key, DAY)) == DAY


def test_a_claimed_callers_files_go_with_it(store: SqlStore) -> None:
    store.put_meter(MeterRecord("caller:77", state=MeterState.UNCLAIMED))
    store.put_meter(MeterRecord("41203377"))
    upload(store, "DAY.TXT", DAY, serial="caller:77")
    store.claim("caller:77", MeterRecord("41203377"))
    (record,) = store.files()
    assert record.meter == "41203377"


def test_how_far_a_file_is_can_be_noted_with_its_meter(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    record = upload(store, "DAY.TXT", DAY)
    store.set_file_state(record.id, FileState.UNKNOWN, "three codecs tried", "41203377")
    (noted,) = store.files(Filter(states=("unknown",)))
    assert (noted.detail, noted.meter) == ("three codecs tried", "41203377")
    store.set_file_state(record.id, FileState.FAILED, "no room")
    assert [one.meter for one in store.files(Filter(states=("failed",)))] == ["41203377"]


def test_files_are_listed_by_what_is_asked(store: SqlStore) -> None:
    ids = [upload(store, name, name.encode(), at_ms=at).id for at, name in enumerate(("a", "b", "c"))]

    def listed(wanted: Filter) -> list[int]:
        return [one.id for one in store.files(wanted)]

    assert listed(Filter()) == ids
    assert listed(Filter(newest_first=True, limit=2)) == [ids[2], ids[1]]
    assert listed(Filter(since_ms=NOON + 1, until_ms=NOON + 1)) == [ids[1]]
    assert listed(Filter(names=("a", "c"))) == [ids[0], ids[2]]
    assert listed(Filter(logins=("another",))) == []
    assert listed(Filter(transports=("ftp",), sessions=(2, 3))) == ids[1:]
    assert store.file(99) is None


def test_a_file_of_another_servers_folder_was_received_when_that_server_got_it(store: SqlStore) -> None:
    key = begin(store, "DAY.TXT")
    send(store, key, DAY)
    closing = SessionClosing(NOON + 99, Outcome.READ)
    record = store.finish_upload(key, UploadEnd(True, len(DAY), hashlib.sha256(DAY).hexdigest(), NOON - 5), closing)
    assert record.received_at_ms == NOON - 5


def test_those_that_wait_are_found_among_many_that_do_not(store: SqlStore) -> None:
    waiting = [upload(store, str(number), b"%d" % number, at_ms=number).id for number in range(4)]
    store.set_file_state(waiting[1], FileState.UNKNOWN)
    assert [one.id for one in store.files(Filter(states=("stored",), limit=2))] == [waiting[0], waiting[2]]
    queries: list[str] = []
    store.connection.raw.set_trace_callback(queries.append)
    list(store.files(Filter(states=("stored",))))
    (query,) = queries
    plan = store.connection.all(f"EXPLAIN QUERY PLAN {query}")
    assert any("file_waiting" in step[3] for step in plan)
