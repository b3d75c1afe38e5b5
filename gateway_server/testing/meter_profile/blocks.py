"""Which rows a question about an archive means, and what an answer says of where to go on."""

from __future__ import annotations

from typing import Any

from gateway_server.codec.meter_profile.building import solved
from gateway_server.codec.meter_profile.discretion import fields_in
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import (
    Ask,
    By,
    EventMap,
    Given,
    Message,
    MeterProfile,
    ReadArchive,
    RowMap,
)
from gateway_server.codec.meter_profile.naming import names_of
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
from gateway_server.model import CURRENT, EVENTS
from gateway_server.testing.meter_profile.shapes import Told
from gateway_server.testing.meter_profile.values import Entry


def wanted(step: ReadArchive, rows: list[Entry], asked: Values) -> list[Entry]:
    """The rows that a question of the profile's asks for, the first one first."""
    begin, end = (_inverse(step, name, asked) for name in ("begin", "end"))
    if step.by is By.TIME:
        return [one for one in rows if (begin is None or one.at >= begin) and (end is None or one.at <= end)]
    if step.by is By.CURSOR:
        return rows[begin if isinstance(begin, int) else 0 :]
    return [one for one in rows if begin is None or one.number >= begin]


def going_on(step: ReadArchive, message: Message, asked: Values, chosen: tuple[Entry, ...], *, more: bool) -> Values:
    """What tells the gateway where to go on, and whether there is more."""
    given: Values = {}
    if step.by is By.CURSOR and step.next is not None and step.next.name:
        begin = _inverse(step, "begin", asked)
        given[step.next.name] = (begin if isinstance(begin, int) else 0) + len(chosen)
    if step.done is not None:
        own = set(names_of(message.parts))
        for name in sorted(step.done.names & own - set(given)):
            given[name] = next((one for one in (0, 1, 2) if _holds(step.done, {name: one}) is not more), 0)
    return given


def addressed_by(ask: Ask, profile: MeterProfile) -> frozenset[str]:
    """The fields of a question that say for which meter it is: its answer says them again."""
    addresses = {one.name for one in profile.variables if one.given is Given.ADDRESS}
    if ask.send is None:
        return frozenset()
    given = {name for name, said in ask.send.fields if said.names & addresses}
    message = profile.message(ask.send.message)
    parts = (*profile.framing(message.framing).header, *fields_in(message.parts))
    return frozenset(given | {one.name for one in parts if one.value is not None and one.value.names & addresses})


def is_kept(told: Told) -> bool:
    """Whether these are rows of an archive: they have a time or a number of their own."""
    return isinstance(told, EventMap) or bool(told.at) or told.order_number is not None or told.archive != CURRENT


def archive_of(told: Told) -> str:
    """The archive that rows or events belong to."""
    return told.archive if isinstance(told, RowMap) else EVENTS


def _holds(expression: Any, values: Values) -> bool:
    try:
        return bool(compiled(expression)(values))
    except CodecError:
        return False


def _inverse(step: ReadArchive, name: str, asked: Values) -> Any:
    """What ``begin`` or ``end`` was, by the field of the question that it went into; None if in none."""
    assert step.ask.send is not None
    for field, expression in step.ask.send.fields:
        if field in asked and expression.names == {name}:
            if expression.name:
                return asked[field]
            try:
                return solved(expression, name, asked[field])
            except (CodecError, TypeError):
                return None
    return None
