"""The demo's modems: a small bank on terminals, and legacy meters that nobody reaches but by telephone.

The line is as slow as in life, 9600 bit/s and 600 ms; only the set-up of calls is shortened, so that there is
something to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twisted.internet.interfaces import IReactorTCP

from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.modem.bank import BankOptions, ModemBank
from gateway_server.testing.modem.book import Entry
from gateway_server.testing.modem.faults import NO_FAULTS, CallFaults, call_faults

MODEMS = ("m1", "m2")
SETUP_S = (2.0, 4.0)
BLOCKS = Quirks(largest_block=12)  # so that rows are seen coming


@dataclass(frozen=True, slots=True)
class LegacyMeter:
    """A meter with a telephone number."""

    serial: str
    model: str
    name: str
    story: str
    number: str
    faults: CallFaults = NO_FAULTS
    days: int = 2

    @property
    def route(self) -> str:
        """As it stands in the register."""
        return f"csd:{self.number}"


LEGACY = (
    LegacyMeter("30500118", "ek270", "Village Lesnoye", "is dialled", "+79165550101"),
    LegacyMeter("30500127", "tc220", "Dairy", "is dialled", "+79165550102"),
    LegacyMeter("30500133", "ek280", "Sanatorium", "its number is busy", "+79165550103", call_faults(["busy"])),
    LegacyMeter("30500142", "ek260", "Brickworks", "the carrier is lost in the middle", "+79165550104",
                call_faults(["lost_after=2500"])),
    LegacyMeter("30500150", "tc215", "Old mill", "is dialled", "+79165550105"),
)  # fmt: skip


def port_of_modem(folder: Path, modem: str) -> Path:
    """Where a modem of the demo will be; known before there is one, for the configuration."""
    return folder / "modems" / f"modem{MODEMS.index(modem) + 1}"


def demo_modems(reactor: IReactorTCP, folder: Path) -> ModemBank:
    """The running bank, with terminals in the folder ``modems`` beneath ``folder``."""
    entries = [Entry(one.number, one.model, one.serial, 7, one.days, BLOCKS, faults=one.faults) for one in LEGACY]
    options = BankOptions(count=len(MODEMS), links=folder / "modems", setup_s=SETUP_S, failures=("registration_s=1",))
    return ModemBank(reactor, options, entries)
