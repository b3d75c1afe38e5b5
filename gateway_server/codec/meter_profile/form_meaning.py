"""What a message of a meter profile means, as typed data: readings, events, who the meter is, a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form_types import UNSTATED, Source
from gateway_server.model import Column


@dataclass(frozen=True, slots=True)
class ValueMap:
    """One value of a row: what to take, and what it is. ``simulated`` is from where to where simulated ones are."""

    value: Expression
    column: Column
    condition: Expression | None = None
    simulated: tuple[Decimal, Decimal] | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class RowMap:
    """Readings that belong together: once for the message, or for each element of the repeated group ``each``: the way
    to it, through the repeated groups around it, whose fields count for it too.

    ``at`` names the fields that make up the time: one, or a date and a time of day; empty for "now". With ``utc`` that
    is UTC, else the meter's own clock. ``archive`` is a name; ``quality`` words that every row gets.
    """

    values: tuple[ValueMap, ...]
    each: tuple[str, ...] = ()
    archive: str = "current"
    at: tuple[str, ...] = ()
    utc: bool = False
    order_number: Expression | None = None
    status: Expression | None = None
    event: Expression | None = None
    quality: str = ""
    condition: Expression | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class EventMap:
    """An entry of the event log: once for the message, or for each element of the group ``each``."""

    code: Expression
    each: tuple[str, ...] = ()
    text: Expression | None = None
    at: tuple[str, ...] = ()
    utc: bool = False
    order_number: Expression | None = None
    condition: Expression | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """The message says who the meter is."""

    serial: Expression
    manufacturer: Expression | None = None
    model: Expression | None = None
    software_version: Expression | None = None


@dataclass(frozen=True, slots=True)
class RefusalMap:
    """The message says that the meter will not do what it was asked."""

    code: Expression
    meaning: Expression | None = None
