"""What is asked of a meter: exactly what is missing, the newest first, within a budget; and what is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from gateway_server.model import ArchiveRange, Outcome, ReadOrder
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.obligations import Budget, Fitted, Obligations
from gateway_server.store.open import open_store
from gateway_server.store.plan_records import Span
from gateway_server.store.records import JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.sql import SqlStore
from tests.scheduler.test_completeness import NOW, SERIAL, at, hours, keep, row

ARCHIVE = ReadOrder(frozenset({"archive"}))
BUDGET = Budget(100_000, 300)


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    store.put_meter(MeterRecord(SERIAL))
    yield store
    store.close()


def job(order: ReadOrder = ARCHIVE, origin: Origin = Origin.SCHEDULE, session: int = 0) -> JobRecord:
    return JobRecord(1, SERIAL, order.to_json(), "", JobState.RUNNING, NOW, origin=origin, session=session)


def asked(store: SqlStore, one: JobRecord, budget: Budget = BUDGET) -> Fitted:
    return Obligations(Terms(), budget).fit(store, one, MeterRecord(SERIAL), NOW)


def hour(number: int) -> datetime:
    """Of the first of April in Moscow, where the rows begin at ten o'clock."""
    return datetime(2024, 4, 1 + (10 + number) // 24, (10 + number) % 24)


def test_holes_are_asked_for_in_the_meters_own_clock_the_newest_first(store: SqlStore) -> None:
    hours(store, 20, 21, 60, 99, 100)
    order = asked(store, job()).order
    assert order.ranges == (
        ArchiveRange("interval", hour(99), hour(100)),
        ArchiveRange("interval", hour(60), hour(60)),
        ArchiveRange("interval", hour(20), hour(21)),
    )
    assert order.archives == ("interval",)


def test_holes_with_few_rows_between_them_are_one_request(store: SqlStore) -> None:
    hours(store, 20, 29, 39)
    assert asked(store, job()).order.ranges == (
        ArchiveRange("interval", hour(39), hour(39)),
        ArchiveRange("interval", hour(20), hour(29)),
    )


def test_meter_that_misses_nothing_need_not_be_asked_unless_for_something_else(store: SqlStore) -> None:
    hours(store)
    assert asked(store, job()).nothing
    both = asked(store, job(ReadOrder(frozenset({"archive", "current"}))))
    assert not both.nothing
    assert both.order == ReadOrder(frozenset({"current"}))


def test_event_log_is_read_beside_the_holes(store: SqlStore) -> None:
    hours(store, 60)
    order = asked(store, job(ReadOrder(frozenset({"archive", "events"})))).order
    assert order.archives == ("interval", "events")


def test_what_a_person_orders_stays_as_it_is(store: SqlStore) -> None:
    hours(store, 60)
    order = ReadOrder(frozenset({"archive"}), ("daily",), datetime(2024, 1, 1))
    assert asked(store, job(order, Origin.PERSON)) == Fitted(order)


def test_meter_that_called_is_asked_for_what_lies_in_front_of_its_newest_row_within_the_budget(store: SqlStore) -> None:
    hours(store, *range(20, 40), 60, *range(95, 101))
    overdue = job(origin=Origin.COMPLETENESS)
    everything = asked(store, overdue)
    assert everything.order.ranges == (
        ArchiveRange("interval", hour(60), hour(60)),
        ArchiveRange("interval", hour(20), hour(39)),
    )
    assert everything.seconds == 300
    assert asked(store, overdue, Budget(5 * 150, 300)).order.ranges == (
        ArchiveRange("interval", hour(60), hour(60)),
        ArchiveRange("interval", hour(36), hour(39)),
    )
    assert Budget(10**9, 3.0).rows == 20


def test_what_a_whole_session_did_not_bring_the_device_does_not_have(store: SqlStore) -> None:
    hours(store, 20, 21, 60)
    done = asked(store, job())
    session = keep(store, [row(at(60), 60)])
    left = Obligations(Terms(), BUDGET).settle(store, job(session=session), done, Outcome.READ, NOW)
    assert left == 0
    assert store.lost(SERIAL, "interval") == [Span(at(20), at(21))]
    assert asked(store, job()).nothing


def test_rows_of_the_last_day_may_still_come_from_a_device_whose_clock_is_behind(store: SqlStore) -> None:
    hours(store, 100)
    done = asked(store, job())
    Obligations(Terms(), BUDGET).settle(store, job(session=keep(store, [])), done, Outcome.READ, NOW)
    assert store.lost(SERIAL, "interval") == []
    assert not asked(store, job()).nothing


def test_session_that_broke_off_says_nothing_of_what_it_did_not_get_to(store: SqlStore) -> None:
    hours(store, *range(20, 30), 60)
    done = asked(store, job())
    obligations = Obligations(Terms(), BUDGET)
    for night in range(5):
        session = keep(store, [row(at(60), 60)] if not night else [])
        assert obligations.settle(store, job(session=session), done, Outcome.PARTIAL, NOW) == 10
    assert store.lost(SERIAL, "interval") == []


def test_damaged_row_that_sessions_go_past_again_and_again_is_lost(store: SqlStore) -> None:
    hours(store, *range(20, 30))
    obligations = Obligations(Terms(), BUDGET)
    done = asked(store, job())
    session = keep(store, [row(at(number), number) for number in range(20, 30) if number != 25])
    assert obligations.settle(store, job(session=session), done, Outcome.PARTIAL, NOW) == 1
    assert store.lost(SERIAL, "interval") == []
    for _ in range(2):
        again = Fitted(done.order, (("interval", (Span(at(20), at(29)),)),))
        obligations.settle(store, job(session=session), again, Outcome.PARTIAL, NOW)
    assert store.lost(SERIAL, "interval") == [Span(at(25), at(25))]


@pytest.mark.parametrize("outcome", [Outcome.SILENT, Outcome.LINE_LOST, Outcome.GARBLED, Outcome.REFUSED])
def test_meter_that_did_not_answer_has_lost_nothing(store: SqlStore, outcome: Outcome) -> None:
    hours(store, 20)
    assert Obligations(Terms(), BUDGET).settle(store, job(), asked(store, job()), outcome, NOW) == 1
    assert store.lost(SERIAL, "interval") == []


def test_meter_is_overdue_when_rows_in_front_of_its_newest_are_missing(store: SqlStore) -> None:
    hours(store, *range(90, 101))
    obligations = Obligations(Terms(), BUDGET)
    assert not obligations.overdue(store, MeterRecord(SERIAL), NOW)
    keep(store, [row(at(95), 95)])
    assert obligations.overdue(store, MeterRecord(SERIAL), NOW)
