"""Locks: opened only when they bar reading, with the stored code or the model's own, and closed again."""

from __future__ import annotations

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import MeterRefused
from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200 import objects
from plugins.lis200.messages import (
    Acknowledge,
    Block,
    Command,
    Identification,
    OptionSelect,
    Refusal,
    Request,
    encode,
)
from tests.plugins.lis200.visit import ScriptedMeter, visit

SERIAL = "41203377"
LIVE = ReadOrder(frozenset({"current"}))
OPEN_4 = encode(Command("W1", "4:171.0(00000000)"))
CLOSE_4 = encode(Command("W1", "4:170.0(0)"))
SIGN_OFF = b"\x01B0\x03\x71"


def locked(*, lock_way_b: bool = False, noise_before: bool = False) -> Quirks:
    return Quirks(lock_all=True, lock_way_b=lock_way_b, noise_before=noise_before)


def test_an_open_device_sees_no_lock_telegram() -> None:
    told = visit(FakeMeter(), KnownMeter(SERIAL, LIVE))
    assert not [data for data in told.sent if data[1:3] in (b"W1", b"P1")]


def test_a_refusal_opens_the_customers_lock_and_the_end_closes_it_before_signing_off() -> None:
    meter = FakeMeter(quirks=locked())
    told = visit(meter, KnownMeter(SERIAL, LIVE))
    assert told.outcome is None
    assert told.sent.count(OPEN_4) == 1
    assert told.sent[-2:] == [CLOSE_4, SIGN_OFF]
    assert meter.writes == []


def test_the_stored_code_opens_and_is_nowhere_in_the_log() -> None:
    meter = FakeMeter(quirks=locked(), access_code="87654321")
    told = visit(meter, KnownMeter(SERIAL, LIVE, access_code="87654321"))
    assert told.outcome is None
    assert not [data for _, data in told.log if b"8765" in data]
    assert [data for data in told.sent if b"87654321" in data]


def test_a_code_given_for_one_lock_opens_that_one() -> None:
    told = visit(FakeMeter(quirks=locked(), access_code="99"), KnownMeter(SERIAL, LIVE, access_code="3:99"))
    assert told.outcome is None
    assert encode(Command("W1", "3:171.0(99)")) in told.sent
    assert told.sent[-2] == encode(Command("W1", "3:170.0(0)"))


def test_where_writing_the_code_is_refused_the_login_telegram_opens() -> None:
    told = visit(FakeMeter(quirks=locked(lock_way_b=True)), KnownMeter(SERIAL, LIVE))
    assert told.outcome is None
    assert encode(Command("P1", "(4:00000000)")) in told.sent


def test_a_wrong_code_is_tried_once_a_lock_and_the_refusal_says_what_to_do() -> None:
    meter = FakeMeter(quirks=locked(), access_code="12345678")
    told = visit(meter, KnownMeter(SERIAL, LIVE, access_code="55555555"))
    assert isinstance(told.outcome, MeterRefused)
    assert told.outcome.code == "0018"
    tried = [data for data in told.sent if b"55555555" in data]
    assert len(tried) == len(set(tried)) <= 4
    assert any("--password-file" in note for note in told.notes)
    assert told.sent[-1] == SIGN_OFF


def test_locked_archives_with_a_wrong_code_do_not_hide_what_is_open() -> None:
    meter = FakeMeter(quirks=Quirks(lock_values=True), access_code="12345678")
    told = visit(meter, KnownMeter(SERIAL))
    assert isinstance(told.outcome, Partly)
    assert "no lock could be opened" in told.outcome.reason
    assert [row.columns[0].quantity for row in told.rows] == ["clock"]


def test_a_stray_ack_is_not_taken_for_an_opened_lock() -> None:
    meter = FakeMeter(quirks=locked(noise_before=True), access_code="12345678")
    told = visit(meter, KnownMeter(SERIAL, LIVE, access_code="55555555"))
    assert isinstance(told.outcome, MeterRefused)
    assert not any("opened" in note for note in told.notes if "no lock" not in note)


@pytest.mark.parametrize("code", ["1)(", "ключ", "1\x03q", "*"])
def test_a_code_a_lock_cannot_have_is_never_sent(code: str) -> None:
    told = visit(FakeMeter(quirks=locked()), KnownMeter(SERIAL, LIVE, access_code=code))
    assert isinstance(told.outcome, MeterRefused)
    assert not [data for data in told.sent if data[1:3] in (b"W1", b"P1")]


@pytest.mark.parametrize("lock", [1, 2])
def test_the_calibration_and_manufacturer_locks_are_left_alone_whatever_code_is_stored(lock: int) -> None:
    told = visit(FakeMeter(quirks=locked(), access_code="99"), KnownMeter(SERIAL, LIVE, access_code=f"{lock}:99"))
    assert isinstance(told.outcome, MeterRefused)
    assert not [data for data in told.sent if data[1:3] in (b"W1", b"P1")]


def test_an_ek280_is_opened_by_its_data_readers_lock_if_no_other_opens() -> None:
    meter = FakeMeter("ek280", quirks=locked(), access_code="77")
    told = visit(meter, KnownMeter(SERIAL, LIVE, access_code="5:77"))
    assert told.outcome is None
    assert encode(Command("W1", "5:171.0(77)")) in told.sent


def test_a_lock_that_has_closed_by_itself_is_opened_again() -> None:
    identity = {"1:181": "EK270", "2:190": "2.05", "1:180": SERIAL}
    state = Command("R1", "4:170.0(1)")
    clock = Command("R1", "1:400.0(1)")
    volume = Command("R1", "2:300.0(1)")
    closed, told_time = Refusal("0018"), Block("1:400.0(2024-03-01,12:00:00)")
    meter = ScriptedMeter(
        {
            Request(): [Identification("Els", "6", "EK270")],
            OptionSelect("6"): [Command("P0", "(1234567)")],
            **{Command("R1", f"{at}.0(1)"): [Block(f"{at}.0({text})")] for at, text in identity.items()},
            clock: [closed, told_time],
            volume: [closed, Block("2:300.0(5.5*m3)")],
            state: [Block("4:170.0(0)")],
            Command("W1", "4:171.0(00000000)"): [Acknowledge()],
            Command("W1", "4:170.0(0)"): [Acknowledge()],
        }
    )
    usual = (*objects.EK_LIVE, *objects.ELSEWHERE.values())
    absent = " ".join(address for address in usual if address != "2:300")
    told = visit(meter, KnownMeter(SERIAL, LIVE, memory={"absent:2.05": absent}))
    assert told.outcome is None
    assert [row.columns[0].quantity for row in told.rows] == ["clock", "base_volume"]
    assert meter.heard.count(Command("W1", "4:171.0(00000000)")) == 2
    assert meter.heard.count(Command("W1", "4:170.0(0)")) == 1
