"""Calls that come in to the modems of a pool."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult
from gateway_server.transports.modem.terms import Answer
from tests.transports.office import FIRST, Office


def test_known_number_that_calls_is_answered_and_read() -> None:
    office = Office()
    assert office.modems[0].ring(office.subscribers[0])
    office.wait(90)
    (call,) = office.calls()
    assert call.inbound
    assert (call.meter, call.result) == (str(FIRST), CallResult.OK)
    assert sum(1 for _ in office.store.readings()) > 100


def test_number_written_with_8_is_the_one_with_7() -> None:
    office = Office()
    record = office.store.meter(str(FIRST))
    assert record is not None
    office.store.put_meter(replace(record, routes=("csd:89160000000",)))
    office.modems[0].ring(office.subscribers[0])
    office.wait(90)
    assert [call.meter for call in office.calls()] == [str(FIRST)]


def test_stranger_that_calls_is_not_answered() -> None:
    office = Office(meters=2)
    office.store.put_meter(office.store.meters()[1].__class__("9"))
    stranger = office.subscribers[0]
    stranger.number = "+79990000000"
    office.modems[0].ring(stranger)
    office.wait(60)
    assert office.calls() == []
    assert office.state() == "ready"


def test_stranger_is_answered_where_the_operator_wants_it() -> None:
    office = Office(answer=Answer.ANY)
    stranger = office.subscribers[0]
    stranger.number = "+79990000000"
    office.modems[0].ring(stranger)
    office.wait(90)
    (call,) = office.calls()
    assert call.inbound
    assert call.meter == str(FIRST)


def test_modem_that_never_answers_lets_it_ring() -> None:
    office = Office(answer=Answer.NEVER)
    office.modems[0].ring(office.subscribers[0])
    office.wait(60)
    assert office.calls() == []
