from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gateway_server.errors import StoreFull
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.direct import DirectWriter
from gateway_server.store.open import open_store
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Writer
from gateway_server.store.writer import RETRY_S, SILENT_S, ThreadWriter
from tests.store.fake_reactor import FakeReactor
from tests.store.gateway import METER, READ, Gateway, running
from tests.store.samples import NOON, OPENING, contents, hour, opened


def test_both_writers_are_what_sessions_expect(store: SqlStore) -> None:
    writers: list[Writer] = [DirectWriter(store)]
    writers.append(ThreadWriter(FakeReactor(), lambda: store, on_fatal=print))


def test_a_session_is_stored_in_one_commit_for_each_turn_of_the_reactor(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[object] = []
        before = gateway.commits
        keys = [gateway.writer.open_session(OPENING) for _ in range(50)]
        for key in keys:
            gateway.writer.log(key, NOON, Direction.FROM_METER, b"row")
            gateway.writer.save(key, METER, [hour(keys.index(key))], [], answers.append)
        assert answers == []
        gateway.wait(answers, 50)
        assert answers == [Saved(new=1)] * 50
        assert gateway.commits - before == 1
        assert sorted(key.id for key in keys) == list(range(1, 51))
        assert gateway.writer.backlog == 0


def test_an_answer_means_that_another_process_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with running(path) as gateway:
        answers: list[object] = []
        key = gateway.writer.open_session(OPENING)
        gateway.writer.save(key, METER, [hour(1)], [], answers.append)
        gateway.wait(answers, 1)
        with opened(path) as other:
            assert [row.row for row in other.rows()] == [hour(1)]


def test_the_log_is_written_within_a_moment_without_anybody_waiting_for_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with running(path) as gateway:
        key = gateway.writer.open_session(OPENING)
        gateway.writer.log(key, NOON, Direction.FROM_METER, b"abc")
        gateway.reactor.turn()
        with opened(path) as other:
            assert [record.data for record in other.session_log(key.id)] == [b"abc"]


def test_a_line_on_which_nothing_is_said_is_on_record_a_moment_later(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with running(path) as gateway, opened(path) as other:
        silent, told = (gateway.writer.open_session(OPENING) for _ in range(2))
        gateway.writer.log(told, NOON, Direction.FROM_METER, b"abc")
        gateway.reactor.turn()
        assert [session.id for session in other.sessions()] == [told.id]
        assert silent.id == 0
        gateway.reactor.advance(SILENT_S)
        gateway.reactor.turn()
        assert [session.id for session in other.sessions()] == [told.id, silent.id]


def test_work_finds_the_session_it_is_about_though_nothing_was_said_in_it(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        key = gateway.writer.open_session(OPENING)
        assert gateway.call(lambda store: [session.id for session in store.sessions()]) == [key.id]
        assert key.id


def test_a_line_that_is_silent_when_the_gateway_stops_is_on_record(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with running(path) as gateway:
        key = gateway.writer.open_session(OPENING)
    with opened(path) as other:
        assert [session.id for session in other.sessions()] == [key.id]


def test_the_log_of_an_acknowledgement_goes_with_the_next_frame(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[object] = []
        key = gateway.writer.open_session(OPENING)
        before = gateway.commits
        for order in range(3):
            gateway.writer.log(key, NOON, Direction.FROM_METER, b"row")
            gateway.writer.save(key, METER, [hour(order)], [], answers.append)
            gateway.wait(answers, order + 1)
            gateway.writer.log(key, NOON, Direction.TO_METER, b"OK")
        assert gateway.commits - before == 3


def test_what_one_session_hands_over_is_written_in_its_order(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[object] = []
        key = gateway.writer.open_session(OPENING)
        gateway.writer.call(lambda store: store.identify(key, Identify("0041203377"), NOON).serial, answers.append)
        gateway.writer.save(key, "0041203377", [hour(1)], [], answers.append)
        gateway.writer.call(lambda store: len(list(store.rows())), answers.append)
        gateway.writer.close_session(key, READ, answers.append)
        gateway.wait(answers, 4)
        assert len(gateway.call(lambda store: store.meters())) == 1
        assert set(answers) == {Saved(new=1), "0041203377", 1, None}


def test_a_session_that_fails_over_its_answer_keeps_no_answer_from_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[object] = []

        def fails(answer: object) -> None:
            raise KeyError(answer)

        key = gateway.writer.open_session(OPENING)
        gateway.writer.save(key, METER, [hour(1)], [], fails)
        gateway.writer.save(key, METER, [hour(2)], [], answers.append)
        gateway.wait(answers, 1)
        assert "failed over the store's answer" in caplog.text


def test_stopping_writes_what_is_pending_and_refuses_what_comes_later(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "gateway.db")
    answers: list[Any] = []
    key = gateway.writer.open_session(OPENING)
    gateway.writer.save(key, METER, [hour(1)], [], answers.append)
    gateway.writer.close_session(key, READ)
    gateway.stop()
    assert answers == [Saved(new=1)]
    gateway.writer.save(key, METER, [hour(2)], [], answers.append)
    gateway.writer.log(key, NOON, Direction.FROM_METER, b"late")
    gateway.reactor.advance(0)
    assert "is stopping" in str(answers[1])
    gateway.stop()
    with opened(tmp_path / "gateway.db") as store:
        assert len(contents(store)) == 1
        assert [session.outcome for session in store.sessions()] == [Outcome.READ]


def test_lines_are_paused_when_the_store_is_behind_and_go_on_when_it_has_caught_up(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db", high_water=10_000, low_water=5_000) as gateway:
        key = gateway.writer.open_session(OPENING)
        for _ in range(9):
            gateway.writer.log(key, NOON, Direction.FROM_METER, bytes(2000))
        assert gateway.crowded == [True]
        gateway.reactor.until(lambda: gateway.writer.backlog == 0)
        assert gateway.crowded == [True, False]


class Disk:
    """The store's connection, on a disk of so many pages beyond what is used; changes with the next transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.room: int | None = None

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        if statement == "BEGIN IMMEDIATE" and self.room is not None:
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            self._connection.execute(f"PRAGMA max_page_count = {pages + self.room}")
            self.room = None
        return self._connection.execute(statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def stored_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT COUNT(*) FROM archive_row").fetchone()[0])


def test_a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[Any] = []
        early = gateway.writer.open_session(OPENING)
        gateway.writer.log(early, NOON, Direction.FROM_METER, b"early")
        gateway.reactor.turn()
        disk = gateway.store.connection.raw = Disk(gateway.store.connection.raw)
        disk.room = 10
        number = 0
        while not gateway.full:
            gateway.writer.save(early, METER, [hour(number + n) for n in range(30)], [], answers.append)
            gateway.wait(answers, len(answers) + 1)
            number += 30
        assert isinstance(answers.pop(), StoreFull)
        assert gateway.writer.full
        acknowledged = sum(saved.new for saved in answers)
        assert stored_rows(tmp_path / "gateway.db") == acknowledged
        assert "nothing is acknowledged until there is room" in caplog.text

        # something small still fits and is acknowledged, but that is no room
        disk.room = 8
        small: list[Any] = []
        gateway.writer.call(lambda store: store.add_job(METER, "{}", "", NOON), small.append)
        gateway.wait(small, 1)
        assert small == [1]
        assert gateway.full == [True]

        # a session that comes meanwhile is refused its readings; what nobody waits for is kept
        late = gateway.writer.open_session(OPENING)
        gateway.writer.log(late, NOON, Direction.FROM_METER, bytes(50_000))
        refused: list[Any] = []
        gateway.writer.save(late, METER, [hour(9999)], [], refused.append)
        gateway.wait(refused, 1)
        gateway.writer.close_session(late, READ)
        gateway.reactor.turn()
        assert isinstance(refused[0], StoreFull)
        assert [late.id] == [0]
        assert gateway.writer.backlog > 50_000
        assert gateway.full == [True]

        # room comes: the next try, which nobody has to ask for, writes what was kept
        disk.room = 1000
        gateway.reactor.advance(RETRY_S)
        gateway.reactor.until(lambda: gateway.full == [True, False])
        assert [late.id] != [0]
        assert gateway.writer.backlog == 0
        log = gateway.call(lambda store: [len(record.data) for record in store.session_log(late.id)])
        assert log == [50_000]
        again: list[Any] = []
        gateway.writer.save(late, METER, [hour(9999)], [], again.append)
        gateway.wait(again, 1)
        assert again == [Saved(new=1)]
        assert gateway.fatal == []


def test_a_store_without_room_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    def opened_at_the_third_try() -> SqlStore:
        tried.append(1)
        if len(tried) < 3:
            raise StoreFull("store gateway.db: there is no room on its disk")
        return open_store(f"sqlite:///{tmp_path}/gateway.db")

    reactor = FakeReactor()
    writer = ThreadWriter(reactor, opened_at_the_third_try, on_fatal=print)
    begun: list[None] = []
    Deferred.fromCoroutine(writer.begin()).addCallback(begun.append)
    for number in (1, 2):
        assert (len(tried), begun) == (number, [])
        reactor.advance(RETRY_S)
    assert (len(tried), begun) == (3, [None])
    (said,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert said == (
        "store gateway.db: there is no room on its disk; free some: the gateway waits, and begins as soon as there is"
        " room"
    )
    stopped: list[None] = []
    writer.stop().addCallback(stopped.append)
    reactor.until(lambda: stopped)
