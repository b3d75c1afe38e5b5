"""Faults by name, and who gets them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError
from gateway_server.testing.modem.faults import (
    EVERY_WAY,
    NO_FAULTS,
    CallFaults,
    FaultDraw,
    ModemFaults,
    call_faults,
    is_call_fault,
    modem_faults,
)


def test_faults_are_switched_by_name() -> None:
    assert call_faults(["refused=57", "connect-without-speed"]) == CallFaults(refused=57, connect_without_speed=True)
    assert modem_faults(["pin=1234", "sim_busy_s=15"]) == ModemFaults(pin="1234", sim_busy_s=15.0)


@pytest.mark.parametrize(
    ("made", "option", "message"),
    [
        (call_faults, "drunk", "there is no fault 'drunk'"),
        (call_faults, "hangs=sometimes", "dialling, connected, online, escape, hang-up"),
        (call_faults, "hang_up=never", "no-carrier-ok"),
        (call_faults, "refused=often", "a number is wanted"),
        (modem_faults, "registration=maybe", "home, idle, searching"),
        (modem_faults, "causes=poem", "siemens, number, text"),
    ],
)
def test_wrong_switch_is_told_with_what_there_is(made: object, option: str, message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        made([option])  # type: ignore[operator]  # one of the two functions


def test_calls_and_modems_have_no_fault_of_the_same_name() -> None:
    calls = {field.name for field in dataclasses.fields(CallFaults)}
    modems = {field.name for field in dataclasses.fields(ModemFaults)}
    assert calls.isdisjoint(modems)
    assert is_call_fault("lost-after=30")
    assert not is_call_fault("pin=1234")


def test_every_way_of_failing_is_a_fault_of_calls() -> None:
    for way in EVERY_WAY:
        assert call_faults([way]) != NO_FAULTS


def test_share_of_the_calls_fails_and_a_seed_decides_which() -> None:
    ways = [call_faults(["busy"]), call_faults(["silence"])]
    draw, again = FaultDraw(ways, 0.2, seed=3), FaultDraw(ways, 0.2, seed=3)
    fates = [draw.next() for _ in range(2000)]
    assert fates == [again.next() for _ in range(2000)]
    failing = [fate for fate in fates if fate != NO_FAULTS]
    assert 340 <= len(failing) <= 460
    assert set(failing) == set(ways)
    assert FaultDraw().next() == NO_FAULTS


def test_each_way_befalls_a_call_before_any_befalls_a_second_one() -> None:
    ways = [call_faults([way]) for way in EVERY_WAY]
    draw = FaultDraw(ways, 1.0, seed=5)
    first, second = ([draw.next() for _ in ways] for _ in range(2))
    assert len(set(first)) == len(set(second)) == len(ways)
    assert first != second


def test_document_names_every_switch_and_no_other() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "simulators.md").read_text("utf-8")
    table = text.partition("| kind | switches |")[2].partition("\n\n")[0]
    named = {word for words in re.findall(r"`([^`]+)`", table) for word in re.sub(r"=\w+", "", words).split()}
    assert named == {field.name for of in (CallFaults, ModemFaults) for field in dataclasses.fields(of)}
