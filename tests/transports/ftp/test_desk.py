"""What counts together over all connections: quotas, lines of the log, how far the store is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_server.errors import StoreError
from gateway_server.store.records import FileRecord, FileState, SessionOpening
from gateway_server.transports.ftp import desk
from gateway_server.transports.ftp.delivery import PIECE, Delivery, Entry
from gateway_server.transports.ftp.desk import MOST_AHEAD, Desk

DAY_MS = 86_400_000
FILE = FileRecord(17, "1", "m1", "a", 10, "", 0, FileState.STORED)


class Thread:
    """Stands for the FTP thread: keeps what is handed over."""

    loop = None

    def __init__(self) -> None:
        self.handed: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def hand_over(self, f: Callable[..., Any], *args: Any) -> None:
        self.handed.append((f, args))

    def call(self, f: Callable[..., Any], *args: Any) -> None:
        f(*args)


class Landing:
    def __init__(self) -> None:
        self.taken = 0
        self.took: list[tuple[int, str, Callable[[FileRecord | StoreError], None]]] = []

    def take(
        self, delivery: Delivery, entries: list[Entry], why: str, answer: Callable[[FileRecord | StoreError], None]
    ) -> None:
        self.took.append((delivery.size, why, answer))

    def part(self) -> None: ...

    def end(self) -> None: ...

    def remark(self) -> None: ...

    def refused(self) -> None: ...

    def unheard(self) -> None: ...

    def arrived(self) -> None: ...


class Channel:
    held = False

    def hold(self) -> None:
        self.held = True

    def go_on(self) -> None:
        self.held = False


class Control:
    def __init__(self) -> None:
        self.data_channel = Channel()


class Office:
    def __init__(self) -> None:
        self.ms = 20_000 * DAY_MS
        self.thread = Thread()
        self.landing = Landing()
        self.desk = Desk(self.thread, self.landing, lambda: self.ms)  # type: ignore[arg-type]  # as much of them as is needed

    def begin(self) -> tuple[Control, Delivery]:
        control = Control()
        delivery = Delivery("STOR", "/a", "m1", "1", "drop", "10.0.0.1:4", lambda: self.ms)
        self.desk.begin(control, delivery)
        return control, delivery

    def uploaded(self, size: int) -> None:
        control, delivery = self.begin()
        delivery.received(bytes(size))
        self.desk.end(control, delivery, "", None)


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.desk.logins.stop()


def test_small_file_goes_to_the_store_in_one_step_and_a_large_one_in_pieces(office: Office) -> None:
    office.uploaded(4096)
    assert [size for size, _, _ in office.landing.took] == [4096]
    assert office.thread.handed == []
    control, delivery = office.begin()
    delivery.received(bytes(PIECE - 1))
    office.desk.received(delivery)
    assert office.thread.handed == []
    delivery.received(b"x")
    office.desk.received(delivery)
    assert [f for f, _ in office.thread.handed] == [office.landing.part]
    office.desk.end(control, delivery, "", None)
    assert [f for f, _ in office.thread.handed] == [office.landing.part, office.landing.end]
    assert len(office.landing.took) == 1


def test_little_that_came_a_while_ago_is_swept_into_the_store(office: Office) -> None:
    _, delivery = office.begin()
    office.desk.sweep()
    assert office.thread.handed == []
    delivery.received(b"x")
    office.desk.sweep()
    assert [f for f, _ in office.thread.handed] == [office.landing.part]


def test_clients_wait_while_the_reactor_is_behind(office: Office) -> None:
    control, delivery = office.begin()
    delivery.received(bytes(MOST_AHEAD + 1))
    office.desk.received(delivery)
    assert control.data_channel.held
    office.landing.taken = MOST_AHEAD // 2 + 1
    office.desk.sweep()
    assert not control.data_channel.held


def test_clients_wait_while_too_much_waits_for_its_commit(office: Office) -> None:
    control, _ = office.begin()
    for _ in range(MOST_AHEAD // PIECE + 1):
        office.uploaded(PIECE)
    assert control.data_channel.held
    for _, _, answer in office.landing.took:
        answer(FILE)
    assert not control.data_channel.held


def test_file_is_decoded_some_time_after_its_client_was_told(office: Office) -> None:
    office.uploaded(10)
    office.landing.took[0][2](FILE)
    assert office.thread.handed == []
    office.desk.sweep()
    assert office.thread.handed == [(office.landing.arrived, ((17,),))]
    office.desk.sweep()
    assert len(office.thread.handed) == 1


def test_file_whose_client_was_gone_is_not_decoded(office: Office) -> None:
    office.uploaded(10)
    office.landing.took[0][2](FILE)
    office.desk.unheard(FILE)
    office.desk.sweep()
    assert office.thread.handed == [(office.landing.unheard, (FILE,))]


def test_upload_the_store_refused_is_told_to_whoever_asked_and_leaves_a_session(office: Office) -> None:
    control, delivery = office.begin()
    delivery.received(b"x")
    told: list[FileRecord | StoreError] = []
    office.desk.end(control, delivery, "", told.append)
    error = StoreError("locked")
    office.landing.took[0][2](error)
    assert told == [error]
    ((what, (which, _, why, said)),) = office.thread.handed
    assert (what, which, why, said) == (office.landing.refused, delivery, "", error)


def test_clients_wait_while_the_store_is_behind(office: Office) -> None:
    control, _ = office.begin()
    office.desk.hold()
    assert control.data_channel.held
    assert office.desk.held
    office.desk.go_on()
    assert not control.data_channel.held


def test_log_and_sessions_of_refusals_are_bounded(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(desk, "monotonic", lambda: now[0])
    for number in range(50):
        office.desk.complain("refused %d", number)
        office.desk.remark(SessionOpening("ftp", "10.0.0.1:4", 0), "why", [])
    assert len(caplog.records) == 20
    assert len(office.thread.handed) == 20
    now[0] += 10
    office.desk.complain("refused again")
    assert [record.getMessage() for record in caplog.records[20:]] == [
        "30 more refusals of uploaders were not logged one by one", "refused again",
    ]  # fmt: skip


def test_unique_numbers_never_come_twice(office: Office) -> None:
    assert len({office.desk.unique() for _ in range(1000)}) == 1000
