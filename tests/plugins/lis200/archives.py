"""An archive in a simulated meter and what of it is to be found; and a meter that answers what a test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from plugins.lis200.messages import Block, Command, Identification, Message, OptionSelect, Refusal, Request
from tests.plugins.lis200.visit import ScriptedMeter, Visit

SERIAL = "41203377"
INTERVAL = KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("interval",)))
PAID = replace(INTERVAL, airtime=True)


def held(meter: FakeMeter, number: int = 3) -> list[dict[str, Any]]:
    """The rows that the meter holds in an archive."""
    archives: Any = meter.holds()["archives"]
    rows: list[dict[str, Any]] = archives[str(number)]["rows"]
    return rows


def found(told: Visit, name: str = "interval") -> list[tuple[int | None, str]]:
    """Order number and time of the rows that were read."""
    return [(row.order_number, f"{row.measured_at:%Y-%m-%d,%H:%M:%S}") for row in told.archive(name)]


def order_and_time(meter: FakeMeter, number: int = 3) -> list[tuple[int, str]]:
    """The same of those that the meter holds."""
    return [(row["order_number"], row["time"]) for row in held(meter, number)]


def between(meter: FakeMeter, since: datetime, until: datetime) -> list[tuple[int, str]]:
    """The same of those it holds from one time to another."""
    low, high = f"{since:%Y-%m-%d,%H:%M:%S}", f"{until:%Y-%m-%d,%H:%M:%S}"
    return [row for row in order_and_time(meter) if low <= row[1] <= high]


# what the simulator does not do

_EK_ROW = "({0})({1})(2014-05-02,{2:02}:00:00)(1.5)(1.5)(1)(1)(1.2)(1.0)(0.9)(1.5)(0)(0)(0)(0)(0)(0x8104)(CRC Ok)"
RESUMED = Command("R3", "3:V.0(3;2014-05-02,01:00:00;;5)")


def scripted(*archive: Message, resumed: list[Message | bytes] | None = None) -> ScriptedMeter:
    """An EK270 that answers this when its archive is asked for, and ``resumed`` when that is asked to go on."""
    answers: dict[Message, list[Message | bytes]] = {
        Request(): [Identification("Els", "6", "EK270")],
        OptionSelect("6"): [Command("P0", "(1234567)")],
        Command("R1", "1:181.0(1)"): [Block("1:181.0(EK270)")],
        Command("R1", "2:190.0(1)"): [Block("2:190.0(2.05)")],
        Command("R1", "1:180.0(1)"): [Block(f"1:180.0({SERIAL})")],
        Command("R1", "1:400.0(1)"): [Block("1:400.0(2014-05-03,00:00:00)")],
        Command("R1", "3:V.2(1)"): [Refusal("0004")],
        Command("R1", "3:V.4(1)"): [Refusal("0004")],
        Command("R3", "3:V.0(3;;;10)"): list(archive),
    }
    if resumed is not None:
        answers[RESUMED] = resumed
    return ScriptedMeter(answers)


def ek_row(number: int, hour: int) -> str:
    """A row of an EK270, as it stands in a block."""
    return _EK_ROW.format(100 + number, number, hour)
