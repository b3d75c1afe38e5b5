"""A call's record, from the dial on."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord, SessionOpening
from gateway_server.transports.call_book import CallBook
from tests.transports.hall import Hall

CALL = CallRecord(0, "41203377", "m1", "+79161234567", 1000)


def opened(hall: Hall) -> CallBook:
    key = hall.writer.open_session(SessionOpening("csd", "x", 1000))
    return CallBook(hall.writer, key, CALL)


def test_call_is_in_the_store_while_it_is_made(hall: Hall) -> None:
    book = opened(hall)
    (call,) = hall.store.calls()
    assert (call.result, call.ended_ms, call.session) == (None, None, 1)
    book.connected(2000, bearer="71,0,1", signal=5, operator="MTS")
    (call,) = hall.store.calls()
    assert (call.connected_ms, call.bearer, call.signal, call.operator) == (2000, "71,0,1", 5, "MTS")


def test_call_that_is_over_is_one_record(hall: Hall) -> None:
    book = opened(hall)
    book.close(replace(book.record, ended_ms=9000, result=CallResult.BUSY, detail="busy"))
    (call,) = hall.store.calls()
    assert (call.ended_ms, call.result, call.detail, call.session) == (9000, CallResult.BUSY, "busy", 1)
