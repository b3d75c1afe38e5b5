"""Reads what a message means: the rows, events, identity and refusal that are made of its fields."""

from __future__ import annotations

from gateway_server import quantities
from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.elements import Each, below, repeated, sometimes_within
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import (
    EventMap,
    IdentityMap,
    Part,
    RefusalMap,
    RowMap,
    ValueMap,
)
from gateway_server.codec.meter_profile.mistakes import Mistakes
from gateway_server.codec.meter_profile.naming import names_of
from gateway_server.codec.meter_profile.parse_kinds import check_at, check_order_number
from gateway_server.codec.meter_profile.scope import Scope, source_of, tables_of
from gateway_server.model import CURRENT, Column, Quantity

QUANTITIES = {one.name: one for one in vars(quantities).values() if isinstance(one, Quantity)}


def parse_rows(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> tuple[RowMap, ...]:
    """The rows of a message."""
    rows: list[RowMap] = []
    mistakes = Mistakes()
    for table in tables_of(said, "rows"):
        with mistakes:
            rows.append(_row(table, scope, parts))
    mistakes.tell()
    return tuple(rows)


def _row(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> RowMap:
    each, inner = _each(said, scope, parts)
    values: list[ValueMap] = []
    mistakes = Mistakes()
    for table in tables_of(said, "values"):
        with mistakes:
            values.append(_value(table, inner))
    mistakes.tell()
    row = RowMap(
        values=tuple(values),
        each=each,
        archive=said.text("archive", CURRENT),
        at=_at(said, inner, parts),
        utc=said.flag("utc", default=False),
        order_number=_order_number(said, inner, parts),
        status=inner.expression(said, "status"),
        event=inner.expression(said, "event"),
        quality=said.text("quality", ""),
        condition=inner.expression(said, "if"),
        source=source_of(said),
    )
    if not row.values:
        raise said.wrong("values", "is missing: what the row holds")
    said.end()
    return row


def _each(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> tuple[Each, Scope]:
    text = said.text("each", "")
    if not text:
        return (), with_inner(scope, parts)
    groups, each = repeated(parts), tuple(text.split("."))
    if each not in groups:
        allowed = f"there are: {', '.join(sorted(map('.'.join, groups)))}" if groups else "there is none"
        raise said.wrong("each", f"is {text!r}, which is no repeated group of the message; {allowed}")
    own = {name for group in groups[each] for name in names_of(group.parts)}
    return each, with_inner(scope.with_names(own), parts, each)


def with_inner(scope: Scope, parts: tuple[Part, ...], each: Each = (), *, every: bool = False) -> Scope:
    """The names of a scope, and those in repeated groups within that not every element has: each means its last one.

    What every element has belongs into a row of its own. With ``every`` those are known, too.
    """
    deep = {name: ways for name, ways in below(parts, each).items() if name not in scope.names}
    seen = {name for name, ways in deep.items() if len(ways) == 1} if every else set(sometimes_within(parts, each))
    inner = scope.with_names(seen)
    for name in deep.keys() - seen:
        places = [".".join((*each, *way)) for way in deep[name]]
        inner.elsewhere[name] = (
            f"which stands in {' and in '.join(places)}: give it another name in one of them, or say `each`"
            if len(places) > 1
            else f"which every element of {places[0]} has: say `each: {places[0]}`"
        )
    return inner


def _at(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> tuple[str, ...]:
    names = said.texts("at", ())
    for name in names:
        if name not in scope.names:
            raise said.wrong("at", f"names {name!r}, {scope.unknown(name, 'is no field here')}")
    if len(names) > 2:
        raise said.wrong("at", "names the field of a time, or those of a date and of a time of day")
    if not scope.uncertain:
        check_at(said, names, parts, scope.fields.values())
    return names


def _order_number(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> Expression | None:
    found = scope.expression(said, "order_number")
    if not scope.uncertain:
        check_order_number(said, found, parts, scope.fields.values())
    return found


def _value(said: Declaration, scope: Scope) -> ValueMap:
    quantity = said.text("quantity")
    known = QUANTITIES.get(quantity, Quantity(quantity))
    value = scope.wanted(said, "value")
    found = ValueMap(
        value=value,
        column=Column(
            quantity,
            said.text("unit", known.unit),
            said.text("obis", known.obis),
            said.text("name", value.name),
            said.text("address", ""),
            cumulative=said.flag("cumulative", default=known.cumulative),
        ),
        condition=scope.expression(said, "if"),
        simulated=said.span("simulated"),
        source=source_of(said),
    )
    said.end()
    return found


def parse_events(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> tuple[EventMap, ...]:
    """The events of a message."""
    found = []
    for table in tables_of(said, "events"):
        each, inner = _each(table, scope, parts)
        found.append(
            EventMap(
                code=inner.wanted(table, "code"),
                each=each,
                text=inner.expression(table, "text"),
                at=_at(table, inner, parts),
                utc=table.flag("utc", default=False),
                order_number=_order_number(table, inner, parts),
                condition=inner.expression(table, "if"),
                source=source_of(table),
            )
        )
        table.end()
    return tuple(found)


def parse_identity(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> IdentityMap | None:
    """Who the meter says it is."""
    table = said.table("identify")
    if table is None:
        return None
    scope = with_inner(scope, parts, every=True)
    identity = IdentityMap(
        scope.wanted(table, "serial"),
        scope.expression(table, "manufacturer"),
        scope.expression(table, "model"),
        scope.expression(table, "software_version"),
    )
    table.end()
    return identity


def parse_refusal(said: Declaration, scope: Scope, parts: tuple[Part, ...]) -> RefusalMap | None:
    """That the meter refuses."""
    table = said.table("refuses")
    if table is None:
        return None
    scope = with_inner(scope, parts, every=True)
    refusal = RefusalMap(scope.wanted(table, "code"), scope.expression(table, "meaning"))
    table.end()
    return refusal
