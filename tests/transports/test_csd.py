"""A call: its line, its session, its record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway_server.model import CallResult, Direction, Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Role
from gateway_server.store.records import CallRecord
from gateway_server.transports.calls import CallEnd, CallOrder
from gateway_server.transports.csd import Call, CsdLine
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.verdict import Verdict
from gateway_server.transports.phone_caller import PhoneCaller
from tests.session.conversations import ToyCodec
from tests.transports.hall import SERIAL, Hall


class Port:
    dcd = None

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.paused = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Ordered:
    """A call that was ordered, and everything it tells."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.ends: list[CallEnd] = []
        self.endings: list[Ending] = []
        self.port: Any = Port()
        self.hung_up = 0
        errand = Errand(
            (ToyCodec(),), hall.store.meter(SERIAL), hall.store.known_meter(SERIAL), ended=self.endings.append
        )
        self.call = Call(CallOrder("+79161234567", errand, attempt=2), hall.facilities, "m1", self.ends.append)

    def connect(self) -> None:
        self.call.connected(self.port, self._hang_up, lambda: None, bearer="7,0,1", signal=17, operator="MTS")
        self.call.begin()

    def _hang_up(self) -> None:
        self.hung_up += 1
        self.call.hanging_up()


def test_session_runs_over_the_call_as_over_any_line(hall: Hall) -> None:
    one = Ordered(hall)
    hall.clock.advance(20)
    one.connect()
    one.call.received(b"SN=41203377\r\n")
    hall.clock.advance(3)
    one.call.received(b"V=4\r\n")
    assert one.hung_up == 1
    assert [ending.outcome for ending in one.endings] == [Outcome.READ]
    hall.clock.advance(4)
    assert one.call.released() is False
    (call,) = hall.store.calls()
    assert (call.result, call.airtime_ms, call.attempt, call.bytes) == (CallResult.OK, 3000, 2, 13 + 5 + 3 + 4 + 5)
    assert (call.signal, call.operator, call.session) == (17, "MTS", 1)
    assert (call.started_ms, call.connected_ms, call.ended_ms) == tuple(
        1_709_290_800_000 + after for after in (0, 20_000, 27_000)
    )
    assert [end.ending for end in one.ends] == one.endings
    assert [(end.airtime_ms, end.paid_ms) for end in one.ends] == [(3000, 7000)]
    assert call.paid_ms == 7000


def test_modem_dialogue_is_logged_and_counts_for_no_bytes(hall: Hall) -> None:
    one = Ordered(hall)
    one.call.heard(Direction.TO_MODEM, b"ATD********4567\r")
    one.connect()
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    assert ("}", b"ATD********4567\r") in hall.log()
    (session,) = hall.sessions()
    assert (session.transport, session.remote, session.bytes_received) == ("csd", "********4567@m1", 18)


def test_dial_that_fails_ends_the_errand_and_has_no_session_of_its_own(hall: Hall) -> None:
    one = Ordered(hall)
    one.call.failed(Verdict(CallResult.BUSY, "the number is busy", "17"))
    assert one.call.released() is False
    (end,) = one.ends
    assert (end.result, end.cause, end.ending, end.our_fault) == (CallResult.BUSY, "17", None, False)
    assert [(ending.outcome, ending.error.__class__.__name__) for ending in one.endings] == [
        (Outcome.LINE_LOST, "LineError")
    ]
    (call,) = hall.store.calls()
    assert (call.result, call.connected_ms, call.airtime_ms) == (CallResult.BUSY, None, 0)


def test_call_ended_from_outside_keeps_what_ended_it(hall: Hall) -> None:
    one = Ordered(hall)
    one.connect()
    one.call.force(CallResult.OVER_BUDGET, "too long")
    one.call.released()
    assert [end.result for end in one.ends] == [CallResult.OVER_BUDGET]
    assert [ending.outcome for ending in one.endings] == [Outcome.LINE_LOST]


def test_call_that_has_ended_is_not_ended_again_from_outside(hall: Hall) -> None:
    one = Ordered(hall)
    one.connect()
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    one.call.force(CallResult.INTERRUPTED, "the gateway stops")
    one.call.released()
    assert [end.result for end in one.ends] == [CallResult.OK]


def test_modem_that_fails_after_the_session_is_at_fault_but_the_call_was_well(hall: Hall) -> None:
    one = Ordered(hall)
    one.connect()
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    one.call.failed(Verdict(CallResult.MODEM_FAULT, "it does not hang up", ours=True))
    assert one.call.released() is True
    assert [(end.result, end.our_fault) for end in one.ends] == [(CallResult.OK, True)]


