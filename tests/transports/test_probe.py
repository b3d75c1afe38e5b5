"""What a probe tells of its tries."""

from __future__ import annotations

from gateway_server.model import Outcome
from gateway_server.store.records import SessionKey
from gateway_server.transports.probe import SETTINGS, Attempt
from gateway_server.transports.routes import SerialRoute, parse_route


def attempt(serial: str) -> Attempt:
    return Attempt(9600, "7E1", "lis200", Outcome.READ if serial else Outcome.SILENT, "", serial, 0, SessionKey(3))


def test_answer_gives_the_end_of_a_route_that_works() -> None:
    one = attempt("41203377")
    assert one.answered
    assert parse_route(f"serial:/dev/ttyUSB0:{one.route}") == SerialRoute("/dev/ttyUSB0", 9600, "7E1")


def test_silence_is_no_answer() -> None:
    assert not attempt("").answered


def test_usual_setting_of_the_communication_unit_is_tried_first() -> None:
    assert SETTINGS[0] == (19200, "8N1")
    assert len(set(SETTINGS)) == len(SETTINGS)
