"""What the operator says of the plan: `[[schedule]]`, `[[acceptance]]`, `[dialling]` and `[completeness]`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, cast

from pydantic import Field, field_validator, model_validator

from gateway_server.config_tables import Named, Seconds, Table
from gateway_server.errors import OperatorError
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.obligations import Budget
from gateway_server.scheduler.planning import OVERDUE
from gateway_server.scheduler.schedules import Acceptance, Schedule, Window, check_cron
from gateway_server.scheduler.waiting import Rules

_AtOnce = Annotated[int, Field(ge=0, le=1000)]


def _window(text: str) -> Window:
    try:
        return Window.parse(text)
    except OperatorError as wrong:
        raise ValueError(str(wrong).removeprefix(f"{text!r} ")) from None


class ScheduleSettings(Named):
    """When which meters are read."""

    cron: str
    meters: list[str] = []
    groups: list[str] = []
    window: str = ""
    what: list[Literal["current", "archive", "events"]] = ["archive"]
    archives: list[str] = []
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    black_out: list[date] = []
    transports: list[Literal["csd", "tcp", "serial", "caller"]] = []

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name == OVERDUE:
            raise ValueError(
                f"is {OVERDUE!r}, which stands for meters that are filled when they call in; choose another"
            )
        return name

    @field_validator("black_out", mode="before")
    @classmethod
    def _are_days(cls, days: object) -> object:
        try:
            return [date.fromisoformat(day) if isinstance(day, str) else day for day in cast(list[object], days)]
        except (TypeError, ValueError):
            raise ValueError("is a list of days, such as [2026-12-31, 2027-01-01]") from None

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, text: str) -> str:
        try:
            return check_cron(text)
        except OperatorError as wrong:
            raise ValueError(str(wrong).removeprefix(f"{text!r} ")) from None

    @field_validator("window")
    @classmethod
    def _is_window(cls, text: str) -> str:
        if text:
            _window(text)
        return text

    @field_validator("what")
    @classmethod
    def _says_what(cls, what: list[str]) -> list[str]:
        if not what or len(set(what)) < len(what):
            raise ValueError('must name "current", "archive" or "events", each once')
        return what

    @model_validator(mode="after")
    def _fits_together(self) -> ScheduleSettings:
        if self.archives and "archive" not in self.what:
            raise ValueError('`archives` names archives, but `what` does not have "archive"')
        return self

    def schedule(self) -> Schedule:
        """As the planner takes it."""
        return Schedule(
            self.name,
            self.cron,
            tuple(self.meters),
            tuple(self.groups),
            _window(self.window) if self.window else None,
            frozenset(self.what),
            tuple(self.archives),
            self.priority,
            self.attempts,
            frozenset(self.black_out),
            tuple(self.transports),
        )


class AcceptanceSettings(Table):
    """When meters answer calls at all."""

    windows: Annotated[list[str], Field(min_length=1)]
    meters: list[str] = []
    groups: list[str] = []

    @field_validator("windows")
    @classmethod
    def _are_windows(cls, texts: list[str]) -> list[str]:
        for text in texts:
            _window(text)
        return texts

    def acceptance(self) -> Acceptance:
        """As the planner takes it."""
        return Acceptance(tuple(map(_window, self.windows)), tuple(self.meters), tuple(self.groups))


class DiallingSettings(Table):
    """How much is called: 0 is no limit; times in seconds."""

    longest_call: Seconds = 1800.0
    per_meter_and_day: Seconds = 3600.0
    per_modem_and_day: Seconds = 0.0
    at_once_per_operator: _AtOnce = 0
    at_once_per_group: _AtOnce = 0
    spread: Seconds = 2.0
    gaps: Annotated[float, Field(ge=0.001, le=100, strict=False)] = 1.0
    barred_for: Seconds = 72_000.0
    operators: dict[str, str] = {}

    def limits(self) -> Limits:
        """As the planner takes them."""
        return Limits(
            self.longest_call,
            self.per_meter_and_day,
            self.per_modem_and_day,
            self.at_once_per_operator,
            self.at_once_per_group,
            self.spread,
        )

    def rules(self, acceptances: list[AcceptanceSettings]) -> Rules:
        """Who may be called when, and by whose SIM."""
        return Rules(tuple(one.acceptance() for one in acceptances), self.operators)


class CompletenessSettings(Table):
    """Which rows a meter must have, and how much is asked of one that calls in by itself; times in seconds."""

    archives: list[str] = ["interval"]
    grace: Seconds = 600.0
    first_days: Annotated[int, Field(ge=1, le=4000)] = 35
    most_days: Annotated[int, Field(ge=1, le=4000)] = 400
    commissioned: dict[str, date] = {}
    fill_every: Seconds = 21600.0
    fill_traffic_kb: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    fill_seconds: Annotated[float, Field(ge=1, le=86_400, strict=False)] = 300.0

    def terms(self) -> Terms:
        """As completeness takes them."""
        return Terms(
            tuple(self.archives), int(self.grace * 1000), self.first_days, self.most_days, dict(self.commissioned)
        )

    def budget(self) -> Budget:
        """What may be asked of a meter that called."""
        return Budget(self.fill_traffic_kb * 1024, self.fill_seconds)
