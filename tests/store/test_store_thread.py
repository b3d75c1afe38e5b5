from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway_server.errors import OperatorError, StoreBroken, StoreError, StoreFull, UnknownMeter
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.check import check_store
from gateway_server.store.inbox import FOLD_AT
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, SessionKey
from gateway_server.store.sessions import KILLED
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import ThreadWriter
from tests.store.fake_reactor import FakeReactor
from tests.store.gateway import METER, NOTHING, Gateway, running
from tests.store.samples import NOON, OPENING, contents, hour, opened


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


def test_a_store_that_does_not_open_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"this is a letter to the gas company, not a database" * 100)
    with pytest.raises(OperatorError, match="not a database"):
        Gateway(tmp_path / "gateway.db")
    nowhere = ThreadWriter(FakeReactor(), lambda: open_store("mysql://x"), on_fatal=print)
    with pytest.raises(OperatorError, match="sqlite:///PATH"):
        nowhere.start()
    assert nowhere.stop().called


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


KILLED_WRITER = """
import sys
from pathlib import Path
from tests.store.test_store_thread import write_until_killed
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
