"""Results in words and digits."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.faults import SOUND_MODEM, modem_faults
from gateway_server.testing.modem.results import Result, cause_line, line, said
from gateway_server.testing.modem.settings import Settings


def settings(**basic: int) -> Settings:
    made = Settings()
    made.basic.update({name.upper(): value for name, value in basic.items()})
    return made


# V.250 table 6-1; 12 for CONNECT 9600 as on a Nokia card (dossier A.2).
@pytest.mark.parametrize(
    ("result", "words", "digits"),
    [
        (Result.OK, b"\r\nOK\r\n", b"0\r"),
        (Result.CONNECT_9600, b"\r\nCONNECT 9600\r\n", b"12\r"),
        (Result.RING, b"\r\nRING\r\n", b"2\r"),
        (Result.NO_CARRIER, b"\r\nNO CARRIER\r\n", b"3\r"),
        (Result.ERROR, b"\r\nERROR\r\n", b"4\r"),
        (Result.NO_DIALTONE, b"\r\nNO DIALTONE\r\n", b"6\r"),
        (Result.BUSY, b"\r\nBUSY\r\n", b"7\r"),
        (Result.NO_ANSWER, b"\r\nNO ANSWER\r\n", b"8\r"),
    ],
)
def test_results_are_words_or_digits(result: Result, words: bytes, digits: bytes) -> None:
    assert said(result, settings(), SOUND_MODEM) == words
    assert said(result, settings(v=0), SOUND_MODEM) == digits
    assert said(result, settings(q=1), SOUND_MODEM) == b""


def test_with_x0_busy_and_no_dialtone_are_no_carrier_and_connect_has_no_speed() -> None:
    assert said(Result.BUSY, settings(x=0), SOUND_MODEM) == b"\r\nNO CARRIER\r\n"
    assert said(Result.NO_DIALTONE, settings(x=0), SOUND_MODEM) == b"\r\nNO CARRIER\r\n"
    assert said(Result.CONNECT_9600, settings(x=0), SOUND_MODEM) == b"\r\nCONNECT\r\n"
    assert said(Result.CONNECT_9600, settings(x=0, v=0), SOUND_MODEM) == b"1\r"
    assert said(Result.BUSY, settings(x=2), SOUND_MODEM) == b"\r\nNO CARRIER\r\n"
    assert said(Result.NO_DIALTONE, settings(x=2), SOUND_MODEM) == b"\r\nNO DIALTONE\r\n"


def test_suffix_stands_behind_the_speed() -> None:
    assert said(Result.CONNECT_9600, settings(), SOUND_MODEM, "/RLP") == b"\r\nCONNECT 9600/RLP\r\n"
    assert said(Result.CONNECT, settings(), SOUND_MODEM, "/RLP") == b"\r\nCONNECT\r\n"


def test_lines_end_as_the_modem_is_made() -> None:
    assert line("OK", modem_faults(["lf_only"])) == b"\nOK\n"
    assert line("OK", modem_faults(["cr_only"])) == b"\rOK\r"


def test_cause_is_said_in_three_forms() -> None:
    assert cause_line(21, "siemens") == "+CEER: 8,21,0"
    assert cause_line(21, "number") == "+CEER: 21"
    assert cause_line(21, "text") == "+CEER: Call rejected"
    assert cause_line(0, "siemens") == "+CEER: 0,0,0"
