"""One modem between its port and its pool."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gateway_server.model import CallResult
from gateway_server.transports.modem.modem import LONGEST_WAIT
from tests.transports.office import FIRST, Office, number_of, pin_file


def test_port_that_is_not_there_is_tried_again_less_and_less_often() -> None:
    office = Office(start=False)
    office.ports["/dev/m1"].unplug(200)
    office.pool.start()
    office.wait(1)
    assert office.state() == "waiting"
    assert "is the cable plugged in" in office.why()
    office.wait(200 + LONGEST_WAIT + 20)
    assert office.state() == "ready"


def test_carrier_that_dcd_shows_to_be_gone_ends_the_call_at_once() -> None:
    office = Office(call=("lost_silently_after=100",))
    office.call()
    office.wait(60)
    (call,) = office.calls()
    assert call.result is CallResult.LOST
    assert call.airtime_ms < 10_000


def test_meter_that_called_is_present_no_longer_than_dcd_is_up() -> None:
    office = Office()
    office.modems[0].ring(office.subscribers[0])
    while not office.presence.line_to(str(FIRST)):
        office.wait(1)
    office.ports["/dev/m1"].carrier(up=False)
    assert office.state() == "online"
    assert office.presence.line_to(str(FIRST)) is None
    office.wait(30)
    assert [call.result for call in office.calls()] == [CallResult.LOST]


def test_dcd_that_is_always_on_tells_nothing() -> None:
    office = Office("no_lines")
    office.call()
    office.wait(60)
    assert office.calls()[0].result is CallResult.OK
    assert office.state() == "ready"


def test_words_of_the_modem_at_the_end_of_a_call_are_no_part_of_the_meters() -> None:
    office = Office(call=("lost_after=300",), with_lines=False)
    office.call()
    office.wait(60)
    received = b"".join(entry.data for entry in office.store.session_log(1) if entry.direction.value == "<")
    assert b"NO CARRIER" not in received
    assert "{ NO CARRIER" in office.modem_log()
    (session,) = office.store.sessions()
    assert session.bytes_received == len(received)


def test_settling_time_is_kept_where_it_is_wanted() -> None:
    office = Office(settle=2.0)
    office.call()
    office.wait(60)
    log = list(office.store.session_log(1))
    connected = next(entry.at_ms for entry in log if entry.data.startswith(b"CONNECT"))
    asked = next(entry.at_ms for entry in log if entry.direction.value == ">")
    assert asked - connected == 2000


def test_idle_modem_is_looked_after() -> None:
    office = Office(watch=30.0)
    before = office.written().count("AT")
    office.wait(95)
    assert office.written().count("AT") == before + 3


def test_operators_see_neither_numbers_nor_pins(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        office = Office()
        office.call()
        office.wait(60)
        office.modems[0].ring(office.subscribers[1])
        office.wait(60)
    assert number_of(0)[1:] not in caplog.text
    assert number_of(1)[1:] not in caplog.text
    assert "********0001" in caplog.text


def test_modem_that_echoes_does_not_betray_its_pin(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        office = Office("pin=4321", "echo_stays", pin_file=pin_file(tmp_path, "4321"))
    assert office.state() == "ready"
    assert "AT+CPIN=4321" in office.written()
    assert caplog.text.count("AT+CPIN=****") == 2
    assert "4321" not in caplog.text


def test_modems_own_limit_holds_for_calls_that_the_plan_lets_last_longer() -> None:
    office = Office(call=("far_silent",), call_limit=6.0)
    office.call(budget_s=1800.0)
    office.wait(60)
    (call,) = office.calls()
    assert (call.result, call.airtime_ms) == (CallResult.OVER_BUDGET, 6000)
    assert "6 s, its limit" in call.detail