def test_carrier_lost_in_a_session_is_a_lost_call(hall: Hall) -> None:
    one = Ordered(hall)
    one.connect()
    one.call.received(b"SN=41203377\r\n")
    one.call.lost("the carrier is gone")
    one.call.released()
    assert [end.result for end in one.ends] == [CallResult.LOST]


def test_call_at_which_another_meter_answers_reached_a_wrong_number(hall: Hall) -> None:
    one = Ordered(hall)
    one.connect()
    one.call.received(b"SN=50000001\r\n")
    one.call.released()
    (end,) = one.ends
    assert (end.result, end.our_fault) == (CallResult.WRONG_NUMBER, False)
    assert "meter 41203377 was expected, but 50000001 answered" in end.detail
    (call,) = hall.store.calls()
    assert call.result is CallResult.WRONG_NUMBER


def test_call_of_a_meter_that_nobody_has_claimed_was_well(hall: Hall) -> None:
    one = Ordered(hall)
    stranger = replace(one.call.order.errand, record=None, known=None)
    one.call = Call(CallOrder("+79161234567", stranger), hall.facilities, "m1", one.ends.append)
    one.connect()
    one.call.received(b"SN=50000001\r\nV=4\r\n")
    one.call.released()
    assert [ending.outcome for ending in one.endings] == [Outcome.UNKNOWN_METER]
    assert [end.result for end in one.ends] == [CallResult.OK]


def called_in(hall: Hall) -> tuple[Ordered, PhoneCaller]:
    """A meter that called us, was read, and whose job is being run in the same call."""
    one = Ordered(hall)
    callers: list[PhoneCaller] = []
    hall.presence.came = lambda _: None

    def meet(line: Line, errand: Errand) -> PhoneCaller:
        callers.append(PhoneCaller(line, hall.facilities, errand, Role.ASK, hall.presence, lambda errand: errand))
        return callers[0]

    one.call = Call(one.call.order, hall.facilities, "m1", one.ends.append, meet)
    one.connect()
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    callers[0].run(replace(one.call.order.errand, job=7, ended=one.endings.append))
    return one, callers[0]


def inbound_call(hall: Hall) -> CallRecord:
    (call,) = [call for call in hall.store.calls() if call.inbound]
    return call


def test_call_that_came_in_counts_the_bytes_of_all_its_sessions_and_names_the_first(hall: Hall) -> None:
    one, caller = called_in(hall)
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    hall.pass_seconds(6)
    assert one.hung_up == 1
    one.call.released()
    call = inbound_call(hall)
    first, second = [session for session in hall.sessions() if session.bytes_received]
    assert (call.result, call.session, call.meter) == (CallResult.OK, first.id, SERIAL)
    assert call.bytes == sum(one.bytes_received + one.bytes_sent for one in (first, second))
    assert caller.heard == (caller.session.heard_ms, first.bytes_received + second.bytes_received)


def test_call_that_came_in_and_was_lost_in_a_later_session_is_lost(hall: Hall) -> None:
    one, _ = called_in(hall)
    one.call.lost("the carrier is gone")
    one.call.released()
    assert [ending.outcome for ending in one.endings] == [Outcome.READ, Outcome.LINE_LOST]
    assert (inbound_call(hall).result, inbound_call(hall).detail) == (CallResult.LOST, "the carrier is gone")


def test_call_that_came_in_and_reaches_its_limit_between_two_sessions_was_well(hall: Hall) -> None:
    one, caller = called_in(hall)
    one.call.received(b"SN=41203377\r\nV=4\r\n")
    one.call.force(CallResult.OVER_BUDGET, "too long")
    assert one.hung_up == 1
    assert hall.presence.line_to(SERIAL) is None
    one.call.released()
    assert inbound_call(hall).result is CallResult.OK
    caller.run(caller_errand := replace(one.call.order.errand, job=8))
    assert caller_errand.job not in [session.job for session in hall.sessions()]


def test_line_writes_nothing_before_the_call_and_nothing_behind_it(hall: Hall) -> None:
    line, port = CsdLine("x"), Port()
    line.write(b"early")
    gone: list[str] = []
    line.connected(port, lambda count: None, lambda: gone.append("hung up"))  # type: ignore[arg-type]  # what it needs
    line.change(300, "7E1")
    line.write(b"?")
    line.pause()
    assert port.paused
    line.resume()
    line.close()
    line.abort()
    line.write(b"late")
    assert port.written == [b"?"]
    assert gone == ["hung up"]
