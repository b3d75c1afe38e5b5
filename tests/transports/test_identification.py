"""Who calls, by its modem's registration, by its address, or by what it says itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import MeterState, Outcome
from gateway_server.session.registration import Heartbeats, RegistrationFormat, RegistrationPattern
from gateway_server.store.callers import KnownCaller
from gateway_server.store.records import MeterRecord, SessionKey
from gateway_server.store.store import Store
from gateway_server.testing.held_writer import HeldWriter
from gateway_server.transports.reception import Rule
from tests.transports.hall import BY_REGISTRATION, IMEI, PATTERN, REGISTRATION, SERIAL, Hall

T = TypeVar("T")


def test_modem_registers_first_and_its_meter_is_asked_then(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    caller, line = hall.call()
    assert line.said == b""
    caller.received(REGISTRATION[:7])
    caller.received(REGISTRATION[7:])
    assert line.said == b"?\r\n"
    assert hall.presence.line_to(SERIAL) is caller
    (session,) = hall.sessions()
    assert (session.meter, session.listener) == (SERIAL, "gprs")
    assert ("<", REGISTRATION[:7]) in hall.log()


def test_registration_glued_to_what_the_meter_pushes(hall: Hall) -> None:
    hall.listens(**BY_REGISTRATION)
    caller, line = hall.call()
    caller.received(REGISTRATION + b"SN=41203377\r\nV=1\r\n")
    assert hall.values() == ["1"]
    assert line.said == b"OK\r\n"
    (reading,) = hall.store.readings()
    assert (reading.span_start, reading.span_end) == (30, 35)
    assert hall.log()[0] == ("<", REGISTRATION + b"SN=41203377\r\nV=1\r\n")


def test_registration_by_hex(hall: Hall) -> None:
    hall.store.put_meter(MeterRecord(SERIAL, routes=("caller:0a0b",)))
    pattern = RegistrationPattern(r"ff(?P<id>[0-9a-f]{4})", RegistrationFormat.HEX)
    hall.set(rules=(Rule.REGISTRATION,), registration=pattern)
    caller, _ = hall.call()
    caller.received(b"\xff\x0a\x0b")
    assert hall.presence.line_to(SERIAL) is caller


def test_nothing_registered_in_time_leaves_it_to_the_codec(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    _, line = hall.call()
    hall.pass_seconds(16)
    assert line.said == b"?\r\n"
    assert ("-", b"nothing was registered") in hall.log()


def test_bytes_that_are_no_registration_belong_to_the_meter(hall: Hall) -> None:
    hall.listens(**BY_REGISTRATION)
    caller, _ = hall.call()
    caller.received(b"SN=41203377\r\n")
    hall.pass_seconds(16)
    caller.received(b"V=3\r\n")
    assert hall.values() == ["3"]


def test_unknown_caller_with_a_codec_rule_is_listed_by_its_serial_number(hall: Hall) -> None:
    hall.listens(**BY_REGISTRATION)
    caller, line = hall.call()
    caller.received(b"999999999999999\r\nSN=777\r\nV=1\r\nEND\r\n")
    (session,) = hall.sessions()
    assert (session.outcome, session.meter) == (Outcome.UNKNOWN_METER, "777")
    stranger = hall.store.meter("777")
    assert stranger is not None
    assert stranger.state is MeterState.UNCLAIMED
    assert hall.values() == []
    assert not line.closed, "the device would pay for calling again"


def test_unknown_caller_without_another_rule_is_listed_by_its_name_and_its_bytes_are_kept(hall: Hall) -> None:
    hall.listens(rules=(Rule.REGISTRATION,), registration=PATTERN)
    caller, line = hall.call()
    caller.received(b"999999999999999\r\nV=1\r\n")
    (session,) = hall.sessions()
    assert session.outcome is Outcome.UNKNOWN_METER
    assert "meter claim caller:999999999999999" in session.detail
    assert session.caller == "999999999999999"
    assert [meter.serial for meter in hall.store.meters() if meter.state is MeterState.UNCLAIMED] == [
        "caller:999999999999999"
    ]
    assert hall.log()[0] == ("<", b"999999999999999\r\nV=1\r\n")
    assert line.closed


def test_caller_is_known_by_where_it_calls_from(hall: Hall) -> None:
    hall.set(rules=(Rule.ADDRESS,), addresses={"192.0.2.7": SERIAL})
    caller, line = hall.call()
    assert hall.presence.line_to(SERIAL) is caller
    assert line.said == b"?\r\n"


def test_caller_from_an_unknown_address_is_refused_with_its_bytes_on_record(hall: Hall) -> None:
    hall.set(rules=(Rule.ADDRESS,), addresses={"192.0.2.8": SERIAL})
    _, line = hall.call()
    assert line.closed
    (session,) = hall.sessions()
    assert session.outcome is Outcome.UNKNOWN_METER
    assert "192.0.2.7" in session.detail


def test_other_meter_behind_a_known_modem_is_told(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    caller, line = hall.call()
    caller.received(REGISTRATION)
    caller.received(b"SN=5\r\n")
    (session,) = hall.sessions()
    assert session.outcome is Outcome.UNKNOWN_METER
    assert "41203377 was expected, but 5 answered" in session.detail
    assert line.closed


def test_meter_that_is_switched_off_is_not_asked(hall: Hall) -> None:
    hall.store.put_meter(MeterRecord(SERIAL, routes=(f"caller:{IMEI}",), state=MeterState.DISABLED))
    hall.set(**BY_REGISTRATION)
    caller, line = hall.call()
    caller.received(REGISTRATION)
    assert line.said == b""
    assert line.closed


class SlowToFind(HeldWriter):
    """A store that is asked, and answers later."""

    def __init__(self, hall: Hall) -> None:
        super().__init__(hall.writer)
        self._asked: list[Callable[[], None]] = []
        hall.use(self)
        hall.set(facilities=hall.facilities)

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        self._asked.append(lambda: super(SlowToFind, self).call(work, done))

    def contact(
        self, key: SessionKey, caller: str, at_ms: int, done: Callable[[KnownCaller | StoreError], None]
    ) -> None:
        self._asked.append(lambda: super(SlowToFind, self).contact(key, caller, at_ms, done))

    def answer(self) -> None:
        """Answers everything it was asked."""
        while self._asked:
            self._asked.pop(0)()


def test_registration_that_comes_while_the_address_is_looked_up_is_found(hall: Hall) -> None:
    store = SlowToFind(hall)
    hall.listens(**BY_REGISTRATION | {"rules": (Rule.ADDRESS, Rule.REGISTRATION)})
    caller, line = hall.call()
    caller.received(REGISTRATION + b"SN=41203377\r\nV=1\r\n")
    store.answer()
    store.commit()
    assert hall.presence.line_to(SERIAL) is caller
    assert hall.values() == ["1"]
    assert line.said == b"OK\r\n"


def test_caller_that_floods_a_look_up_is_let_go(hall: Hall) -> None:
    store = SlowToFind(hall)
    hall.set(identify_bytes=1000, rules=(Rule.ADDRESS,), addresses={"192.0.2.7": SERIAL})
    caller, line = hall.call()
    caller.received(b"x" * 1000)
    assert hall.outcomes() == [None]
    caller.received(b"x")
    assert line.closed
    store.answer()
    assert hall.presence.line_to(SERIAL) is None


def test_heartbeat_that_comes_while_the_register_is_looked_into_is_not_the_codecs(hall: Hall) -> None:
    store = SlowToFind(hall)
    hall.listens(rules=(Rule.ADDRESS,), addresses={"192.0.2.7": SERIAL}, heartbeats=Heartbeats((b"LOG",), b"OK"))
    caller, line = hall.call()
    caller.received(b"LOG")
    caller.received(b"SN=41203377\r\nV=1\r\n")
    store.answer()
    store.commit()
    assert line.said == b"OK" + b"OK\r\n"
    assert hall.values() == ["1"]


def test_caller_that_says_its_serial_number_is_known_by_its_modem_from_then_on(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    for _ in range(2):
        caller, _ = hall.call()
        caller.received(b"999999999999999\r\n")
        caller.received(b"SN=777\r\n")
        caller.received(b"V=1\r\n")
        caller.line_lost("the other end closed the connection")
    stranger = hall.store.meter("777")
    assert stranger is not None
    assert (stranger.state, stranger.routes) == (MeterState.UNCLAIMED, ("caller:999999999999999",))
    assert hall.store.meter("caller:999999999999999") is None
    assert [(one.meter, one.caller) for one in hall.sessions()] == [("777", "999999999999999")] * 2

    hall.store.claim("777")
    caller, _ = hall.call()
    caller.received(b"999999999999999\r\n")
    assert hall.presence.line_to("777") is caller, "known before it said anything"


def test_modem_that_was_put_to_another_meter_brings_that_one(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    for serial in (b"777", b"778"):
        caller, _ = hall.call()
        caller.received(b"999999999999999\r\nSN=" + serial + b"\r\n")
        caller.received(b"SN=" + serial + b"\r\n")
        caller.received(b"V=1\r\n")
        caller.line_lost("the other end closed the connection")
    routes = {meter.serial: meter.routes for meter in hall.store.meters() if meter.state is MeterState.UNCLAIMED}
    assert routes == {"777": (), "778": ("caller:999999999999999",)}


def test_modem_of_a_meter_in_care_before_another_meter_is_told_to_the_operator(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.listens(**BY_REGISTRATION)
    caller, _ = hall.call()
    caller.received(REGISTRATION + b"SN=5\r\nV=1\r\n")
    assert "41203377 was expected, but 5 answered" in caplog.text
    (session,) = hall.sessions()
    assert "41203377 was expected, but 5 answered" in session.detail
    assert hall.values() == []
    meter = hall.store.meter(SERIAL)
    assert meter is not None
    assert meter.routes == (f"caller:{IMEI}",)


def test_route_that_the_operator_gives_away_meanwhile_stays_where_he_put_it(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.set(**BY_REGISTRATION)
    caller, _ = hall.call()
    caller.received(b"999999999999999\r\n")
    hall.store.claim("caller:999999999999999", MeterRecord("900", routes=("caller:999999999999999",)))
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    assert hall.values() == ["1"]
    said = "meter 41203377 called as 999999999999999, which is another meter's route; it stays there"
    assert said in caplog.text
    assert ("-", said.encode()) in hall.log()
    kept = hall.store.meter_at("caller:999999999999999")
    assert kept is not None
    assert kept.serial == "900"
