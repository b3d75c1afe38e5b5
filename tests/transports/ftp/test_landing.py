"""The reactor's side: what reaches the writer, in which order, and what is told to whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from gateway_server.errors import StoreError, StoreFull
from gateway_server.model import Direction, Outcome
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import FileRecord, FileState, Filter, MeterRecord, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.transports.ftp.delivery import Delivery
from gateway_server.transports.ftp.landing import UNHEARD, Landing

NOW_MS = 1_790_000_000_000


class Hereabouts:
    """Stands for the FTP thread: runs at once."""

    def call(self, f: Callable[..., Any], *args: Any) -> None:
        f(*args)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.store: SqlStore = open_store(f"sqlite:///{folder / 'g.db'}")
        self.store.put_meter(MeterRecord("41203377", routes=("ftp:m1",)))
        self.clock = Clock()
        self.decoded: list[int] = []
        self.said: list[FileRecord | StoreError] = []
        facilities = Facilities(DirectWriter(self.store), self.clock, lambda: NOW_MS, Sweep(self.clock))
        self.landing = Landing(facilities, Hereabouts(), self.decoded.extend)  # type: ignore[arg-type]  # as much of the thread as is needed

    def delivery(self, content: bytes = b"0123456789", **named: Any) -> Delivery:
        one = Delivery("STOR", "/day.dat", "m1", "41203377", "drop", "10.0.0.1:4000", lambda: NOW_MS, **named)
        one.remark("ftp> STOR day.dat")
        one.received(content)
        return one

    def end(self, delivery: Delivery, why: str = "") -> FileRecord:
        land = self.landing.end if delivery.key is not None else self.landing.take
        land(delivery, delivery.take(), why, self.said.append)
        result = self.said.pop()
        assert isinstance(result, FileRecord)
        return result


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_whole_file_is_told_and_its_session_tells_the_same(bench: Bench) -> None:
    file = bench.end(bench.delivery())
    assert (file.state, file.size, file.meter) == (FileState.STORED, 10, "41203377")
    (session,) = bench.store.sessions(Filter())
    assert (session.outcome, session.meter, session.bytes_received) == (Outcome.READ, "41203377", 10)
    log = [(entry.direction, entry.data) for entry in bench.store.session_log(session.id)]
    assert log == [
        (Direction.NOTE, b"ftp> STOR day.dat"),
        (Direction.FROM_METER, b"0123456789"),
        (Direction.NOTE, b"ftp< 226 Stored."),
    ]


def test_files_that_arrived_are_decoded_until_the_end(bench: Bench) -> None:
    bench.landing.arrived((3, 4))
    assert bench.decoded == [3, 4]
    bench.landing.stop()
    bench.landing.arrived((5,))
    assert bench.decoded == [3, 4]


def test_pieces_of_a_long_upload_are_counted_for_the_other_side(bench: Bench) -> None:
    delivery = bench.delivery()
    bench.landing.part(delivery, delivery.take())
    assert bench.landing.taken == 10
    key = delivery.key
    delivery.received(b"more")
    bench.landing.part(delivery, delivery.take())
    assert delivery.key is key
    assert bench.end(delivery).size == 14
    assert bench.landing.taken == 14


def test_upload_cut_off_is_incomplete_and_its_log_tells_of_no_226(bench: Bench) -> None:
    file = bench.end(bench.delivery(), "the client aborted it")
    assert file.state is FileState.INCOMPLETE
    session = bench.store.session(file.session)
    assert session is not None
    assert (session.outcome, session.detail) == (Outcome.PARTIAL, "the client aborted it")
    assert b"226" not in b"".join(entry.data for entry in bench.store.session_log(session.id))


def test_file_of_which_the_client_was_not_told_is_incomplete(bench: Bench) -> None:
    file = bench.end(bench.delivery())
    bench.landing.unheard(file)
    (stored,) = bench.store.files(Filter())
    assert (stored.state, stored.detail) == (FileState.INCOMPLETE, UNHEARD)


def test_duplicate_stays_one_though_the_client_was_not_told(bench: Bench) -> None:
    bench.end(bench.delivery())
    again = bench.end(bench.delivery())
    assert again.state is FileState.DUPLICATE
    bench.landing.unheard(again)
    assert [file.state for file in bench.store.files(Filter())] == [FileState.STORED, FileState.DUPLICATE]


@pytest.mark.parametrize("in_parts", [False, True])
def test_store_that_fails_ends_the_session_as_a_fault_of_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, in_parts: bool
) -> None:
    def fails(*_: object, **_named: object) -> FileRecord:
        raise StoreError("locked")

    delivery = bench.delivery()
    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "finish_upload" if in_parts else "take_upload", fails)
        if in_parts:
            bench.landing.part(delivery, delivery.take())
            bench.landing.end(delivery, delivery.take(), "", bench.said.append)
        else:
            entries = delivery.take()
            bench.landing.take(delivery, entries, "", bench.said.append)
            assert isinstance(bench.said[-1], StoreError)
            bench.landing.refused(delivery, entries, "", bench.said[-1])
    assert isinstance(bench.said.pop(), StoreError)
    (session,) = bench.store.sessions(Filter())
    assert session.outcome is Outcome.GATEWAY_FAULT
    assert session.detail.startswith("the store could not keep what came: locked")
    log = b"".join(entry.data for entry in bench.store.session_log(session.id))
    assert b"0123456789" in log
    assert b"226" not in log


def test_upload_for_which_there_was_no_room_leaves_its_dialogue_and_no_file(bench: Bench) -> None:
    delivery = bench.delivery()
    bench.landing.refused(delivery, delivery.take(), "", StoreFull("no room"))
    (session,) = bench.store.sessions(Filter())
    assert session.outcome is Outcome.GATEWAY_FAULT
    assert [entry.data for entry in bench.store.session_log(session.id)] == [b"ftp> STOR day.dat"]
    assert list(bench.store.files()) == []


def test_meter_that_a_rule_names_is_the_registers(bench: Bench) -> None:
    one = Delivery("STOR", "/m1.dat", "bpek", "m1", "drop", "10.0.0.1:4", lambda: NOW_MS, shared=True)
    assert bench.end(one).meter == "41203377"
    two = Delivery("STOR", "/new.dat", "bpek", "55555555", "drop", "10.0.0.1:4", lambda: NOW_MS, shared=True)
    two.received(b"x")
    assert bench.end(two).meter == "55555555"
    three = Delivery("STOR", "/day.dat", "bpek", "", "drop", "10.0.0.1:4", lambda: NOW_MS, shared=True)
    three.received(b"y")
    assert bench.end(three).meter == ""


def test_connection_without_an_upload_leaves_what_was_said(bench: Bench) -> None:
    opening = SessionOpening("ftp", "10.0.0.1:4000", NOW_MS, listener="drop", caller="m1")
    bench.landing.remark(
        opening, NOW_MS + 5, Outcome.REFUSED, "login failed", [(NOW_MS + 2, Direction.NOTE, b"ftp> USER m1")]
    )
    (session,) = bench.store.sessions(Filter())
    assert (session.outcome, session.detail, session.caller) == (Outcome.REFUSED, "login failed", "m1")
    (entry,) = bench.store.session_log(session.id)
    assert (entry.at_ms, entry.direction, entry.data) == (NOW_MS + 2, Direction.NOTE, b"ftp> USER m1")
