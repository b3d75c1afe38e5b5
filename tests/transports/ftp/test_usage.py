"""Uploads at once and quotas, per account and per meter of a shared one."""

from __future__ import annotations

import re

import pytest

from gateway_server.transports.ftp.delivery import Delivery
from gateway_server.transports.ftp.terms import SharedAccount, Terms
from gateway_server.transports.ftp.usage import DAY_MS, Usage

TERMS = Terms("drop", uploads_per_account=2, quota=100, quota_files=3)
SHARED = SharedAccount("bpek", "", (("name", re.compile("(?P<id>.*)")),), uploads=5, quota=250, quota_files=7)


class Day:
    """A usage with its clock."""

    def __init__(self) -> None:
        self.ms = 20_000 * DAY_MS
        self.usage = Usage(lambda: self.ms)

    def begins(self, login: str = "m1", serial: str = "1") -> Delivery:
        shared = SHARED if login == "bpek" else None
        delivery = Delivery(
            "STOR", "/a", login, serial, "drop", "10.0.0.1:4", lambda: self.ms,
            allowances=TERMS.allowances(login, shared, serial),
        )  # fmt: skip
        self.usage.begin(delivery)
        return delivery

    def sends(self, delivery: Delivery, size: int) -> str:
        delivery.received(bytes(size))
        self.usage.received(delivery)
        return self.usage.over_quota(delivery.allowances)

    def uploads(self, size: int, login: str = "m1", serial: str = "1") -> None:
        delivery = self.begins(login, serial)
        self.sends(delivery, size)
        self.usage.end(delivery)

    def over_quota(self, login: str = "m1", serial: str = "1") -> str:
        return self.usage.over_quota(TERMS.allowances(login, SHARED if login == "bpek" else None, serial))

    def too_many(self, login: str = "m1", serial: str = "1") -> str:
        return self.usage.too_many(TERMS.allowances(login, SHARED if login == "bpek" else None, serial))


@pytest.fixture
def day() -> Day:
    return Day()


def test_quota_counts_bytes_and_files_of_a_day_per_account(day: Day) -> None:
    day.uploads(60)
    assert day.over_quota() == ""
    assert day.sends(day.begins("m2"), 100) == ""
    day.uploads(20)
    day.uploads(20)
    assert day.over_quota() == "3 files a day are allowed"
    day.ms += DAY_MS
    assert day.over_quota() == ""


def test_quota_holds_for_uploads_at_the_same_time(day: Day) -> None:
    first, second = day.begins(), day.begins()
    assert day.sends(first, 60) == ""
    assert day.sends(second, 40) == ""
    assert day.sends(second, 1) == "100 bytes a day are allowed"
    day.usage.end(second)
    assert day.sends(first, 1) == "100 bytes a day are allowed"


def test_uploads_at_once_are_counted_per_account(day: Day) -> None:
    first = day.begins()
    day.begins()
    assert day.too_many() == "this account has too many uploads at once"
    assert day.too_many("m2") == ""
    day.usage.end(first)
    assert day.too_many() == ""


def test_meters_of_a_shared_account_have_limits_of_their_own_and_those_of_all(day: Day) -> None:
    day.begins("bpek", "1")
    day.begins("bpek", "1")
    assert day.too_many("bpek", "1") == "this meter has too many uploads at once"
    assert day.too_many("bpek", "2") == ""
    for serial in ("2", "3", ""):
        day.begins("bpek", serial)
    assert day.too_many("bpek", "4") == "this account has too many uploads at once"


def test_meter_that_used_up_its_quota_keeps_no_other_of_the_account_from_uploading(day: Day) -> None:
    day.uploads(101, "bpek", "1")
    assert day.over_quota("bpek", "1") == "100 bytes a day are allowed"
    assert day.over_quota("bpek", "2") == ""
    day.uploads(150, "bpek", "")
    assert day.over_quota("bpek", "2") == "250 bytes a day are allowed"


def test_what_was_uploaded_before_a_restart_counts(day: Day) -> None:
    day.usage.recall(day.ms // DAY_MS, {("m1", "1"): (90, 1), ("bpek", "7"): (99, 1), ("bpek", ""): (1, 2)})
    assert day.sends(day.begins(), 11) == "100 bytes a day are allowed"
    assert day.sends(day.begins("bpek", "7"), 2) == "100 bytes a day are allowed"
    assert day.sends(day.begins("bpek", "8"), 99) == ""
