"""The steps of a modem's life with simulated modems: what they are told, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.model import CallResult
from gateway_server.transports.modem.terms import TYPES, Escape
from tests.transports.office import Office, number_of, pin_file


def told(office: Office) -> list[str]:
    return [line for line in office.written() if line]


def test_modem_is_hung_up_before_anything_else() -> None:
    assert told(Office())[:3] == ["AT", "ATH", "ATZ"]


def test_operators_own_lines_come_before_and_after() -> None:
    said = told(Office(init_before=("AT+CRLP=61,61,48,6",), init_after=("AT+CSNS=4",)))
    assert said.index("AT+CMEE=1") < said.index("AT+CRLP=61,61,48,6") < said.index("AT+CPIN?")
    assert said.index("AT+CLIP=1") < said.index("AT+CSNS=4") < said.index("AT+CREG?")


def test_line_that_the_modem_refuses_takes_it_out_with_the_line_named() -> None:
    office = Office(init_after=("AT+NONSENSE=1",))
    assert office.state() == "out"
    assert "refuses 'AT+NONSENSE=1'" in office.why()


def test_analogue_modem_is_not_asked_for_sim_and_network() -> None:
    office = Office(type=TYPES["analogue"], bearers=frozenset({"7", "71"}))
    assert office.state() == "ready"
    assert not [line for line in told(office) if line.startswith(("AT+CPIN", "AT+CREG", "AT+COPS", "AT+CSQ"))]


def test_carrier_waits_less_than_the_driver() -> None:
    assert "ATS7=60" in told(Office(dial_timeout=60.0))


def test_modem_at_another_speed_is_found_and_spoken_to_at_that() -> None:
    office = Office("fixed_speed=19200")
    office.wait(120)
    assert office.state() == "ready"
    assert office.ports["/dev/m1"].speed == 19200


def test_call_is_ended_by_dtr_where_dcd_showed_that_there_are_lines() -> None:
    office = Office()
    office.call()
    office.wait(60)
    assert "+++" not in "".join(office.written())
    assert office.calls()[0].result is CallResult.OK


@pytest.mark.parametrize("terms", [{"with_lines": False}, {"escape": Escape.PLUS}])
def test_call_is_ended_by_pluses_elsewhere(terms: dict[str, bool]) -> None:
    office = Office(**terms)  # type: ignore[arg-type]  # what the case names
    office.call()
    office.wait(60)
    assert "+++ATH" in "".join(office.written())
    assert not office.modems[0].off_hook


def test_dtr_that_the_modem_does_not_hear_is_followed_by_pluses() -> None:
    office = Office("no_lines", escape=Escape.DTR)
    office.call()
    office.wait(60)
    assert "+++ATH" in "".join(office.written())
    assert not office.modems[0].off_hook


def test_cause_is_asked_for_at_once_behind_a_failure() -> None:
    office = Office(call=("no_handshake=41",))
    office.call()
    office.wait(60)
    said = told(office)
    assert said[said.index(f"ATD{number_of(0)}") + 1] == "AT+CEER"
    assert office.calls()[0].cause == "41"


def test_pin_file_that_holds_no_pin_is_said(tmp_path: Path) -> None:
    office = Office("pin=1234", pin_file=pin_file(tmp_path, "12a4"))
    assert office.state() == "out"
    assert "holds no PIN" in office.why()
    missing = Office("pin=1234", pin_file=tmp_path / "none")
    assert "cannot be read" in missing.why()
    assert missing.modems[0].sim.entered == []


def test_signal_and_operator_are_noted() -> None:
    (view,) = Office().pool.views()
    assert (view.signal, view.operator, view.ready) == (18, "SIMULATED NET", True)


def test_modem_that_the_network_loses_is_noticed_while_it_is_idle() -> None:
    office = Office("registration_lost_after=1")
    office.call()
    office.wait(30)
    office.wait(300)
    assert "AT+CREG?" in told(office)[-10:]
    assert office.state() != "ready"
