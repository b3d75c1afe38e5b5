"""An upload as a whole is the same as its session, its log and its end one after the other, in fewer statements."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.errors import StoreError
from gateway_server.model import Direction, MeterState, Outcome
from gateway_server.store.arrivals import Entry
from gateway_server.store.check import check_store
from gateway_server.store.file_records import FileRecord, FileState, UploadEnd
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionClosing, SessionOpening, Upload
from gateway_server.store.sql import SqlStore
from tests.store.deliveries import DAY, LOGIN, content, wire
from tests.store.samples import NOON, opened

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["DAY.TXT", "NIGHT.TXT", "m2"]),
        st.sampled_from([b"", DAY, DAY[:9], b"other"]),
        st.sampled_from(["", "41203377", "041203377", "20511893", "m2", "55555555"]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


def whole(
    store: SqlStore,
    name: str = "DAY.TXT",
    data: bytes = DAY,
    *,
    serial: str = "",
    complete: bool = True,
    by_rule: bool = False,
    at_ms: int = 0,
    former: FileRecord | None = None,
    at_once: bool = True,
) -> FileRecord:
    """An upload in which DAY comes between two lines of dialogue."""
    offset = former.size if former is not None else 0
    opening = SessionOpening(
        "ftp", "127.0.0.1:50001", NOON + at_ms, serial=serial, listener="drop", caller=LOGIN,
        upload=Upload(name, b"", former.id if former is not None else 0, offset),
    )  # fmt: skip
    log: list[Entry] = [(NOON + at_ms, Direction.NOTE, b"ftp> STOR")]
    log += [(NOON + at_ms, Direction.FROM_METER, data[at : at + 20]) for at in range(0, len(data), 20)]
    log.append((NOON + at_ms, Direction.NOTE, b"ftp< 226 Stored."))
    end = UploadEnd(complete, len(data), hashlib.sha256(data).hexdigest())
    outcome, why = (Outcome.READ, "") if complete else (Outcome.PARTIAL, "the client aborted it")
    closing = SessionClosing(NOON + at_ms + 5, outcome, why, bytes_received=len(data), serial=serial)
    if at_once:
        return store.take_upload(opening, log, end, closing, by_rule=by_rule)
    key = store.open_session(opening)
    store.log([(key, *entry) for entry in log])
    return store.finish_upload(key, end, closing, by_rule=by_rule)


def everything(store: SqlStore) -> list[object]:
    """What can be seen of all that came."""
    return [
        list(store.files()),
        [(store.file_parts(file.id), content(store, file)) for file in store.files()],
        list(store.sessions(Filter())),
        [list(store.session_log(session.id)) for session in store.sessions(Filter())],
        store.meters(),
    ]


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_at_once_or_step_by_step_is_the_same(steps: list[tuple[str, bytes, str, bool, bool, bool]]) -> None:
    stores = [open_store(":memory:"), open_store(":memory:")]
    for at_once, store in zip((True, False), stores, strict=True):
        store.put_meter(MeterRecord("41203377", state=MeterState.ACTIVE))
        store.put_meter(MeterRecord("20511893", routes=("ftp:m2",)))
        for at_ms, (name, data, serial, complete, by_rule, resumes) in enumerate(steps):
            former = store.former_file(LOGIN, name, 0) if resumes else None
            record = whole(
                store, name, data, serial=serial, complete=complete, by_rule=by_rule, at_ms=at_ms, former=former,
                at_once=at_once,
            )  # fmt: skip
            known = store.file(record.id)
            assert known is not None
            assert record == replace(known, meter=record.meter)
    assert everything(stores[0]) == everything(stores[1])
    for store in stores:
        assert check_store(store).sound
        store.close()


def test_its_session_is_over_and_its_log_whole_with_the_file(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    record = whole(store, serial="41203377")
    assert (record.state, record.meter, record.size) == (FileState.STORED, "41203377", len(DAY))
    assert content(store, record) == wire(store, record.session) == DAY
    session = store.session(record.session)
    assert session is not None
    assert (session.outcome, session.ended_ms, session.bytes_received) == (Outcome.READ, NOON + 5, len(DAY))
    meter = store.meter("41203377")
    assert meter is not None
    assert meter.last_contact_ms == NOON + 5


def test_content_that_came_before_is_never_written_again(store: SqlStore) -> None:
    written: list[str] = []
    store.connection.raw.set_trace_callback(lambda statement: written.append(statement.upper()))
    first = whole(store)
    assert [statement for statement in written if DAY[:20].hex().upper() in statement]
    written.clear()
    again = whole(store)
    store.connection.raw.set_trace_callback(None)
    assert (again.state, again.same_as) == (FileState.DUPLICATE, first.id)
    assert not [statement for statement in written if DAY[:20].hex().upper() in statement]
    assert content(store, again) == DAY
    assert wire(store, again.session) == b""


def test_it_takes_few_statements_and_writes_no_row_twice(store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    whole(store, "first", b"first", serial="41203377")
    statements: list[str] = []
    store.connection.raw.set_trace_callback(statements.append)
    whole(store, serial="41203377")
    store.connection.raw.set_trace_callback(None)
    work = [one for one in statements if not one.startswith(("BEGIN", "COMMIT", "PRAGMA"))]
    assert len(work) <= 7, work
    assert not [one for one in work if one.startswith("UPDATE")]


def test_one_that_cannot_be_kept_leaves_nothing(store: SqlStore) -> None:
    cut = whole(store, complete=False)
    before = everything(store)
    with pytest.raises(StoreError, match="nothing can go on at byte"):
        whole(store, former=replace(cut, size=cut.size + 1))
    assert everything(store) == before


def test_it_is_there_for_another_program(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        record = whole(store)
    with opened(tmp_path / "gateway.db") as store:
        assert list(store.files()) == [record]
        assert content(store, record) == DAY
