"""What a probe tells of its tries."""

from __future__ import annotations

from gateway_server.codec.registry import load_codecs
from gateway_server.model import Outcome
from gateway_server.store.records import SessionKey
from gateway_server.transports.probe import SETTINGS, Attempt, tries
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


def test_codec_that_names_its_own_settings_is_tried_at_those_and_behind_the_others() -> None:
    other, own = load_codecs().get("lis200"), load_codecs().get("bpek-modbus")
    wanted = [(baud, form, codec.name) for baud, form, codec in tries((own, other), ((9600, "8N1"), (300, "7E1")))]
    assert wanted[:3] == [(9600, "8N1", "lis200"), (9600, "8N1", "bpek-modbus"), (300, "7E1", "lis200")]
    assert {one for one in wanted[3:]} == {
        (baud, form, "bpek-modbus") for baud, form in ((19200, "8E1"), (9600, "8E1"), (19200, "8N1"), (115200, "8N1"))
    }


def test_map_that_cannot_tell_its_meters_from_others_is_not_tried() -> None:
    assert list(tries((load_codecs().get("modbus-example"),))) == []
