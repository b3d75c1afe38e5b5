"""SIM cards."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.sim import CmeError, FakeSim


def code_of(attempt: object, *arguments: str) -> int:
    with pytest.raises(CmeError) as error:
        attempt(*arguments)  # type: ignore[operator]  # a method of the card
    return error.value.code


def test_card_without_a_pin_is_ready() -> None:
    sim = FakeSim()
    sim.restart()
    assert sim.state == "READY"


def test_card_opens_with_its_pin_and_wants_it_again_after_a_restart() -> None:
    sim = FakeSim("1234")
    sim.restart()
    assert sim.state == "SIM PIN"
    assert code_of(sim.require) == 11
    sim.enter("1234")
    sim.require()
    sim.restart()
    assert sim.state == "SIM PIN"


def test_three_wrong_pins_lock_the_card_and_a_restart_gives_no_new_try() -> None:
    sim = FakeSim("1234")
    sim.restart()
    assert code_of(sim.enter, "0000") == 16
    sim.restart()
    assert code_of(sim.enter, "0000") == 16
    assert code_of(sim.enter, "0000") == 12
    assert sim.state == "SIM PUK"
    assert code_of(sim.enter, "1234") == 12
    assert sim.entered == ["0000"] * 3


def test_puk_gives_a_new_pin_and_ten_wrong_ones_end_the_card() -> None:
    sim = FakeSim("1234", tries=0)
    sim.restart()
    assert code_of(sim.enter, "99999999", "4321") == 16
    sim.enter("12345678", "4321")
    assert sim.state == "READY"
    dead = FakeSim("1234", tries=0, puk_tries=1)
    dead.restart()
    assert code_of(dead.enter, "99999999", "4321") == 16
    assert code_of(lambda: dead.state) == 13


def test_right_pin_gives_the_tries_back() -> None:
    sim = FakeSim("1234", tries=1)
    sim.restart()
    sim.enter("1234")
    assert sim.tries == 3


def test_missing_card_is_said_to_be_missing() -> None:
    sim = FakeSim(missing=True)
    sim.restart()
    assert code_of(lambda: sim.state) == 10
