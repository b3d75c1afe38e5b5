"""What a simulated modem has been told to do: the registers and switches that ATZ and AT&F put back."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from gateway_server.testing.modem.faults import ModemFaults

# Factory values: V.250 and the manuals of Siemens TC35/MC35; S25 in hundredths of a second.
REGISTERS = {0: 0, 2: 43, 3: 13, 4: 10, 5: 8, 6: 2, 7: 60, 8: 2, 10: 2, 12: 50, 25: 50}
BASIC = {"E": (1, 1), "V": (1, 1), "Q": (0, 1), "X": (4, 4), "L": (2, 3), "M": (1, 3)}
AMPERSAND = {"C": (1, 1), "D": (2, 2), "K": (3, 6), "S": (0, 1), "R": (1, 1)}


@dataclass
class Settings:
    """``basic`` and ``ampersand`` hold letter switches, ``plus`` the last operands of extended commands."""

    registers: dict[int, int] = field(default_factory=lambda: dict(REGISTERS))
    basic: dict[str, int] = field(default_factory=lambda: {name: value for name, (value, _) in BASIC.items()})
    ampersand: dict[str, int] = field(default_factory=lambda: {name: value for name, (value, _) in AMPERSAND.items()})
    plus: dict[str, str] = field(
        default_factory=lambda: {
            "CMEE": "0",
            "CREG": "0",
            "CBST": "7,0,1",
            "CRLP": "61,61,48,6",
            "CSNS": "0",
            "CRC": "0",
            "CLIP": "0",
            "CR": "0",
            "COPS": "0",
            "CFUN": "1",
            "IPR": "0",
            "IFC": "0,0",
            "ICF": "3,3",
        }
    )

    @property
    def echo(self) -> bool:
        """E1."""
        return bool(self.basic["E"])

    @property
    def verbose(self) -> bool:
        """V1: words, not digits."""
        return bool(self.basic["V"])

    @property
    def quiet(self) -> bool:
        """Q1: no results."""
        return bool(self.basic["Q"])

    @property
    def extent(self) -> int:
        """X: how much results say."""
        return self.basic["X"]

    @property
    def guard_s(self) -> float:
        """S12: the silence around +++."""
        return self.registers[12] / 50

    @property
    def drop_s(self) -> float:
        """S25: how long DTR must be off to mean anything."""
        return self.registers[25] / 100

    @property
    def bearer(self) -> str:
        """The speed value of +CBST, without leading zeros."""
        return self.plus["CBST"].split(",")[0].lstrip("0") or "0"

    def copy(self) -> Settings:
        """The same, apart."""
        return copy.deepcopy(self)


def stored_profile(faults: ModemFaults) -> Settings:
    """What the modem was left with when it was commissioned."""
    settings = Settings()
    if faults.numeric_profile:
        settings.basic["V"] = 0
    if faults.fixed_speed:
        settings.plus["IPR"] = str(faults.fixed_speed)
    return settings
