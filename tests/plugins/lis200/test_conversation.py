"""One question and its answer, whatever the line does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway_server.errors import ChecksumError, LineLost, MeterSilent
from gateway_server.model import KnownMeter, LastRow, ReadOrder
from plugins.lis200.conversation import continues, same_serial
from plugins.lis200.messages import Block, Command, Identification, Message, OptionSelect, Request, encode
from plugins.lis200.periods import usual
from tests.plugins.lis200.visit import ScriptedMeter, visit

IDENTITY = KnownMeter("1", ReadOrder(frozenset()))
TYPE = Command("R1", "1:181.0(1)")
SOFTWARE = Command("R1", "2:190.0(1)")
SERIAL = Command("R1", "1:180.0(1)")
CLOCK = Command("R1", "1:400.0(1)")


def meter(**answers: list[Message | bytes]) -> ScriptedMeter:
    return ScriptedMeter(
        {
            Request(): [Identification("Els", "6", "EK270")],
            OptionSelect("6"): [Command("P0", "(1234567)")],
            TYPE: answers.get("type", [Block("1:181.0(EK270)")]),
            SOFTWARE: [Block("2:190.0(2.05)")],
            SERIAL: [Block("1:180.0(1)")],
            CLOCK: [Block("1:400.0(2024-03-01,12:00:00)")],
        }
    )


def test_silence_is_answered_by_asking_again() -> None:
    silent_once = meter(type=[b"", Block("1:181.0(EK270)")])
    assert visit(silent_once, IDENTITY).outcome is None
    assert silent_once.heard.count(TYPE) == 2


def test_a_damaged_answer_is_asked_for_again() -> None:
    good = encode(Block("1:181.0(EK270)"))
    damaged_twice = meter(type=[good[:-1] + b"\x00", good[:-2], good])
    assert visit(damaged_twice, IDENTITY).outcome is None
    assert damaged_twice.heard.count(TYPE) == 3


def test_nothing_but_damage_ends_with_a_checksum_error_that_names_the_meter() -> None:
    told = visit(meter(type=[b"\x02x\x03\x00"]), IDENTITY)
    assert isinstance(told.outcome, ChecksumError)
    assert "meter 1" in str(told.outcome)


def test_nothing_but_silence_ends_with_a_silent_meter() -> None:
    told = visit(meter(type=[b""]), IDENTITY)
    assert isinstance(told.outcome, MeterSilent)
    assert told.sent[-1] == b"\x01B0\x03\x71"


def test_another_address_is_another_masters_answer_and_waited_past() -> None:
    foreign = encode(Block("4:302.0(5.5*m3)"))
    told = visit(meter(type=[foreign + encode(Block("1:181.0(EK270)"))]), IDENTITY)
    assert told.outcome is None
    assert [row.columns[0].quantity for row in told.rows] == ["clock"]


def test_a_line_full_of_others_telegrams_is_given_up() -> None:
    told = visit(meter(type=[encode(Block("4:302.0(5.5*m3)")) * 60]), IDENTITY)
    assert isinstance(told.outcome, MeterSilent) or told.outcome is None
    assert told.seconds < 120


def test_no_carrier_in_place_of_an_answer_is_a_lost_line() -> None:
    told = visit(meter(type=[b"\r\nNO CARRIER\r\n"]), IDENTITY)
    assert isinstance(told.outcome, LineLost)


@pytest.mark.parametrize(("one", "other"), [("41203377", "0041203377"), (" 17", "17 "), ("0", "00")])
def test_leading_zeros_do_not_make_another_meter(one: str, other: str) -> None:
    assert same_serial(one, other)


def test_other_digits_do() -> None:
    assert not same_serial("41203377", "41203378")


@pytest.mark.parametrize(
    ("archive", "order", "hours", "fits"),
    [
        ("interval", 101, 1, True),
        ("interval", 76, -24, True),
        ("interval", 102, 1, False),
        ("interval", 3, 1, False),
        ("daily", 102, 48, True),
        ("daily", 101, 25, False),
        ("monthly", 100, 0, True),
        ("monthly", 101, 744, False),
    ],
)
def test_row_goes_on_from_the_last_one_if_order_number_and_time_are_as_far_apart(
    archive: str, order: int, hours: int, *, fits: bool
) -> None:
    noon = datetime(2024, 4, 3, 12)
    assert continues(LastRow(100, noon), usual(archive, {}), order, noon + timedelta(hours=hours)) is fits
    assert not continues(None, usual(archive, {}), order, noon)
