"""What an operator says of a modem, as the transport takes it; times are seconds."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway_server.session.plan import Role


class Answer(enum.Enum):
    """Whose calls a modem takes."""

    NEVER = "never"
    KNOWN = "known"
    ANY = "any"


class Escape(enum.Enum):
    """How a call is ended: by DTR, by ``+++`` and ATH, or by DTR where DCD showed that there are modem lines."""

    AUTO = "auto"
    DTR = "dtr"
    PLUS = "plus"


@dataclass(frozen=True, slots=True)
class ModemType:
    """What modems of one kind are told at first. ``cellular`` ones have a SIM, a network and a bearer.

    ``tolerated`` lines may be refused: three-wire cables and old firmware know not all of them.
    """

    name: str
    cellular: bool = True
    lines: tuple[str, ...] = ("ATE0V1Q0X4",)
    tolerated: tuple[str, ...] = ("AT+CMEE=1", "AT&C1&D2S0=0", "AT+IFC=0,0")
    reset: str = "AT+CFUN=1,1"


GENERIC = ModemType("generic")
TYPES: Mapping[str, ModemType] = {
    kind.name: kind
    for kind in (
        GENERIC,
        # Dossier A.2: Siemens keeps errors of calls apart, Wavecom and MultiTech know neither +CRC nor &K as others do.
        ModemType("siemens", tolerated=("AT+CMEE=1", "AT&C1&D2S0=0", "AT\\Q0")),
        ModemType("wavecom", tolerated=("AT+CMEE=1", "AT&C1&D2", "ATS0=0", "AT+IFC=0,0")),
        ModemType("telit", tolerated=("AT+CMEE=1", "AT&C1&D2", "ATS0=0", "AT&K0")),
        ModemType("simcom"),
        ModemType("analogue", cellular=False, tolerated=("AT&C1&D2S0=0", "AT&K0"), reset="ATZ"),
    )
}
SPEEDS = (115200, 57600, 38400, 19200, 9600)
"""Dossier A.5: at these a modem may be found that is not at its own."""


@dataclass(frozen=True, slots=True)
class ModemTerms:
    """One modem. What the fields mean to an operator stands in ``config/gateway.example.toml``."""

    name: str
    port: str
    speed: int = 9600
    speeds: tuple[int, ...] = SPEEDS
    type: ModemType = GENERIC
    init_before: tuple[str, ...] = ()
    init_after: tuple[str, ...] = ()
    pin_file: Path | None = None
    bearers: tuple[str, ...] = ("7,0,1", "71,0,1")
    operator: str = ""
    answer: Answer = Answer.KNOWN
    role: Role = Role.ASK
    escape: Escape = Escape.AUTO
    dial_timeout: float = 90.0
    call_limit: float = 1800.0
    frame_limit: float = 60.0
    cool_down: float = 5.0
    register_timeout: float = 120.0
    settle: float = 0.0
    guard: float = 1.2
    refused_within: float = 3.0
    watch: float = 60.0
    retry: float = 900.0
    power_cycle: tuple[str, ...] = ()
    boot: float = 30.0


@dataclass(frozen=True, slots=True)
class NumberRule:
    """When two phone numbers are one: their last digits are the same."""

    last_digits: int = 10


@dataclass(frozen=True, slots=True)
class CallTerms:
    """What holds for all modems."""

    numbers: NumberRule = field(default_factory=NumberRule)
