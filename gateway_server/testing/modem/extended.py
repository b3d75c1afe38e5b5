"""The extended commands of a simulated GSM modem (3GPP TS 27.007), apart from its calls.

An answer is a list of lines of information; `Refused` is ERROR, `CmeError` says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_server.testing.modem.commands import Command, operands
from gateway_server.testing.modem.faults import ModemFaults
from gateway_server.testing.modem.results import cause_line
from gateway_server.testing.modem.settings import Settings
from gateway_server.testing.modem.sim import SEARCHING, SIM_BUSY, STATES, USABLE, CmeError, FakeSim

NOT_ALLOWED, NOT_SUPPORTED = 3, 4
BEARERS = frozenset({"0", "4", "6", "7", "14", "68", "70", "71", "75"})
IDENTITY = {
    "CGMI": "SIMULATED",
    "GMI": "SIMULATED",
    "CGMM": "GSM CSD modem",
    "GMM": "GSM CSD modem",
    "CGMR": "REVISION 1.0",
    "GMR": "REVISION 1.0",
    "CGSN": "350000000000001",
    "GSN": "350000000000001",
}
SPEEDS = frozenset({"0", "300", "1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200"})

# What a setting may be, and what is told of it.
SETTINGS: dict[str, tuple[str, str]] = {
    "CMEE": (r"[012]", "(0-2)"),
    "CREG": (r"[012]", "(0-2)"),
    "CSNS": (r"[0-7]", "(0-7)"),
    "CRC": (r"[01]", "(0,1)"),
    "CLIP": (r"[01]", "(0,1)"),
    "CR": (r"[01]", "(0,1)"),
    "IFC": (r"[0-2],[0-2]", "(0-2),(0-2)"),
    "ICF": (r"[1-6](,[0-4])?", "(1-6),(0-4)"),
}


class Refused(Exception):
    """Answered ERROR."""


@dataclass
class Standing:
    """Where the modem stands with its card and its network; times are its clock's."""

    sim: FakeSim
    faults: ModemFaults
    now: Callable[[], float]
    started: float = 0.0
    searching_since: float = 0.0
    lost: bool = False
    radio: bool = True
    cause: int = 0
    restarts: list[str] = field(default_factory=list)

    def restart(self) -> None:
        """Power has come."""
        self.started = self.searching_since = self.now()
        self.lost = False
        self.radio = True
        self.sim.restart()

    def require_sim(self) -> None:
        """Raises `CmeError` unless the card can be used."""
        if self.now() - self.started < self.faults.sim_busy_s:
            raise CmeError(SIM_BUSY)
        self.sim.require()

    @property
    def registration(self) -> int:
        """The number +CREG gives."""
        try:
            self.require_sim()
        except CmeError:
            return STATES["idle"]
        if not self.radio:
            return STATES["idle"]
        if self.lost or self.now() - self.searching_since < self.faults.registration_s:
            return SEARCHING
        return STATES[self.faults.registration]

    @property
    def registered(self) -> bool:
        """Whether calls can be made."""
        return self.registration in USABLE


