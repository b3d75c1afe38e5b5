"""What a meter says of itself against the register."""

from __future__ import annotations

import pytest

from gateway_server.errors import UnknownMeter
from gateway_server.model import Identify, MeterState, ReadOrder
from gateway_server.session.identity import look_up
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter

EVENTS = ReadOrder(frozenset({"events"}))


@pytest.fixture
def store() -> SqlStore:
    store = open_store(":memory:")
    store.put_meter(MeterRecord("41203377"), access_code="4711")
    return store


def identified(store: SqlStore, serial: str, expected: str = ""):  # type: ignore[no-untyped-def]
    key = DirectWriter(store).open_session(SessionOpening("tcp", "a:1", 1000))
    return look_up(key, Identify(serial, model="EK270"), 2000, expected)(store)


def test_meter_in_care_is_given_its_order_and_its_access_code(store: SqlStore) -> None:
    identity = identified(store, "41203377")
    meter = identity.meter(EVENTS)
    assert (meter.serial, meter.claimed, meter.access_code, meter.order) == ("41203377", True, "4711", EVENTS)
    assert identity.record.model == "EK270"


def test_stranger_is_registered_unclaimed(store: SqlStore) -> None:
    identity = identified(store, " 99 ")
    assert identity.unclaimed
    assert not identity.seen
    assert identity.meter(EVENTS).order == EVENTS
    assert not identity.meter(EVENTS).claimed


def test_meter_that_is_switched_off_is_refused(store: SqlStore) -> None:
    store.set_meter_state("41203377", MeterState.DISABLED)
    with pytest.raises(UnknownMeter, match="switched off"):
        identified(store, "41203377").meter(EVENTS)


def test_expected_meter_may_show_leading_zeros(store: SqlStore) -> None:
    assert identified(store, "0041203377", expected="41203377").record.serial == "41203377"


def test_other_meter_than_expected_is_refused_before_the_store_is_asked(store: SqlStore) -> None:
    with pytest.raises(UnknownMeter, match="41203377 was expected, but 5 answered"):
        identified(store, "5", expected="41203377")
    assert store.meter("5") is None


def test_meter_without_a_serial_number_is_refused(store: SqlStore) -> None:
    with pytest.raises(UnknownMeter, match="no serial number"):
        identified(store, "  ")


def test_serial_number_that_no_meter_has_is_neither_registered_nor_printed_whole(store: SqlStore) -> None:
    with pytest.raises(UnknownMeter, match=r"a serial number of 4000 characters, 7{59}…;"):
        identified(store, "7" * 4000)
    assert [meter.serial for meter in store.meters(Filter())] == ["41203377"]


def by_line(store: SqlStore, expected: str):  # type: ignore[no-untyped-def]
    key = DirectWriter(store).open_session(SessionOpening("tcp", "a:1", 1000))
    return look_up(key, Identify("", by_line=True), 2000, expected)(store)


def test_meter_whose_protocol_tells_nothing_is_whose_line_it_is(store: SqlStore) -> None:
    assert by_line(store, "41203377").record.serial == "41203377"


def test_meter_that_neither_its_protocol_nor_its_line_tells_is_refused_with_what_to_do(store: SqlStore) -> None:
    with pytest.raises(UnknownMeter, match=r"meter add SERIAL --route"):
        by_line(store, "")


def test_empty_serial_number_is_never_taken_for_the_expected_one(store: SqlStore) -> None:
    with pytest.raises(UnknownMeter, match="gave no serial number"):
        identified(store, " ", expected="41203377")
