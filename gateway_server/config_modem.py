"""The `[[modem]]` tables and `[calls]`: which modems there are, how they are spoken to, what a call costs."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gateway_server.config_tables import Named, Seconds, Table
from gateway_server.errors import OperatorError
from gateway_server.session.plan import Role
from gateway_server.transports.modem.port import remote_port
from gateway_server.transports.modem.terms import SPEEDS, TYPES, Answer, Escape, ModemTerms, NumberRule

Speed = Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Positive = Annotated[float, Field(gt=0, le=86400, strict=False)]

_BEARER = re.compile(r"\d{1,3},\d{1,3},\d{1,3}")
_LINE = re.compile(r"AT[ -~]{1,120}", re.IGNORECASE)
_DIALS = re.compile(r"AT(?:D|A$|.*\+CPIN=)", re.IGNORECASE)


class ModemSettings(Named):
    """One modem. The contract's keys, then ours; times in seconds."""

    port: str = Field(min_length=1)
    speed: Speed = 9600
    speeds: list[Speed] = list(SPEEDS)  # type: ignore[arg-type]  # they are all of them speeds
    type: Literal["generic", "siemens", "wavecom", "telit", "simcom", "analogue"] = "generic"
    init_before: list[str] = []
    init_after: list[str] = []
    pin_file: str = ""
    bearers: list[str] = ["7,0,1", "71,0,1"]
    operator: str = ""
    answer: Literal["never", "known", "any"] = "known"
    role: Literal["ask", "listen"] = "ask"
    escape: Literal["auto", "dtr", "plus"] = "auto"
    dial_timeout: Annotated[float, Field(ge=10, le=250, strict=False)] = 90.0
    call_limit: Positive = 1800.0
    frame_limit: Seconds = 60.0
    cool_down: Seconds = 5.0
    register_timeout: Positive = 120.0
    settle: Annotated[float, Field(ge=0, le=30, strict=False)] = 0.0
    guard: Annotated[float, Field(ge=0.05, le=10, strict=False)] = 1.2
    refused_within: Annotated[float, Field(ge=0, le=30, strict=False)] = 3.0
    watch: Annotated[float, Field(ge=1, le=86400, strict=False)] = 60.0
    retry: Annotated[float, Field(ge=1, le=86400, strict=False)] = 900.0
    power_cycle: list[str] = []
    boot: Annotated[float, Field(ge=0, le=600, strict=False)] = 30.0

    @field_validator("name")
    @classmethod
    def _is_name(cls, text: str) -> str:
        if not re.fullmatch(r"[^\s:@]+", text):
            raise ValueError("must not hold blanks, colons and @: routes name it, as csd:NUMBER@NAME")
        return text

    @field_validator("port")
    @classmethod
    def _is_port(cls, text: str) -> str:
        try:
            remote_port(text)
        except OperatorError as wrong:
            raise ValueError(str(wrong)) from None
        return text

    @field_validator("init_before", "init_after")
    @classmethod
    def _are_lines(cls, lines: list[str]) -> list[str]:
        for line in lines:
            if not _LINE.fullmatch(line):
                raise ValueError(f"holds {line!r}; each is one command line that begins with AT")
            if _DIALS.match(line):
                raise ValueError(f"holds {line!r}; dialling and the PIN are not for init strings")
        return lines

    @field_validator("bearers")
    @classmethod
    def _are_bearers(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if not _BEARER.fullmatch(text):
                raise ValueError(f'holds {text!r}; a bearer is what stands behind AT+CBST=, such as "7,0,1"')
        return texts

    @model_validator(mode="after")
    def _fits_together(self) -> ModemSettings:
        if self.type == "analogue" and self.pin_file:
            raise ValueError("`pin_file` is of no use to an analogue modem: it has no SIM")
        if self.escape == "dtr" and self.port.startswith("socket://"):
            raise ValueError(
                '`escape` = "dtr" cannot be done over socket://, which has no lines; use rfc2217:// or "plus"'
            )
        return self

    def check(self, folder: Path) -> None:
        """Raises `OperatorError` for a PIN file or a power-cycle command that is not to be had."""
        if self.pin_file and not (folder / self.pin_file).is_file():
            raise OperatorError(f"`pin_file`: there is no file {folder / self.pin_file}")
        if self.power_cycle and "/" in self.power_cycle[0] and not Path(self.power_cycle[0]).is_file():
            raise OperatorError(f"`power_cycle`: there is no program {self.power_cycle[0]}")

    def terms(self, folder: Path) -> ModemTerms:
        """As the transport takes it."""
        return ModemTerms(
            name=self.name,
            port=self.port,
            speed=self.speed,
            speeds=tuple(self.speeds),
            type=TYPES[self.type],
            init_before=tuple(self.init_before),
            init_after=tuple(self.init_after),
            pin_file=folder / self.pin_file if self.pin_file else None,
            bearers=tuple(self.bearers) if self.type != "analogue" else (),
            operator=self.operator,
            answer=Answer(self.answer),
            role=Role(self.role),
            escape=Escape(self.escape),
            dial_timeout=self.dial_timeout,
            call_limit=self.call_limit,
            frame_limit=self.frame_limit,
            cool_down=self.cool_down,
            register_timeout=self.register_timeout,
            settle=self.settle,
            guard=self.guard,
            refused_within=self.refused_within,
            watch=self.watch,
            retry=self.retry,
            power_cycle=tuple(self.power_cycle),
            boot=self.boot,
        )


class CallSettings(Table):
    """What a call costs, and which phone numbers are one."""

    price_per_minute: str = ""
    currency: str = ""
    same_digits: Annotated[int, Field(ge=0, le=20)] = 10
    wait_for_modem: Positive = 300.0
    early_acknowledge: list[str] = []

    @field_validator("price_per_minute")
    @classmethod
    def _is_price(cls, text: str) -> str:
        if text:
            try:
                price = Decimal(text)
            except InvalidOperation:
                raise ValueError('is no price; write a decimal as text, such as "1.50"') from None
            if not price.is_finite() or price < 0:
                raise ValueError('is no price; write a decimal as text, such as "1.50"')
        return text

    @property
    def price(self) -> Decimal | None:
        """Of one started minute; None if nobody said."""
        return Decimal(self.price_per_minute) if self.price_per_minute else None

    @property
    def numbers(self) -> NumberRule:
        """When two numbers are one."""
        return NumberRule(self.same_digits)
