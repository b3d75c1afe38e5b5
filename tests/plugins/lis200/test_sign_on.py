"""Reaching a device: awake or not, with parity or without, among others, over a wire whose speed changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.errors import LineLost, MeterSilent
from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import SIGN_OFF, Command, Identification, OptionSelect, Request, encode
from tests.plugins.lis200.visit import ScriptedMeter, visit

CHALLENGE = Command("P0", "(1234567)")
NOTHING = ReadOrder(frozenset())
REQUEST = b"/?!\r\n"
REQUEST_EVEN = bytes.fromhex("AF 3F 21 8D 0A")


def identify_only(**memory: str) -> KnownMeter:
    return KnownMeter("41203377", NOTHING, memory=memory)


def test_the_devices_own_speed_character_is_echoed() -> None:
    for speed in "0569":
        meter = ScriptedMeter({Request(): [Identification("Els", speed, "EK270")], OptionSelect(speed): [CHALLENGE]})
        visit(meter)
        assert meter.heard[:2] == [Request(), OptionSelect(speed)]


def test_the_password_operand_is_not_answered() -> None:
    told = visit(FakeMeter(), identify_only())
    assert told.sent[:3] == [REQUEST, b"\x06061\r\n", encode(Command("R1", "1:181.0(1)"))]


def test_a_device_that_speaks_7e1_on_an_eight_bit_line_is_found_and_remembered() -> None:
    told = visit(FakeMeter(quirks=Quirks(seven_e1=True)), identify_only())
    assert told.outcome is None
    assert told.sent[0] == REQUEST
    assert REQUEST_EVEN in told.sent
    assert told.memory["parity"] == "even"


def test_a_remembered_parity_is_used_at_once() -> None:
    told = visit(FakeMeter(quirks=Quirks(seven_e1=True)), identify_only(parity="even"))
    assert told.sent[0] == REQUEST_EVEN
    assert told.seconds < 1
    assert "parity" not in told.memory


def test_a_device_that_speaks_plain_again_is_found_in_spite_of_its_memory() -> None:
    told = visit(FakeMeter(), identify_only(parity="even"))
    assert told.outcome is None
    assert told.memory["parity"] == "none"


@pytest.mark.parametrize("known", ["spread", "yes"])
def test_a_sleeping_device_is_woken_as_long_as_the_documents_say_and_remembered_as_one(known: str) -> None:
    told = visit(FakeMeter(quirks=Quirks(asleep=True)), identify_only())
    assert told.outcome is None
    assert told.memory["wake_up"] == "spread"
    again = visit(FakeMeter(quirks=Quirks(asleep=True)), identify_only(wake_up=known, parity="none"))
    assert again.outcome is None
    assert again.sent[:23] == [bytes(3)] * 23
    assert again.sent[23] == REQUEST
    assert 3.7 <= again.seconds < 3.8  # 2.2 s of NULs, a pause of 1.5 s


def test_on_a_paid_line_a_burst_is_tried_before_what_costs_two_seconds() -> None:
    paid = replace(identify_only(), airtime=True)
    told = visit(FakeMeter(quirks=Quirks(never_answers=True)), paid)
    nuls = [data for data in told.sent if not data.strip(b"\0")]
    assert nuls == [bytes(53)] * 2 + [bytes(3)] * 23
    known = visit(FakeMeter(), replace(identify_only(wake_up="yes", parity="none"), airtime=True))
    assert known.sent[:2] == [bytes(53), REQUEST]
    assert known.seconds < 1.6


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("remembered", [{}, {"parity": "none"}, {"parity": "even"}])
def test_device_that_only_long_wakes_over_a_paid_line_is_woken_so_the_next_time(
    remembered: dict[str, str], *, even: bool
) -> None:
    paid = replace(identify_only(**remembered), airtime=True)
    told = visit(FakeMeter(quirks=Quirks(asleep=True, seven_e1=even)), paid)
    assert told.outcome is None
    assert told.memory["wake_up"] == "spread"
    again = visit(FakeMeter(quirks=Quirks(asleep=True)), replace(paid, memory={"wake_up": "spread", "parity": "none"}))
    assert again.sent[:23] == [bytes(3)] * 23


def test_a_device_left_in_programming_mode_is_signed_off_before_the_second_request() -> None:
    told = visit(ScriptedMeter({}))
    assert told.sent[1] == encode(SIGN_OFF, even=True)
    assert encode(SIGN_OFF) in told.sent


def test_silence_in_every_way_of_speaking_is_a_silent_meter_and_bounded() -> None:
    told = visit(FakeMeter(quirks=Quirks(never_answers=True)), identify_only())
    assert isinstance(told.outcome, MeterSilent)
    assert "41203377" in str(told.outcome)
    assert told.seconds < 60
    assert [data for data in told.sent if data in (REQUEST, REQUEST_EVEN)] == [REQUEST, REQUEST_EVEN] * 3


def test_64_kib_of_rubbish_before_the_first_identification_cost_one_try() -> None:
    told = visit(FakeMeter(quirks=Quirks(rubbish=True)), identify_only())
    assert told.outcome is None
    assert told.identity is not None


def test_the_bus_address_of_the_register_is_asked_for() -> None:
    meter = KnownMeter("41203377", NOTHING, address="17")
    told = visit(FakeMeter(quirks=Quirks(bus_address="17")), meter)
    assert told.sent[0] == b"/?17!\r\n"
    assert told.outcome is None


def test_only_a_line_that_began_at_300_baud_changes_to_the_devices_speed() -> None:
    assert "line: 19200 from 300" in visit(FakeMeter(), identify_only()).notes


def test_a_device_that_stays_at_300_baud_changes_nothing() -> None:
    meter = ScriptedMeter({Request(): [Identification("Els", "0", "EK270")], OptionSelect("0"): [CHALLENGE]})
    assert not [note for note in visit(meter).notes if note.startswith("line:")]


def test_another_masters_request_and_an_echo_of_ours_are_passed_over() -> None:
    line = b"/?!\r\n/?1!\r\n" + encode(Identification("Els", "6", "EK270"))
    meter = ScriptedMeter({Request(): [line], OptionSelect("6"): [CHALLENGE]})
    visit(meter)
    assert OptionSelect("6") in meter.heard


def test_no_carrier_during_sign_on_is_a_lost_line() -> None:
    told = visit(ScriptedMeter({Request(): [b"\r\nNO CARRIER\r\n"]}))
    assert isinstance(told.outcome, LineLost)


@pytest.mark.parametrize("address", ["1!\r\n", "\x01W1", "й"])
def test_an_address_cannot_smuggle_anything_into_the_request(address: str) -> None:
    told = visit(FakeMeter(), KnownMeter("41203377", NOTHING, address=address))
    assert told.sent[0] in (REQUEST, b"/?1!\r\n", b"/?W1!\r\n")
