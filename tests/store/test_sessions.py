from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Outcome
from gateway_server.store.open import open_store
from gateway_server.store.owner import this_process
from gateway_server.store.records import Filter, LogEntry, MeterRecord, SessionClosing, SessionKey, SessionRecord
from gateway_server.store.sessions import KILLED, LOG_PART
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON, OPENING, hour, known_session, opened

CLOSING = SessionClosing(NOON + HOUR, Outcome.PARTIAL, "the line was lost", 300, 40)


def only(store: SqlStore) -> SessionRecord:
    (session,) = store.sessions()
    return session


def test_a_session_that_runs_has_no_end_and_no_outcome(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    key = store.open_session(OPENING._replace(serial="41203377", listener="gprs", caller="352099001761481", job=7))
    assert only(store) == SessionRecord(
        key.id, "41203377", "tcp", "127.0.0.1:50001", NOON, None, None, "", 0, 0, 0, "lis200", "1", "gprs",
        "352099001761481", 7,
    )  # fmt: skip


def test_sessions_that_open_at_the_same_time_know_which_is_which(store: SqlStore) -> None:
    openings = [(SessionKey(), OPENING._replace(remote=f"127.0.0.1:{port}")) for port in range(40_000, 40_300)]
    store.open_sessions(openings)
    for key, opening in openings:
        session = store.session(key.id)
        assert session is not None
        assert session.remote == opening.remote


def test_sessions_that_two_programs_open_in_turn_have_numbers_of_their_own(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as one, opened(tmp_path / "gateway.db") as other:
        numbers = [store.open_session(OPENING).id for store in (one, other, other, one)]
    assert numbers == [1, 2, 3, 4]


def test_number_of_a_session_that_was_taken_back_is_given_again(store: SqlStore) -> None:
    with suppress(RuntimeError), store.connection.transaction("half"):
        store.open_session(OPENING)
        raise RuntimeError
    assert store.open_session(OPENING).id == 1


def test_a_session_ends_with_one_outcome(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    store.close_session(key, CLOSING)
    session = store.session(key.id)
    assert session is not None
    assert (session.ended_ms, session.outcome, session.detail) == (NOON + HOUR, Outcome.PARTIAL, "the line was lost")
    assert (session.bytes_received, session.bytes_sent) == (300, 40)
    assert (session.codec, session.codec_version, session.meter) == ("lis200", "1", "")


def test_what_was_learnt_of_a_session_on_the_way_is_told_at_its_end(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    key = store.open_session(OPENING._replace(codec="", codec_version=""))
    store.close_session(
        key, replace(CLOSING, serial="41203377", codec="lis200", codec_version="3", caller="352099001761481")
    )
    session = only(store)
    assert (session.meter, session.codec, session.codec_version) == ("41203377", "lis200", "3")
    assert session.caller == "352099001761481"


def test_rows_read_before_a_session_ends_know_their_codec(store: SqlStore) -> None:
    key = store.open_session(OPENING._replace(codec="", codec_version=""))
    store.set_codec(key, "lis200", "3")
    store.save(key, "41203377", [hour(1)])
    assert [(row.codec, row.codec_version) for row in store.rows()] == [("lis200", "3")]


def test_a_meter_that_is_not_in_the_register_is_still_named(store: SqlStore) -> None:
    store.open_session(OPENING._replace(serial="123"))
    assert only(store).meter == "123"


def test_the_log_comes_back_byte_by_byte_in_the_order_of_the_wire(store: SqlStore) -> None:
    one, two = store.open_session(OPENING), store.open_session(OPENING)
    wire = [
        (one, NOON, Direction.TO_METER, b"/?!\r\n"),
        (two, NOON, Direction.FROM_METER, bytes(range(256))),
        (one, NOON + 3, Direction.FROM_METER, b"/Els6EK270\r\n"),
        (one, NOON + 3, Direction.NOTE, "часы".encode()),
    ]
    store.log(wire)
    store.log([(two, NOON + 4, Direction.TO_METER, b"")])
    assert list(store.session_log(one.id)) == [LogEntry(*wire[0][1:]), LogEntry(*wire[2][1:]), LogEntry(*wire[3][1:])]
    assert [record.data for record in store.session_log(two.id)] == [bytes(range(256)), b""]


def test_the_logs_of_two_long_sessions_are_told_apart_however_much_the_others_said(store: SqlStore) -> None:
    one, two, other = (store.open_session(OPENING) for _ in range(3))
    wire = [(other, NOON, Direction.FROM_METER, b"")] * (LOG_PART - 2)
    for key, at in ((one, NOON + 1), (two, NOON + 2), (one, NOON + 3)):
        store.log([*wire, (key, at, Direction.FROM_METER, b"row")])
    assert [entry.at_ms for entry in store.session_log(one.id)] == [NOON + 1, NOON + 3]
    assert [entry.at_ms for entry in store.session_log(two.id)] == [NOON + 2]


def test_a_log_whose_transaction_failed_leaves_no_trace(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    with pytest.raises(StoreError):
        store.log([(key, NOON, Direction.FROM_METER, b"lost"), (SessionKey(99), NOON, Direction.NOTE, b"?")])
    store.log([(key, NOON, Direction.FROM_METER, b"kept")])
    assert [entry.data for entry in store.session_log(key.id)] == [b"kept"]


def test_a_log_without_a_session_is_refused(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        store.log([(SessionKey(99), NOON, Direction.NOTE, b"?")])


def test_sessions_are_found_by_meter_time_outcome_and_transport(store: SqlStore) -> None:
    keys = [
        known_session(store, "1"),
        store.open_session(OPENING._replace(transport="serial", started_ms=NOON + HOUR)),
        store.open_session(OPENING._replace(started_ms=NOON + 2 * HOUR)),
    ]
    store.close_session(keys[0], replace(CLOSING, outcome=Outcome.READ))
    store.close_session(keys[1], replace(CLOSING, outcome=Outcome.SILENT))
    found = {
        name: [session.id for session in store.sessions(wanted)]
        for name, wanted in {
            "all": Filter(),
            "newest": Filter(newest_first=True, limit=2),
            "meter": Filter(serials=("01",)),
            "no such meter": Filter(serials=("2",)),
            "time": Filter(since_ms=NOON + HOUR, until_ms=NOON + HOUR),
            "outcome": Filter(outcomes=("read", "silent")),
            "transport": Filter(transports=("serial",)),
            "open": Filter(states=("open",)),
            "ended": Filter(states=("ended",)),
            "number": Filter(sessions=(2,)),
        }.items()
    }
    assert found == {
        "all": [1, 2, 3],
        "newest": [3, 2],
        "meter": [1],
        "no such meter": [],
        "time": [2],
        "outcome": [1, 2],
        "transport": [2],
        "open": [3],
        "ended": [1, 2],
        "number": [2],
    }


def test_sessions_of_a_killed_gateway_are_ended_at_their_last_sign_of_life(store: SqlStore) -> None:
    ours, silent, busy = (store.open_session(OPENING) for _ in range(3))
    store.log([(busy, NOON + 5, Direction.NOTE, b""), (busy, NOON + 7, Direction.NOTE, b"")])
    boot, _, _ = this_process().split(":")
    store.connection.execute("UPDATE session SET owner = ? WHERE id > 1", (f"{boot}:{2**22 + 1}:5",))
    assert store.close_killed_sessions() == 2
    ended = {session.id: (session.ended_ms, session.outcome, session.detail) for session in store.sessions()}
    assert ended == {
        ours.id: (None, None, ""),
        silent.id: (NOON, Outcome.GATEWAY_FAULT, KILLED),
        busy.id: (NOON + 7, Outcome.GATEWAY_FAULT, KILLED),
    }
    assert store.close_killed_sessions() == 0


def test_a_killed_session_has_the_totals_of_its_log(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_server.store.sessions.LOG_PART", 2)
    killed, other, ended = (store.open_session(OPENING) for _ in range(3))
    for at_ms in range(3):
        store.log(
            [
                (killed, NOON + at_ms, Direction.FROM_METER, b"12345"),
                (other, NOON + at_ms, Direction.FROM_METER, b"1"),
                (killed, NOON + at_ms, Direction.TO_METER, b"123"),
                (killed, NOON + at_ms, Direction.NOTE, b"a remark"),
            ]
        )
    store.close_session(ended, SessionClosing(NOON, Outcome.READ, "", 77, 7))
    boot, _, _ = this_process().split(":")
    store.connection.execute("UPDATE session SET owner = ? WHERE id <> ?", (f"{boot}:{2**22 + 1}:5", other.id))
    assert store.close_killed_sessions() == 1
    totals = {session.id: (session.bytes_received, session.bytes_sent) for session in store.sessions()}
    assert totals == {killed.id: (15, 9), other.id: (0, 0), ended.id: (77, 7)}


def test_a_session_that_is_not_there_is_none(store: SqlStore) -> None:
    assert store.session(1) is None
    assert list(store.session_log(1)) == []
    other = open_store(":memory:")
    assert list(other.sessions()) == []
    other.close()


def test_small_chunks_of_many_sessions_are_one_entry_of_the_database(store: SqlStore) -> None:
    keys = [store.open_session(OPENING) for _ in range(50)]
    store.log([(key, NOON + at, Direction.FROM_METER, b"row %d" % at) for at in range(3) for key in keys])
    assert store.connection.all("SELECT id, direction FROM session_log") == [(150, "=")]
    for key in keys:
        assert [entry.data for entry in store.session_log(key.id)] == [b"row 0", b"row 1", b"row 2"]
    store.log([(keys[0], NOON, Direction.NOTE, b"alone")])
    assert store.connection.all("SELECT id, direction FROM session_log") == [(150, "="), (151, "-")]


def test_a_large_chunk_stands_alone_between_small_ones_in_the_order_of_the_wire(store: SqlStore) -> None:
    one, two = store.open_session(OPENING), store.open_session(OPENING)
    sizes = [5, 1024, 1025, 3, 4, 70_000, 1]
    store.log([(key, NOON, Direction.FROM_METER, bytes(size)) for size in sizes for key in (one, two)])
    for key in (one, two):
        assert [len(entry.data) for entry in store.session_log(key.id)] == sizes
    lengths = [length for (length,) in store.connection.all("SELECT LENGTH(data) FROM session_log ORDER BY id")]
    assert lengths.count(1025) == lengths.count(70_000) == 2


def test_more_chunks_than_a_segment_holds_are_all_there(store: SqlStore) -> None:
    key = store.open_session(OPENING)
    store.log([(key, NOON + number, Direction.FROM_METER, b"%d" % number) for number in range(9000)])
    assert [entry.at_ms - NOON for entry in store.session_log(key.id)] == list(range(9000))
    assert store.connection.one("SELECT COUNT(*), MAX(id) FROM session_log") == (3, 9000)
