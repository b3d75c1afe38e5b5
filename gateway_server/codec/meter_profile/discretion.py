"""What of a profile is secret: fields that it marks, and whatever is made of them or of a secret variable.

A name that is secret anywhere is secret everywhere: a password that the meter told and that we say again is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import (
    Ask,
    Assign,
    Assignments,
    Choice,
    Field,
    Framing,
    Group,
    Listen,
    Loop,
    Message,
    MeterProfile,
    Part,
    ReadArchive,
    Reply,
    Step,
)
from gateway_server.codec.meter_profile.naming import field_names

_Place = tuple[str, str]  # a message and a field of it


def fields_in(parts: Iterable[Part]) -> Iterator[Field]:
    """Every field in some parts, however deep."""
    for part in parts:
        match part:
            case Field():
                yield part
            case Group():
                yield from fields_in(part.parts)
            case Choice():
                for _, case in part.cases:
                    yield from fields_in(case)
                yield from fields_in(part.otherwise or ())


def has_secrets(message: Message, framing: Framing) -> bool:
    """Whether a message has secret fields."""
    return any(field.secret for field in (*framing.header, *fields_in(message.parts)))


def secrets_told(message: Message, framing: Framing) -> frozenset[str]:
    """The secret fields of which something that is stored or shown is made: rows, events, an identity, a choice."""
    fields = (*framing.header, *fields_in(message.parts))
    names = {name for field in fields if field.secret for name in field_names(field)}
    told = {name for row in message.rows for name in row.at} | {name for event in message.events for name in event.at}
    for expression in _told(message):
        told |= expression.names
    return frozenset(told & names)


def discreet(profile: MeterProfile) -> MeterProfile:
    """The profile with everything marked that holds a secret."""
    secret = {one.name for one in profile.variables if one.secret}
    secret |= {
        name
        for holder in (*(one.header for one in profile.framings), *(one.parts for one in profile.messages))
        for field in fields_in(holder)
        if field.secret
        for name in field_names(field)
    }
    said = list(said_in((*(profile.answer or ()), *(profile.read or ()))))
    places: set[_Place] = set()
    while True:
        before = len(secret), len(places)
        for message, name, expression in said:
            if expression.names & secret:
                secret.add(name)
                if message:
                    places.add((message, name))
        for one in profile.messages:
            for field in fields_in(one.parts):
                if field.value is not None and field.value.names & secret:
                    secret.add(field.name)
                    places.add((one.name, field.name))
        if (len(secret), len(places)) == before:
            break
    variables = tuple(replace(one, secret=True) if one.name in secret else one for one in profile.variables)
    messages = tuple(
        replace(one, parts=_marked(one.parts, frozenset(name for message, name in places if message == one.name)))
        for one in profile.messages
    )
    return replace(profile, variables=variables, messages=messages)


def _told(message: Message) -> Iterator[Expression]:
    for row in message.rows:
        yield from (value.value for value in row.values)
        yield from filter(None, (row.order_number, row.status, row.event))
    for event in message.events:
        yield from filter(None, (event.code, event.text, event.order_number))
    if message.identity is not None:
        identity = message.identity
        told = identity.serial, identity.manufacturer, identity.model, identity.software_version
        yield from filter(None, told)
    if message.refusal is not None:
        yield from filter(None, (message.refusal.code, message.refusal.meaning))
    yield from _chosen_by(message.parts)


def _chosen_by(parts: Iterable[Part]) -> Iterator[Expression]:
    for part in parts:
        match part:
            case Choice():
                yield part.on
                for _, case in part.cases:
                    yield from _chosen_by(case)
                yield from _chosen_by(part.otherwise or ())
            case Group():
                yield from _chosen_by(part.parts)
            case _:
                pass


def said_in(steps: Iterable[Step]) -> Iterator[tuple[str, str, Expression]]:
    """What gets a value: a field of a message of ours, or a variable (of no message)."""
    for step in steps:
        match step:
            case Listen():
                for case in step.cases:
                    yield from _in_reply(case.reply)
                    yield from _assigned(case.assign)
                yield from _in_reply(step.on_error)
            case Ask():
                yield from _in_reply(step.send)
                yield from _assigned(step.assign)
            case ReadArchive():
                yield from said_in((step.ask,))
            case Loop():
                yield from said_in(step.steps)
            case Assign():
                yield from _assigned(step.values)
            case _:
                pass


def _in_reply(reply: Reply | None) -> Iterator[tuple[str, str, Expression]]:
    if reply is not None:
        yield from ((reply.message, name, expression) for name, expression in reply.fields)


def _assigned(values: Assignments) -> Iterator[tuple[str, str, Expression]]:
    yield from (("", name, expression) for name, expression in values)


def _marked(parts: tuple[Part, ...], names: frozenset[str]) -> tuple[Part, ...]:
    """The parts with the fields of these names marked as secret."""
    if not names:
        return parts
    found: list[Part] = []
    for part in parts:
        match part:
            case Field():
                found.append(replace(part, secret=part.secret or bool(names & set(field_names(part)))))
            case Group():
                found.append(replace(part, parts=_marked(part.parts, names)))
            case Choice():
                cases = tuple((values, _marked(case, names)) for values, case in part.cases)
                otherwise = None if part.otherwise is None else _marked(part.otherwise, names)
                found.append(replace(part, cases=cases, otherwise=otherwise))
    return tuple(found)