class Extended:
    """Answers extended commands. ``restart`` is called by +CFUN=1,1 with nothing else on its mind."""

    def __init__(self, standing: Standing, restart: Callable[[], None]) -> None:
        self._standing = standing
        self._restart = restart

    def answer(self, command: Command, settings: Settings) -> list[str]:
        """The lines of information to a command. Raises `Refused` and `CmeError`."""
        name = command.name[1:]
        if name in IDENTITY:
            return [IDENTITY[name]] if command.kind == "do" else []
        special = getattr(self, f"_{name.lower()}", None)
        if special is not None:
            answer: list[str] = special(command, settings)
            return answer
        if name not in SETTINGS:
            raise Refused
        allowed, told = SETTINGS[name]
        if command.kind == "ask":
            return [f"+{name}: {settings.plus[name]}"]
        if command.kind == "test":
            return [f"+{name}: {told}"]
        value = command.value.replace(" ", "")
        if command.kind != "set" or re.fullmatch(allowed, value) is None:
            raise Refused
        settings.plus[name] = value
        return []

    def _cpin(self, command: Command, settings: Settings) -> list[str]:
        standing = self._standing
        if standing.now() - standing.started < standing.faults.sim_busy_s:
            raise CmeError(SIM_BUSY)
        if command.kind == "ask":
            return [f"+CPIN: {standing.sim.state}"]
        if command.kind != "set" or not command.value:
            raise Refused
        if standing.sim.state == "READY":
            raise CmeError(NOT_ALLOWED)
        pin, *new = operands(command.value)
        standing.sim.enter(pin, new[0] if new else None)
        standing.searching_since = standing.now()
        return []

    def _creg(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "ask":
            state = self._standing.registration
            if self._standing.faults.state_alone:
                return [f"+CREG: {state}"]
            place = ',"00A1","2F4C"' if settings.plus["CREG"] == "2" and state in USABLE else ""
            return [f"+CREG: {settings.plus['CREG']},{state}{place}"]
        if command.kind == "test":
            return ["+CREG: (0-2)"]
        if command.kind != "set" or command.value not in {"0", "1", "2"}:
            raise Refused
        settings.plus["CREG"] = command.value
        return []

    def _csq(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "test":
            return ["+CSQ: (0-31,99),(0-7,99)"]
        if command.kind != "do":
            raise Refused
        self._standing.require_sim()
        return [f"+CSQ: {self._standing.faults.signal if self._standing.registered else 99},99"]

    def _cops(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "ask":
            self._standing.require_sim()
            return ['+COPS: 0,0,"SIMULATED NET"' if self._standing.registered else "+COPS: 0"]
        if command.kind == "set" and command.value[:1] in {"0", "3"}:
            return []
        raise Refused

    def _cbst(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "ask":
            return [f"+CBST: {settings.plus['CBST']}"]
        if command.kind == "test":
            return ["+CBST: (0,4,6,7,14,68,70,71,75),(0),(1)"]
        if self._standing.faults.bearer_unsupported:
            raise CmeError(NOT_SUPPORTED)
        parts = [part.lstrip("0") or "0" for part in operands(command.value)]
        if command.kind != "set" or parts[0] not in BEARERS:
            raise CmeError(NOT_SUPPORTED)
        parts += ["0", "1"][len(parts) - 1 :]
        if parts[1] != "0" or parts[2] not in {"1", "2", "3"}:
            raise CmeError(NOT_SUPPORTED)
        settings.plus["CBST"] = ",".join(parts[:3])
        return []

    def _crlp(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "ask":
            return [f"+CRLP: {settings.plus['CRLP']}"]
        if command.kind == "test":
            return ["+CRLP: (0-61),(0-61),(39-255),(1-255)"]
        bounds = ((0, 61), (0, 61), (39, 255), (1, 255))
        now = settings.plus["CRLP"].split(",")
        given = operands(command.value)
        if command.kind != "set" or len(given) > len(bounds):
            raise Refused
        for place, (text, (low, high)) in enumerate(zip(given, bounds, strict=False)):
            if not text.isdecimal() or not low <= int(text) <= high:
                raise Refused
            now[place] = text
        settings.plus["CRLP"] = ",".join(now)
        return []

    def _ceer(self, command: Command, settings: Settings) -> list[str]:
        if command.kind != "do":
            return []
        return [cause_line(self._standing.cause, self._standing.faults.causes)]

    def _cfun(self, command: Command, settings: Settings) -> list[str]:
        standing = self._standing
        if command.kind == "ask":
            return [f"+CFUN: {int(standing.radio)}"]
        if command.kind == "test":
            return ["+CFUN: (0,1),(0,1)"]
        given = operands(command.value)
        if command.kind != "set" or given[0] not in {"0", "1"}:
            raise Refused
        if given[0] == "1" and not standing.radio:
            standing.searching_since = standing.now()
        standing.radio = given[0] == "1"
        if given[1:] == ["1"]:
            self._restart()
        return []

    def _ipr(self, command: Command, settings: Settings) -> list[str]:
        if command.kind == "ask":
            return [f"+IPR: {settings.plus['IPR']}"]
        if command.kind == "test":
            return ["+IPR: (0,300,1200,2400,4800,9600,19200,38400,57600,115200)"]
        if command.kind != "set" or command.value not in SPEEDS:
            raise Refused
        settings.plus["IPR"] = command.value
        return []
