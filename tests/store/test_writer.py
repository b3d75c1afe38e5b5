from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gateway_server.errors import OperatorError, StoreBroken, StoreError, StoreFull, UnknownMeter
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.check import check_store
from gateway_server.store.direct import DirectWriter
from gateway_server.store.inbox import FOLD_AT
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, SessionClosing, SessionKey
from gateway_server.store.sessions import KILLED
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store, Writer
from gateway_server.store.writer import RETRY_S, ThreadWriter
from tests.store.fake_reactor import FakeReactor
from tests.store.samples import NOON, OPENING, contents, hour, opened

METER = "41203377"
NOTHING: dict[str, str] = {}
READ = SessionClosing(NOON + 9, Outcome.READ, "30 rows", 100, 20, METER, "lis200", "1")


class Gateway:
    """A thread writer with a reactor turned by hand, and everything it said."""

    def __init__(self, path: Path, **limits: int) -> None:
        self.reactor = FakeReactor()
        self.fatal: list[StoreBroken] = []
        self.full: list[bool] = []
        self.crowded: list[bool] = []
        self.commits = 0
        self.writer = ThreadWriter(
            self.reactor,
            partial(self._open, path),
            on_fatal=self.fatal.append,
            on_full=self.full.append,
            on_backlog=self.crowded.append,
            **limits,
        )
        self.writer.start()

    def _open(self, path: Path) -> SqlStore:
        self.store = open_store(f"sqlite:///{path}")
        self.store.connection.raw.set_trace_callback(self._traced)
        return self.store

    def _traced(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def wait(self, answers: list[Any], count: int) -> None:
        self.reactor.until(lambda: len(answers) >= count)

    def call(self, work: Callable[[Store], Any]) -> Any:
        answers: list[Any] = []
        self.writer.call(work, answers.append)
        self.wait(answers, 1)
        return answers[0]

    def stop(self) -> None:
        stopped: list[None] = []
        self.writer.stop().addCallback(stopped.append)
        self.wait(stopped, 1)


@contextmanager
def running(path: Path, **limits: int) -> Iterator[Gateway]:
    gateway = Gateway(path, **limits)
    try:
        yield gateway
    finally:
        gateway.stop()


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


def test_work_that_fails_undoes_itself_and_reaches_only_whoever_asked_for_it(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[Any] = []

        def half(store: Store) -> None:
            store.identify(key, Identify("999"), NOON)
            raise UnknownMeter("not this one")

        key = gateway.writer.open_session(OPENING)
        gateway.writer.save(key, METER, [hour(1)], [], answers.append)
        gateway.writer.call(half, answers.append)
        gateway.writer.call(lambda store: NOTHING["nothing"], answers.append)
        gateway.writer.call(lambda store: store.meter("999"), answers.append)
        gateway.wait(answers, 4)
        saved, own, foreign, meter = answers
        assert (saved, meter) == (Saved(new=1), None)
        assert isinstance(own, UnknownMeter)
        assert isinstance(foreign, StoreError)
        assert "KeyError" in str(foreign)


def test_what_the_store_cannot_keep_fails_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: dict[str, Any] = {}
        good, bad = gateway.writer.open_session(OPENING), gateway.writer.open_session(OPENING)
        gateway.writer.log(good, NOON, Direction.FROM_METER, b"good")
        gateway.writer.log(SessionKey(4711), NOON, Direction.FROM_METER, b"of no session")
        gateway.writer.save(good, METER, [hour(1)], [], partial(answers.__setitem__, "good"))
        gateway.writer.save(bad, METER, [hour(1 << 70)], [], partial(answers.__setitem__, "bad"))
        gateway.reactor.until(lambda: len(answers) == 2)
        assert answers["good"] == Saved(new=1)
        assert isinstance(answers["bad"], StoreError)
        assert [record.data for record in gateway.call(lambda store: list(store.session_log(good.id)))] == [b"good"]
        assert gateway.fatal == []
        assert caplog.text.count("not stored: ") == 2


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


def test_a_store_that_does_not_open_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"this is a letter to the gas company, not a database" * 100)
    with pytest.raises(OperatorError, match="not a database"):
        Gateway(tmp_path / "gateway.db")
    nowhere = ThreadWriter(FakeReactor(), lambda: open_store("mysql://x"), on_fatal=print)
    with pytest.raises(OperatorError, match="sqlite:///PATH"):
        nowhere.start()
    assert nowhere.stop().called


def test_lines_are_paused_when_the_store_is_behind_and_go_on_when_it_has_caught_up(tmp_path: Path) -> None:
    with running(tmp_path / "gateway.db", high_water=10_000, low_water=5_000) as gateway:
        key = gateway.writer.open_session(OPENING)
        for _ in range(9):
            gateway.writer.log(key, NOON, Direction.FROM_METER, bytes(2000))
        assert gateway.crowded == [True]
        gateway.reactor.until(lambda: gateway.writer.backlog == 0)
        assert gateway.crowded == [True, False]


# a disk without room: SQLite is told that its file must not grow


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


# files that fail


class FailingFile:
    """Makes the store's statements fail as SQLite does when its files do."""

    def __init__(self, connection: sqlite3.Connection, code: int) -> None:
        self._connection = connection
        self._error = sqlite3.OperationalError("disk I/O error")
        self._error.sqlite_errorcode = code

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        if statement == "COMMIT":
            raise self._error
        return self._connection.execute(statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CORRUPT])
