"""Extended commands of GSM modems (3GPP TS 27.007)."""

from __future__ import annotations

import pytest

from tests.testing.dialling import NUMBER, Desk


def desk(*faults: str) -> Desk:
    made = Desk(*faults)
    made.quiet()
    made.ask("AT+CMEE=1")
    return made


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT+CPIN?", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
        ("AT+CREG?", b"\r\n+CREG: 0,1\r\n\r\nOK\r\n"),
        ("AT+CSQ", b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"),
        ("AT+COPS?", b'\r\n+COPS: 0,0,"SIMULATED NET"\r\n\r\nOK\r\n'),
        ("AT+CBST?", b"\r\n+CBST: 7,0,1\r\n\r\nOK\r\n"),
        ("AT+CEER", b"\r\n+CEER: 0,0,0\r\n\r\nOK\r\n"),
        ("AT+CFUN?", b"\r\n+CFUN: 1\r\n\r\nOK\r\n"),
        ("AT+IPR?", b"\r\n+IPR: 0\r\n\r\nOK\r\n"),
        ("AT+CGSN", b"\r\n350000000000001\r\n\r\nOK\r\n"),
        ("AT+CRC=?", b"\r\n+CRC: (0,1)\r\n\r\nOK\r\n"),
        ("AT+CRC?", b"\r\n+CRC: 0\r\n\r\nOK\r\n"),
        ("AT+CNONSENSE", b"\r\nERROR\r\n"),
        ("AT+CRC=7", b"\r\nERROR\r\n"),
        ("AT+CRLP=62", b"\r\nERROR\r\n"),
        ("AT+CBST=99,0,1", b"\r\n+CME ERROR: 4\r\n"),
        ("AT+CBST=7,0,0", b"\r\n+CME ERROR: 4\r\n"),
        ("AT+CPIN=1234", b"\r\n+CME ERROR: 3\r\n"),
        ("AT+IPR=123", b"\r\nERROR\r\n"),
        ("AT+CFUN=9", b"\r\nERROR\r\n"),
    ],
)
def test_command_is_answered(command: str, answer: bytes) -> None:
    assert desk().ask(command) == answer


def test_settings_are_kept() -> None:
    made = desk()
    for command in ("AT+CBST=071,000,001", "AT+CRLP=61,61,78", "AT+IFC=2,2", "AT+CSNS=4", "AT+CREG=2", "AT+IPR=9600"):
        assert made.ask(command) == b"\r\nOK\r\n"
    assert made.ask("AT+CBST?") == b"\r\n+CBST: 71,0,1\r\n\r\nOK\r\n"
    assert made.ask("AT+CRLP?") == b"\r\n+CRLP: 61,61,78,6\r\n\r\nOK\r\n"
    assert made.ask("AT+IFC?") == b"\r\n+IFC: 2,2\r\n\r\nOK\r\n"
    assert made.ask("AT+CREG?") == b'\r\n+CREG: 2,1,"00A1","2F4C"\r\n\r\nOK\r\n'


@pytest.mark.parametrize(
    ("word", "number"), [("home", 1), ("roaming", 5), ("searching", 2), ("denied", 3), ("unknown", 4), ("idle", 0)]
)
def test_registration_is_as_the_network_has_it(word: str, number: int) -> None:
    made = desk(f"registration={word}")
    assert made.ask("AT+CREG?") == f"\r\n+CREG: 0,{number}\r\n\r\nOK\r\n".encode("ascii")
    usable = number in {1, 5}
    assert (b"+CSQ: 99,99" in made.ask("AT+CSQ")) is not usable
    assert (b"NO DIALTONE" in made.ask(f"ATD{NUMBER}", 1)) is not usable


def test_modem_searches_for_a_while_after_power_up_and_says_when_it_is_registered() -> None:
    made = Desk("registration_s=20", ready=False)
    made.quiet()
    assert b"+CREG: 0,2" in made.ask("AT+CREG?")
    made.ask("AT+CREG=1")
    made.wait(20)
    assert made.take() == b"\r\n+CREG: 1\r\n"


def test_missing_card_and_busy_card_are_said_by_number() -> None:
    assert desk("sim_missing").ask("AT+CPIN?") == b"\r\n+CME ERROR: 10\r\n"
    busy = desk("sim_busy_s=15")
    assert busy.ask("AT+CPIN?") == b"\r\n+CME ERROR: 14\r\n"
    assert busy.ask(f"ATD{NUMBER}") == b"\r\n+CME ERROR: 14\r\n"
    busy.wait(15)
    assert busy.ask("AT+CPIN?") == b"\r\n+CPIN: READY\r\n\r\nOK\r\n"


def test_card_with_a_pin_must_be_opened_before_anything_is_dialled() -> None:
    made = desk("pin=1234")
    assert made.ask("AT+CPIN?") == b"\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
    assert made.ask(f"ATD{NUMBER}") == b"\r\n+CME ERROR: 11\r\n"
    assert made.ask('AT+CPIN="1111"') == b"\r\n+CME ERROR: 16\r\n"
    assert made.ask('AT+CPIN="1234"') == b"\r\nOK\r\n"
    made.wait(5)
    assert b"+CREG: 0,1" in made.ask("AT+CREG?")
    assert made.modem.sim.entered == ["1111", "1234"]


def test_locked_card_wants_the_puk() -> None:
    made = desk("pin=1234")
    for _ in range(3):
        made.ask("AT+CPIN=0000")
    assert made.ask("AT+CPIN?") == b"\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n"
    assert made.ask(f"ATD{NUMBER}") == b"\r\n+CME ERROR: 12\r\n"
    assert made.ask('AT+CPIN="12345678","4321"') == b"\r\nOK\r\n"
    assert made.ask("AT+CPIN?") == b"\r\n+CPIN: READY\r\n\r\nOK\r\n"


def test_ready_card_of_a_wavecom_modem_is_not_followed_by_ok() -> None:
    assert desk("no_ok_after_pin").ask("AT+CPIN?") == b"\r\n+CPIN: READY\r\n"


def test_modem_that_cannot_choose_its_bearer_says_so() -> None:
    assert desk("bearer_unsupported").ask("AT+CBST=7,0,1") == b"\r\n+CME ERROR: 4\r\n"


def test_radio_that_is_off_is_not_registered_and_searches_when_it_is_on_again() -> None:
    made = desk()
    assert made.ask("AT+CFUN=0") == b"\r\nOK\r\n"
    assert b"+CREG: 0,0" in made.ask("AT+CREG?")
    made.ask("AT+CFUN=1")
    assert b"+CREG: 0,2" in made.ask("AT+CREG?")
    made.wait(5)
    assert b"+CREG: 0,1" in made.ask("AT+CREG?")


def test_restart_by_command_forgets_settings_and_is_deaf_for_a_while() -> None:
    made = desk()
    assert made.ask("AT+CFUN=1,1") == b"\r\nOK\r\n"
    made.wait(1)
    assert made.ask("AT") == b""
    made.wait(6)
    assert made.ask("AT") == b"AT\r\r\nOK\r\n", "the echo is on again"


def test_some_modems_answer_with_the_state_of_registration_alone() -> None:
    assert desk("state_alone").ask("AT+CREG?") == b"\r\n+CREG: 1\r\n\r\nOK\r\n"
