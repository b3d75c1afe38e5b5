"""Kinds of modems and what they are told at first."""

from __future__ import annotations

from gateway_server.transports.modem.terms import GENERIC, SPEEDS, TYPES, CallTerms, ModemTerms


def test_every_kind_turns_echo_off_and_words_on_first() -> None:
    assert all(kind.lines[0] == "ATE0V1Q0X4" for kind in TYPES.values())


def test_reset_stands_alone_on_its_line() -> None:
    assert not any(line.startswith("ATZ") for kind in TYPES.values() for line in (*kind.lines, *kind.tolerated))


def test_analogue_modem_has_no_sim() -> None:
    assert [kind.name for kind in TYPES.values() if not kind.cellular] == ["analogue"]
    assert GENERIC.cellular


def test_defaults_are_those_of_the_dossier() -> None:
    terms = ModemTerms("m1", "/dev/ttyUSB0")
    assert terms.bearers == ("7,0,1", "71,0,1")
    assert (terms.dial_timeout, terms.cool_down, terms.guard) == (90.0, 5.0, 1.2)
    assert terms.speeds == SPEEDS == (115200, 57600, 38400, 19200, 9600)
    assert CallTerms().numbers.last_digits == 10
