"""What counts together over all connections: quotas, lines of the log, how far the store is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_server.store.records import SessionOpening
from gateway_server.transports import ftp_desk
from gateway_server.transports.ftp_delivery import PIECE, Delivery
from gateway_server.transports.ftp_desk import MOST_AHEAD, Desk
from gateway_server.transports.ftp_terms import Terms

DAY_MS = 86_400_000


class Thread:
    """Stands for the FTP thread: keeps what is handed over."""

    def __init__(self) -> None:
        self.handed: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def hand_over(self, f: Callable[..., Any], *args: Any) -> None:
        self.handed.append((f, args))

    def call(self, f: Callable[..., Any], *args: Any) -> None:
        f(*args)


class Landing:
    taken = 0

    def part(self) -> None: ...

    def end(self) -> None: ...

    def remark(self) -> None: ...


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


def test_quota_counts_bytes_and_files_of_a_day_per_account(office: Office) -> None:
    terms = Terms("drop", quota=100, quota_files=3)
    office.uploaded(60)
    assert office.desk.over_quota(terms, "m1") == ""
    assert office.desk.over_quota(terms, "m1", 41) == "100 bytes a day are allowed"
    assert office.desk.over_quota(terms, "m2", 41) == ""
    office.uploaded(20)
    office.uploaded(20)
    assert office.desk.over_quota(terms, "m1") == "3 files a day are allowed"
    office.ms += DAY_MS
    assert office.desk.over_quota(terms, "m1") == ""


def test_small_file_goes_to_the_store_in_one_step_and_a_large_one_in_pieces(office: Office) -> None:
    office.uploaded(4096)
    assert [f for f, _ in office.thread.handed] == [office.landing.end]
    office.thread.handed.clear()
    _, delivery = office.begin()
    delivery.received(bytes(PIECE - 1))
    office.desk.received(delivery)
    assert office.thread.handed == []
    delivery.received(b"x")
    office.desk.received(delivery)
    assert [f for f, _ in office.thread.handed] == [office.landing.part]


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


def test_clients_wait_while_the_store_is_behind(office: Office) -> None:
    control, _ = office.begin()
    office.desk.hold()
    assert control.data_channel.held
    assert office.desk.held
    office.desk.go_on()
    assert not control.data_channel.held


def test_uploads_at_once_are_counted_per_account(office: Office) -> None:
    control, delivery = office.begin()
    office.begin()
    assert office.desk.by_login["m1"] == 2
    office.desk.end(control, delivery, "", None)
    assert office.desk.by_login["m1"] == 1


def test_log_and_sessions_of_refusals_are_bounded(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(ftp_desk, "monotonic", lambda: now[0])
    for number in range(50):
        office.desk.complain("refused %d", number)
        office.desk.remark(SessionOpening("ftp", "10.0.0.1:4", 0), "why", "words")
    assert len(caplog.records) == 20
    assert len(office.thread.handed) == 20
    now[0] += 10
    office.desk.complain("refused again")
    assert [record.getMessage() for record in caplog.records[20:]] == [
        "30 more refusals of uploaders were not logged one by one", "refused again",
    ]  # fmt: skip


def test_unique_numbers_never_come_twice(office: Office) -> None:
    assert len({office.desk.unique() for _ in range(1000)}) == 1000
