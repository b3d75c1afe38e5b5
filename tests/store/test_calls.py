"""The book of calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CallResult
from gateway_server.store.calls import FOUND_ON_LINE, KILLED, CallTotal
from gateway_server.store.open import open_store
from gateway_server.store.records import CallRecord, Filter, SessionOpening
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON

CALL = CallRecord(0, "41203377", "m1", "+79161234567", NOON, signal=17)
OVER = replace(
    CALL,
    connected_ms=NOON + 20_000,
    ended_ms=NOON + 50_000,
    result=CallResult.LOST,
    detail="the carrier is gone",
    cause="16",
    bytes=4711,
    airtime_ms=28_123,
    attempt=2,
    session=5,
    job=9,
    bearer="71,0,1",
    operator="MTS",
    inbound=True,
)


def test_call_is_kept_from_its_dial_to_its_end(store: SqlStore) -> None:
    number = store.open_call(CALL)
    assert list(store.calls()) == [replace(CALL, id=number)]
    store.close_call(replace(OVER, id=number))
    assert list(store.calls()) == [replace(OVER, id=number)]


def test_calls_are_found_by_meter_time_state_result_and_session(store: SqlStore) -> None:
    for index, call in enumerate((CALL, replace(OVER, started_ms=NOON + 1000), replace(CALL, meter="2"))):
        store.open_call(replace(call, started_ms=call.started_ms + index))

    def found(wanted: Filter) -> list[int]:
        return [call.id for call in store.calls(wanted)]

    assert found(Filter(serials=("2",))) == [3]
    assert found(Filter(since_ms=NOON + 500)) == [2]
    assert found(Filter(until_ms=NOON)) == [1]
    assert found(Filter(states=("open",))) == [1, 3]
    assert found(Filter(states=("ended",))) == [2]
    assert found(Filter(outcomes=("lost",))) == [2]
    assert found(Filter(sessions=(5,))) == [2]
    assert found(Filter(newest_first=True, limit=2)) == [2, 3]


def test_call_that_is_not_there_cannot_be_ended(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="call 7 is not in the store"):
        store.close_call(replace(OVER, id=7))


def test_calls_of_a_killed_gateway_are_interrupted_when_the_store_is_opened(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    store = open_store(url)
    store.open_call(CALL)
    session = store.open_session(SessionOpening("csd", "x", NOON))
    store.open_call(replace(CALL, connected_ms=NOON + 20_000, session=session.id))
    with store.connection.transaction("kill"):
        store.connection.execute("UPDATE call SET owner = '999999@1'")
        store.connection.execute(
            "UPDATE session SET ended_ms = ?, bytes_received = 480, bytes_sent = 20", (NOON + 90_000,)
        )
    store.close()
    store = open_store(url)
    first, second = store.calls()
    assert (first.result, first.detail, first.ended_ms, first.airtime_ms) == (
        CallResult.INTERRUPTED, KILLED, NOON, 0,
    )  # fmt: skip
    assert (second.result, second.ended_ms, second.airtime_ms) == (CallResult.INTERRUPTED, NOON + 90_000, 70_000)
    assert (first.bytes, second.bytes) == (0, 500)
    store.close()


def test_calls_of_a_gateway_that_lives_stay_open(store: SqlStore) -> None:
    store.open_call(CALL)
    assert store.close_killed_calls() == 0
    assert [call.ended_ms for call in store.calls()] == [None]


BROKEN = replace(
    CALL, connected_ms=NOON + 20_000, ended_ms=NOON + 90_000, airtime_ms=70_000, result=CallResult.INTERRUPTED,
    detail=KILLED,
)  # fmt: skip


def test_call_is_paid_for_until_its_modem_is_on_hook(store: SqlStore) -> None:
    assert BROKEN.paid_ms == 70_000
    assert replace(BROKEN, ended_ms=NOON + 95_000).paid_ms == 75_000
    assert replace(BROKEN, connected_ms=None, airtime_ms=0).paid_ms == 0
    assert replace(BROKEN, ended_ms=None, airtime_ms=0).paid_ms == 0


def test_broken_call_is_paid_for_until_its_modem_is_found_on_line(store: SqlStore) -> None:
    store.open_call(replace(BROKEN, started_ms=NOON - 1))
    store.open_call(BROKEN)
    store.open_call(replace(BROKEN, modem="m2", started_ms=NOON + 1))
    store.found_on_line(BROKEN.modem, NOON + 3_600_000)
    before, last, other = store.calls()
    assert (last.ended_ms, last.airtime_ms, last.paid_ms) == (NOON + 3_600_000, 70_000, 3_580_000)
    assert last.detail == f"{KILLED}; {FOUND_ON_LINE}"
    assert (before.paid_ms, other.paid_ms) == (70_000, 70_000)


def test_calls_come_to_begun_minutes_call_by_call(store: SqlStore) -> None:
    assert store.call_total() == CallTotal()
    long = replace(BROKEN, modem="m2", result=CallResult.OK, ended_ms=NOON + 140_001)
    for call in (BROKEN, long, replace(BROKEN, inbound=True), replace(CALL, modem="m3")):
        store.open_call(call)
    assert store.call_total() == CallTotal(4, 1, 1, 140_000, 190_001, 2 + 3)
    assert store.call_total(Filter(names=("m2",))) == CallTotal(1, 0, 1, 70_000, 120_001, 3)


def test_modem_on_line_long_after_a_call_that_ended_well_was_in_no_call_of_ours(store: SqlStore) -> None:
    well = replace(BROKEN, result=CallResult.OK, detail="")
    store.open_call(well)
    store.found_on_line(well.modem, NOON + 3_600_000)
    assert next(store.calls()).paid_ms == 70_000
    store.found_on_line(well.modem, NOON + 100_000)
    (call,) = store.calls()
    assert (call.paid_ms, call.detail) == (80_000, FOUND_ON_LINE)


def test_pin_that_was_tried_is_remembered_until_it_was_right(store: SqlStore) -> None:
    assert store.pin_tried("m1") == ""
    store.note_pin_tried("m1", "123:5")
    assert store.pin_tried("m1") == "123:5"
    assert store.pin_tried("m2") == ""
    store.note_pin_tried("m1", "")
    assert store.pin_tried("m1") == ""