def test_a_store_whose_files_fail_is_never_tried_again(tmp_path: Path, code: int) -> None:
    with running(tmp_path / "gateway.db") as gateway:
        answers: list[Any] = []
        key = gateway.writer.open_session(OPENING)
        gateway.writer.log(key, NOON, Direction.FROM_METER, b"early")
        gateway.reactor.turn()
        gateway.store.connection.raw = FailingFile(gateway.store.connection.raw, code)
        gateway.writer.save(key, METER, [hour(1)], [], answers.append)
        gateway.wait(answers, 1)
        gateway.store.connection.raw = gateway.store.connection.raw._connection
        gateway.writer.save(key, METER, [hour(2)], [], answers.append)
        gateway.writer.call(lambda store: store.meters(), answers.append)
        gateway.wait(answers, 3)
        assert [type(answer) for answer in answers] == [StoreBroken] * 3
        assert len(gateway.fatal) == 1
        assert gateway.writer.broken is gateway.fatal[0]
    with opened(tmp_path / "gateway.db") as store:
        assert contents(store) == []


# kill -9

KILLED_WRITER = """
import sys
from pathlib import Path
from tests.store.test_writer import write_until_killed
write_until_killed(Path(sys.argv[1]), int(sys.argv[2]))
"""


def write_until_killed(path: Path, first: int) -> None:
    """Writes rows and prints the number of each one that was acknowledged."""
    gateway = Gateway(path)
    key = gateway.writer.open_session(OPENING)
    number = first

    def saved(number: int, result: Saved | StoreError) -> None:
        os.write(1, f"{number}\n".encode() if isinstance(result, Saved) else b"refused\n")

    while True:
        for _ in range(5):
            gateway.writer.log(key, NOON, Direction.FROM_METER, b"%d" % number)
            gateway.writer.save(key, METER, [hour(number)], [], partial(saved, number))
            number += 1
        gateway.reactor.turn()


def test_a_gateway_killed_at_any_moment_has_everything_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    moments = random.Random(2)
    acknowledged: set[int] = set()
    first = 0
    kills = 20
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED_WRITER, str(path), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(moments.randrange(1, 400))]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        assert "refused\n" not in lines
        acknowledged.update(int(line) for line in lines if line.endswith("\n"))
        first = max(acknowledged) + 1000
    with opened(path) as store:
        stored = {row.row.order_number for row in store.rows()}
        logged = {int(record.data) for session in store.sessions() for record in store.session_log(session.id)}
        report = check_store(store)
        sessions = list(store.sessions(Filter(outcomes=(Outcome.GATEWAY_FAULT.value,))))
    assert len(acknowledged) > kills
    assert acknowledged <= stored
    assert stored <= logged
    assert (report.problems, report.killed) == ((), ())
    assert {session.detail for session in sessions} == {KILLED}
    assert len(sessions) == kills


def saved_by_many(gateway: Gateway, first: int, count: int) -> None:
    """One row of each of so many meters, in one batch."""
    answers: list[object] = []
    for number in range(first, first + count):
        key = gateway.writer.open_session(OPENING)
        gateway.writer.save(key, f"{number:06d}", [hour(1)], [], answers.append)
    gateway.wait(answers, count)
    assert answers == [Saved(new=1)] * count


def in_inbox(path: Path) -> int:
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT COUNT(*) FROM inbox_row").fetchone()[0])


def test_rows_are_folded_into_the_archive_when_thousands_have_come(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with running(path) as gateway:
        saved_by_many(gateway, 0, 100)
        assert in_inbox(path) == 100
        saved_by_many(gateway, 100, FOLD_AT)
        assert gateway.call(lambda store: len(list(store.rows()))) == FOLD_AT + 100
        assert in_inbox(path) == 0
    assert in_inbox(path) == 0


def test_an_inbox_that_cannot_be_folded_is_left_as_it_is_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_room(store: SqlStore) -> None:
        raise StoreFull("no room on the store's disk")

    path = tmp_path / "gateway.db"
    with running(path) as gateway:
        with monkeypatch.context() as patched:
            patched.setattr(SqlStore, "fold", no_room)
            saved_by_many(gateway, 0, FOLD_AT)
            saved_by_many(gateway, FOLD_AT, 10)
            assert in_inbox(path) == FOLD_AT + 10
        assert gateway.full == []
        saved_by_many(gateway, 2 * FOLD_AT, FOLD_AT)
        assert gateway.call(lambda store: len(list(store.rows()))) == 2 * FOLD_AT + 10
        assert in_inbox(path) == 0
    assert [record.message for record in caplog.records if "inbox" in record.message] == [
        "new rows wait in the store's inbox: no room on the store's disk"
    ]


def test_files_that_fail_while_the_inbox_is_folded_end_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(store: SqlStore) -> None:
        raise StoreBroken("the store's files failed")

    monkeypatch.setattr(SqlStore, "fold", broken)
    with running(tmp_path / "gateway.db") as gateway:
        saved_by_many(gateway, 0, FOLD_AT)
        gateway.reactor.until(lambda: gateway.fatal)
        answers: list[object] = []
        gateway.writer.save(gateway.writer.open_session(OPENING), METER, [hour(1)], [], answers.append)
        gateway.wait(answers, 1)
        assert [type(answer) for answer in answers] == [StoreBroken]


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
