"""Wrong passwords counted, right ones remembered, and no work for who has not waited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import MeterState
from gateway_server.store.file_records import UploadAccount
from gateway_server.store.passwords import Verifier
from gateway_server.transports.ftp import login
from gateway_server.transports.ftp.login import ACCOUNT_SECONDS, Account, Attempts, Logins
from gateway_server.transports.ftp.terms import SharedAccount, Terms
from tests.transports.ftp.hall import HASH, PASSWORD

TERMS = Terms("drop", failed_logins=3, failed_logins_per_address=5, failed_login_delay=2.0, ban=600.0)


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def test_wrong_passwords_are_answered_later_and_later_up_to_a_bound(time: Time) -> None:
    attempts = Attempts(Terms("drop", failed_logins=100), time)
    assert [attempts.failed("10.0.0.1", "m1") for _ in range(6)] == [3.0, 6.0, 9.0, 12.0, 12.0, 12.0]


def test_login_is_shut_out_from_one_address_for_the_bans_time(time: Time) -> None:
    attempts = Attempts(TERMS, time)
    for _ in range(3):
        assert not attempts.banned("10.0.0.1", "m1")
        attempts.failed("10.0.0.1", "m1")
    assert attempts.banned("10.0.0.1", "m1")
    assert not attempts.banned("10.0.0.2", "m1")
    assert not attempts.banned("10.0.0.1", "m2")
    assert not attempts.banned("10.0.0.1")
    time.now += 600
    assert not attempts.banned("10.0.0.1", "m1")


def test_login_that_is_shut_out_already_does_not_shut_out_its_address(time: Time) -> None:
    attempts = Attempts(TERMS, time)
    for _ in range(100):
        attempts.failed("10.0.0.1", "m1")
    assert not attempts.banned("10.0.0.1")


def test_address_is_shut_out_by_many_logins_unless_one_is_right(time: Time) -> None:
    attempts = Attempts(TERMS, time)
    for number in range(4):
        attempts.failed("10.0.0.1", f"m{number}")
    attempts.succeeded("10.0.0.1", "m9")
    for number in range(4):
        attempts.failed("10.0.0.1", f"n{number}")
    assert not attempts.banned("10.0.0.1")
    attempts.failed("10.0.0.1", "n4")
    assert attempts.banned("10.0.0.1")


def test_only_so_many_failures_are_remembered(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MOST_REMEMBERED", 10)
    attempts = Attempts(TERMS, time)
    for number in range(100):
        attempts.failed(f"10.0.0.{number}", "m1")
    assert len(attempts._failures) == 10


class Desk:
    """Stands for the FTP thread and the store: what is called in the thread is called here, when asked for."""

    def __init__(self, time: Time) -> None:
        self.calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
        self.accounts: dict[str, UploadAccount] = {}
        self.asked: list[str] = []
        self.failure: StoreError | None = None
        self.logins = Logins(self, self.ask, Verifier(), lambda: int(time.now * 1000), time)  # type: ignore[arg-type]  # as much of the thread as is needed

    def call(self, f: Callable[..., Any], *args: Any) -> None:
        self.calls.put((f, args))

    def ask(self, work: Callable[[Any], Any], answer: Callable[[Any], None]) -> None:
        answer(self.failure or work(self))

    def upload_account(self, login: str) -> UploadAccount | None:
        self.asked.append(login)
        return self.accounts.get(login)

    def verdict(self, terms: Terms, login: str, password: str, *, wanted: bool = True) -> Any:
        said: list[Any] = []
        self.logins.verify(terms, login, password, said.append, lambda: wanted)
        while not said:
            f, args = self.calls.get(timeout=60)
            f(*args)
        return said[0]


@pytest.fixture
def desk(time: Time) -> Iterator[Desk]:
    desk = Desk(time)
    yield desk
    desk.logins.stop()


def test_right_password_is_known_at_once_the_second_time(desk: Desk, time: Time) -> None:
    desk.accounts["m1"] = UploadAccount("m1", "41203377", MeterState.ACTIVE, HASH)
    assert desk.logins.known(TERMS, "m1", PASSWORD) is None
    assert desk.verdict(TERMS, "m1", PASSWORD) == Account("m1", "41203377")
    assert desk.logins.known(TERMS, "m1", PASSWORD) == Account("m1", "41203377")
    assert desk.logins.known(TERMS, "m1", "wrong") is None
    time.now += ACCOUNT_SECONDS
    assert desk.logins.known(TERMS, "m1", PASSWORD) is None


def test_changed_password_and_switched_off_meter_are_noticed(desk: Desk, time: Time) -> None:
    desk.accounts["m1"] = UploadAccount("m1", "41203377", MeterState.ACTIVE, HASH)
    desk.verdict(TERMS, "m1", PASSWORD)
    desk.accounts["m1"] = UploadAccount("m1", "41203377", MeterState.DISABLED, HASH)
    time.now += ACCOUNT_SECONDS
    assert desk.verdict(TERMS, "m1", PASSWORD) == "meter 41203377 is switched off"
    assert desk.logins.known(TERMS, "m1", PASSWORD) is None
    desk.accounts["m1"] = UploadAccount("m1", "41203377", MeterState.ACTIVE, "")
    assert desk.verdict(TERMS, "m1", PASSWORD) == (
        "meter 41203377 has no upload password (`meter add --ftp-password-file`)"
    )


def test_who_is_not_known_learns_nothing_and_the_log_says_why(desk: Desk) -> None:
    desk.accounts["m1"] = UploadAccount("m1", "41203377", MeterState.ACTIVE, HASH)
    assert desk.verdict(TERMS, "m1", "wrong") == "wrong password"
    assert desk.verdict(TERMS, "m3", PASSWORD) == "no meter has the route ftp:m3"


def test_shared_account_needs_no_store(desk: Desk) -> None:
    shared = SharedAccount("bpek", HASH)
    terms = Terms("drop", shared=(shared,))
    assert desk.verdict(terms, "bpek", "wrong") == "wrong password"
    assert desk.verdict(terms, "bpek", PASSWORD) == Account("bpek", shared=shared)
    assert desk.logins.known(terms, "bpek", PASSWORD) == Account("bpek", shared=shared)
    assert desk.asked == []


def test_no_password_is_verified_for_a_client_that_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "verify", None)  # calling it would fail
    assert desk.verdict(TERMS, "m1", PASSWORD, wanted=False) == "the client has not waited"


def test_failing_store_and_too_many_waiting_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.failure = StoreError("locked")
    assert desk.verdict(TERMS, "m1", PASSWORD) is desk.failure
    monkeypatch.setattr(login, "MOST_WAITING", 0)
    assert str(desk.verdict(TERMS, "m1", PASSWORD)) == "too many passwords wait to be verified"
