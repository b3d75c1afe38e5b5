"""Stops, rows that are lost, archives that are settled, air time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.model import CallResult
from gateway_server.store.plan_records import Settled, Span
from gateway_server.store.records import CallRecord, MeterRecord
from gateway_server.store.sql import SqlStore
from tests.store.samples import HOUR, NOON

SERIAL = "41203377"


@pytest.fixture(autouse=True)
def meter(store: SqlStore) -> None:
    store.put_meter(MeterRecord(SERIAL, routes=("csd:+79161234567", "tcp:10.0.0.1:4001")), "3:4711")


def test_refused_meter_stays_stopped_until_its_access_code_is_changed_or_somebody_resumes_it(store: SqlStore) -> None:
    store.stop_plan(SERIAL, CallResult.REFUSED, "#0017 wrong access code", NOON)
    stop = store.plan_stops(NOON)[SERIAL]
    assert (stop.result, stop.detail, stop.since_ms) == (CallResult.REFUSED, "#0017 wrong access code", NOON)
    store.put_meter(MeterRecord(SERIAL, routes=("csd:+79990000000",)))
    assert SERIAL in store.plan_stops(NOON)
    assert store.resume_plan(SERIAL)
    assert not store.resume_plan(SERIAL)
    store.stop_plan(SERIAL, CallResult.REFUSED, "again", NOON)
    store.put_meter(MeterRecord(SERIAL), "3:0815")
    assert store.plan_stops(NOON) == {}


def test_wrong_number_is_called_again_when_it_is_edited_and_not_when_something_else_is(store: SqlStore) -> None:
    store.stop_plan(SERIAL, CallResult.WRONG_NUMBER, "no such number", NOON)
    store.put_meter(MeterRecord(SERIAL, "boiler house", routes=("csd:+79161234567",)), "3:1")
    assert SERIAL in store.plan_stops(NOON)
    store.put_meter(MeterRecord(SERIAL, routes=("csd:+79161234568",)))
    assert store.plan_stops(NOON) == {}


def test_stop_of_a_barred_number_ends_with_its_time_or_when_the_number_is_changed(store: SqlStore) -> None:
    for change in (False, True):
        store.stop_plan(SERIAL, CallResult.BARRED, "barred, or no credit", NOON, NOON + 1000)
        assert store.plan_stops(NOON + 999)[SERIAL].until_ms == NOON + 1000
        if change:
            store.put_meter(MeterRecord(SERIAL, routes=("csd:+79169999999",)))
        assert store.plan_stops(NOON + (999 if change else 1000)) == {}
        assert store.plan_stops(NOON) == {}


def test_row_is_lost_at_once_when_the_device_has_none_and_after_three_times_otherwise(store: SqlStore) -> None:
    gone, damaged = Span(NOON, NOON + HOUR), Span(NOON + 9 * HOUR, NOON + 9 * HOUR)
    store.note_asked(SERIAL, "interval", [gone], NOON, none_there=True)
    for _ in range(2):
        store.note_asked(SERIAL, "interval", [damaged], NOON, none_there=False)
    assert store.lost(SERIAL, "interval") == [gone]
    store.note_asked(SERIAL, "interval", [damaged], NOON, none_there=False)
    assert store.lost(SERIAL, "interval") == [gone, damaged]
    assert store.lost(SERIAL, "daily") == []
    assert store.ask_again(SERIAL) == 2
    assert store.lost(SERIAL, "interval") == []


def test_settled_archive_is_kept_as_it_was_last_found(store: SqlStore) -> None:
    assert store.settled(SERIAL, "interval") is None
    settled = Settled(HOUR, NOON, NOON + HOUR, 2, 2, NOON)
    store.settle(SERIAL, "interval", settled)
    store.settle(SERIAL, "interval", replace(settled, until_ms=NOON + 5 * HOUR, expected=6, stored=5))
    assert store.settled(SERIAL, "interval") == replace(settled, until_ms=NOON + 5 * HOUR, expected=6, stored=5)


def test_air_time_is_summed_by_meter_and_by_modem_without_calls_that_somebody_else_pays(store: SqlStore) -> None:
    call = CallRecord(0, SERIAL, "m1", "+7", NOON, airtime_ms=1500)
    for one in (
        call,
        replace(call, modem="m2", airtime_ms=500, connected_ms=NOON, ended_ms=NOON + 2500),
        replace(call, meter="2"),
        replace(call, inbound=True),
        replace(call, started_ms=NOON - 1),
    ):
        store.open_call(one)
    assert store.air_time(NOON) == ({SERIAL: 4.0, "2": 1.5}, {"m1": 3.0, "m2": 2.5})
