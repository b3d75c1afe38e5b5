"""Reads a profile: a YAML file, checked word by word, as a `MeterProfile`.

What is wrong is an `OperatorError` that names the line, the key and what is allowed there.
"""

from __future__ import annotations

from dataclasses import replace

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.discretion import discreet, secrets_told
from gateway_server.codec.meter_profile.form import (
    Bits,
    Constant,
    Framing,
    Given,
    Message,
    MeterProfile,
    Parity,
    Side,
    Step,
)
from gateway_server.codec.meter_profile.mistakes import Mistakes
from gateway_server.codec.meter_profile.naming import field_names, names_of
from gateway_server.codec.meter_profile.parse_dialogue import Known, parse_steps, parse_variables
from gateway_server.codec.meter_profile.parse_framing import SIDES, parse_framing
from gateway_server.codec.meter_profile.parse_limits import check_bits, check_fits
from gateway_server.codec.meter_profile.parse_meaning import parse_events, parse_identity, parse_refusal, parse_rows
from gateway_server.codec.meter_profile.parse_parts import name_of, parse_parts
from gateway_server.codec.meter_profile.scope import ORDERS, Scope, constants_of, source_of, tables_of

_PARITIES = {parity.value: parity for parity in Parity}
MOST_FRAMINGS, MOST_MESSAGES = 20, 200


def parse_profile(said: Declaration) -> MeterProfile:
    """A declaration as a profile. Raises `OperatorError`, naming the line."""
    said.text("reads")
    scope = Scope(order=said.word("byte_order", ORDERS, "big"))
    framings = _framings(said, scope)
    variables = parse_variables(said)
    names = {variable.name for variable in variables}
    messages = _messages(said, scope, framings, names)
    mistakes = Mistakes()
    headers = {framing.name: _header_names(framing) for framing in framings}
    known = Known(
        {message.name: message for message in messages},
        {one.name: frozenset({*names_of(one.parts, deep=True), *headers[one.framing]}) for one in messages},
        headers,
        frozenset(names),
        frozenset(one.name for one in messages if any(f.checks for f in framings if f.name == one.framing)),
    )
    profile = MeterProfile(
        name=said.text("name", said.name),
        version=said.text("version", said.digest),
        about=said.text("about", ""),
        source=source_of(said),
        manufacturer=said.text("manufacturer", ""),
        model=said.text("model", ""),
        parity=said.word("parity", _PARITIES, "none"),
        framings=framings,
        messages=messages,
        variables=variables,
        answer=_steps(said, "answer", known, mistakes),
        read=_steps(said, "read", known, mistakes),
    )
    mistakes.tell()
    if profile.answer is None and profile.read is None and not any(one.side.speaks(Side.METER) for one in messages):
        raise said.wrong("messages", "has none that the meter says; nothing could be read")
    said.end()
    profile = discreet(profile)
    for one in profile.variables:
        if one.secret and one.given is Given.MEMORY:
            raise said.wrong(
                "variables", f"keeps {one.name!r} from session to session, where all may read it: a secret"
            )
    return profile


def _steps(said: Declaration, key: str, known: Known, mistakes: Mistakes) -> tuple[Step, ...] | None:
    with mistakes:
        return parse_steps(said, key, known) if said.has(key) else None
    return ()


def _header_names(framing: Framing) -> frozenset[str]:
    return frozenset(name for field in framing.header for name in field_names(field))


def _framings(said: Declaration, scope: Scope) -> tuple[Framing, ...]:
    framings: list[Framing] = []
    tables = tables_of(said, "framing")
    if not tables:
        raise said.wrong("framing", "is missing: how frames stand in the stream")
    mistakes = Mistakes()
    for table in tables:
        with mistakes:
            framing = parse_framing(table, scope)
            if framing.name in ("noise", "sent") or any(one.name == framing.name for one in framings):
                raise table.wrong("name", f"is {framing.name!r}, which another has already")
            framings.append(framing)
    mistakes.tell()
    if len(framings) > MOST_FRAMINGS:
        raise said.wrong("framing", f"has {len(framings)} entries; {MOST_FRAMINGS} is the most")
    if not any(one.side.speaks(Side.METER) for one in framings):
        raise said.wrong("framing", "has none in which the meter speaks")
    return tuple(framings)


def _messages(
    said: Declaration, scope: Scope, framings: tuple[Framing, ...], variables: set[str]
) -> tuple[Message, ...]:
    messages: list[Message] = []
    mistakes = Mistakes()
    for table in said.tables("messages"):
        with mistakes:
            message = _message(table, scope, framings, variables)
            if any(one.name == message.name for one in messages):
                raise table.wrong("name", f"is {message.name!r}, which another message has already")
            messages.append(message)
    mistakes.tell()
    if len(messages) > MOST_MESSAGES:
        raise said.wrong("messages", f"has {len(messages)} entries; {MOST_MESSAGES} is the most")
    return tuple(messages)


def _message(said: Declaration, scope: Scope, framings: tuple[Framing, ...], variables: set[str]) -> Message:
    name = name_of(said)
    by_name = {framing.name: framing for framing in framings}
    framing = said.word("framing", by_name, framings[0].name)
    side = said.word("from", SIDES, "meter" if framing.side is Side.BOTH else framing.side.value)
    if not framing.side.speaks(side):
        raise said.wrong(
            "from", f"is {side.value}, but in the framing {framing.name} only the {framing.side.value} speaks"
        )
    inner = scope.within(said)
    inner.names |= _header_names(framing)
    inner.start = framing.start
    inner.fields |= {field.name: field for field in framing.header}
    if side is Side.GATEWAY:
        inner.variables |= variables
    when = _when(said, framing)
    parts = tuple(parse_parts(tables_of(said, "fields"), inner))
    message = Message(name, framing.name, side, when, parts, source=source_of(said), about=said.text("about", ""))
    mistakes = Mistakes()
    with mistakes:
        message = replace(message, rows=parse_rows(said, inner, parts))
    with mistakes:
        message = replace(message, events=parse_events(said, inner, parts))
    with mistakes:
        message = replace(message, identity=parse_identity(said, inner, parts))
    with mistakes:
        message = replace(message, refusal=parse_refusal(said, inner, parts))
    with mistakes:
        said.end()
    mistakes.tell()
    if told := secrets_told(message, framing):
        names = " and ".join(sorted(told))
        raise said.wrong("", f"makes something of {names}, which is secret: nothing is told of a secret")
    return message


def _when(said: Declaration, framing: Framing) -> tuple[tuple[str, tuple[Constant, ...]], ...]:
    table = said.table("when")
    if table is None:
        return ()
    types = {field.name: field.type for field in framing.header}
    bits = {
        part.name: part.span.width
        for field in framing.header
        if isinstance(field.type, Bits)
        for part in field.type.parts
    }
    found = []
    for name in table:
        if name not in types and name not in bits:
            raise table.wrong(
                name, f"is no field of the header; there are: {', '.join(sorted({*types, *bits})) or 'none'}"
            )
        values = constants_of(table, name, types.get(name))
        if name in types:
            check_fits(table, name, types[name], values)
        else:
            check_bits(table, name, bits[name], values)
        found.append((name, values))
    return tuple(found)
