"""The pool without modems behaves as the planner is told a pool does."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway_server.errors import OperatorError
from gateway_server.model import CallResult, Outcome
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_modems import FakeCall, FakeModems
from gateway_server.transports.calls import CallEnd, CallOrder, Modems
from gateway_server.transports.errand import Errand
from tests.scheduler.town import Town

NUMBER = "+79161234567"


class Desk:
    """A pool of two modems whose calls go as ``how`` says."""

    def __init__(self, how: FakeCall) -> None:
        self.clock = Clock()
        self.store = open_store(":memory:")
        facilities = Facilities(DirectWriter(self.store), self.clock, lambda: 1000, Sweep(self.clock))
        self.pool = FakeModems(self.clock, facilities, lambda order, times: how, {"m1": "MTS", "m2": "Beeline"})
        self.ends: list[CallEnd] = []

    def call(self, **said: object) -> str:
        order = CallOrder(NUMBER, Errand((), MeterRecord("7")), **said)  # type: ignore[arg-type]  # fields of the order
        return self.pool.call(order, self.ends.append)

    def ready(self) -> list[str]:
        return [view.name for view in self.pool.views() if view.ready]


def test_call_takes_its_time_and_its_modem_rests_behind_it() -> None:
    desk = Desk(FakeCall(setup_s=20, online_s=40))
    pool: Modems = desk.pool
    assert desk.call() == "m1"
    assert [view.ready for view in pool.views()] == [False, True]
    desk.clock.pump([1] * 59)
    assert desk.ends == []
    desk.clock.advance(1)
    (end,) = desk.ends
    assert (end.result, end.modem, end.airtime_ms) == (CallResult.OK, "m1", 40_000)
    assert end.ending is not None
    assert end.ending.outcome is Outcome.READ
    assert desk.ready() == ["m2"]
    desk.clock.advance(5)
    assert desk.ready() == ["m1", "m2"]
    (record,) = desk.store.calls()
    assert (record.meter, record.modem, record.result, record.airtime_ms) == ("7", "m1", CallResult.OK, 40_000)
    (made,) = desk.pool.made
    assert (made.started, made.ended, made.ready) == (0, 60, 65)


def test_least_recently_used_modem_that_may_makes_the_call() -> None:
    desk = Desk(FakeCall(setup_s=1, online_s=1))
    assert desk.call() == "m1"
    assert desk.call() == "m2"
    assert desk.call() == ""
    desk.clock.pump([1] * 10)
    assert desk.call(modem="m2") == "m2"
    desk.clock.pump([1] * 10)
    assert desk.call(avoid="m1") == "m2"
    desk.clock.pump([1] * 10)
    assert desk.call(operator="MTS") == "m1"
    assert desk.call(operator="Tele2") == ""


@pytest.mark.parametrize("result", [CallResult.BUSY, CallResult.NO_ANSWER, CallResult.MODEM_FAULT])
def test_call_that_is_not_connected_costs_no_air_time(result: CallResult) -> None:
    desk = Desk(FakeCall(result, setup_s=7, cause="17"))
    desk.call()
    desk.clock.advance(7)
    (end,) = desk.ends
    assert (end.result, end.cause, end.airtime_ms, end.ending) == (result, "17", 0, None)
    assert end.our_fault is (result is CallResult.MODEM_FAULT)


def test_what_is_no_number_reaches_no_modem() -> None:
    desk = Desk(FakeCall())
    for number in ("", "+", "+7916;H", "7916\rATH"):
        with pytest.raises(OperatorError, match="is no phone number"):
            desk.pool.call(CallOrder(number, Errand(())), desk.ends.append)
    assert desk.pool.orders == []


def test_calls_are_hung_up_when_the_gateway_stops_and_no_new_ones_made() -> None:
    desk = Desk(FakeCall())
    desk.call()
    desk.clock.advance(30)
    desk.pool.end_all("the gateway stops")
    assert [end.result for end in desk.ends] == [CallResult.INTERRUPTED]
    assert desk.call() == ""


def test_of_a_killed_pool_nobody_hears_any_more() -> None:
    desk = Desk(FakeCall())
    desk.call()
    desk.pool.kill()
    desk.clock.advance(1000)
    assert desk.ends == []


def test_modem_out_of_service_says_why() -> None:
    desk = Desk(FakeCall())
    desk.pool.take_out("m1", "no SIM card")
    assert desk.ready() == ["m2"]
    assert desk.pool.views()[0].why == "no SIM card"
    assert desk.call() == "m2"


def test_session_runs_behind_connect_and_its_end_is_the_calls() -> None:
    town = Town(1)
    town.gateway(modems=1)
    town.until_done()
    (made,) = town.pools[0].made
    (record,) = town.store.calls()
    assert made.end.ending is not None
    assert made.end.ending.stored > 40
    assert record.session == 1
    assert record.bytes > 40 * 100
    assert record.airtime_ms == made.end.airtime_ms > 5000
