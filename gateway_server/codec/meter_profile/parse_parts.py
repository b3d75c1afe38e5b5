"""Reads the parts of headers and messages: fields, groups, choices."""

from __future__ import annotations

import re

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.expressions import Constant as Literal
from gateway_server.codec.meter_profile.expressions import constant
from gateway_server.codec.meter_profile.form import (
    Bytes,
    Choice,
    Constant,
    CountedTime,
    Digits,
    Extent,
    Field,
    FieldCheck,
    Flags,
    Group,
    Mask,
    Number,
    Part,
    PatternTime,
    Repeat,
    Text,
    Type,
)
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.codec.meter_profile.naming import field_names, names_of
from gateway_server.codec.meter_profile.parse_checks import parse_rule
from gateway_server.codec.meter_profile.parse_limits import check_field, check_fits
from gateway_server.codec.meter_profile.parse_types import parse_type
from gateway_server.codec.meter_profile.parts import LEFT
from gateway_server.codec.meter_profile.scope import Scope, bytes_of, constant_of, constants_of, source_of, tables_of
from gateway_server.codec.meter_profile.times import pattern_size

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset({LEFT, "and", "or", "not", "begin", "end"})


def name_of(said: Declaration, key: str = "name") -> str:
    """The name of something."""
    name = said.text(key)
    if not NAME.fullmatch(name) or name in RESERVED:
        raise said.wrong(key, f"is {name!r}; a name has small letters, digits and _ and starts with a letter")
    return name


def parse_parts(tables: list[Declaration], scope: Scope, *, masked: bool = False, repeated: bool = False) -> list[Part]:
    """Parts in their order; the names of each are known to those behind it."""
    parts: list[Part] = []
    for said in tables:
        scope.spend(said)
        part = parse_part(said, scope, repeated=repeated)
        for name in names_of([part]):
            if name in scope.names and isinstance(part, (Field, Group)):
                raise said.wrong("name", f"there is another {name} before it; a name means one thing in a message")
        scope.names.update(names_of([part]))
        parts.append(part)
    return parts


def parse_part(said: Declaration, scope: Scope, *, repeated: bool = False) -> Part:
    """One field, group or choice."""
    if "group" in said:
        return _group(said, scope, repeated=repeated)
    if "choose" in said:
        return _choice(said, scope, repeated=repeated)
    return parse_field(said, scope)


def _sized(scope: Scope) -> Scope:
    inner = Scope({*scope.names, LEFT}, scope.order)
    return inner


def parse_field(said: Declaration, scope: Scope) -> Field:
    """One field."""
    name = name_of(said)
    type_ = parse_type(said, scope)
    must_be = constants_of(said, "is", type_)
    field = Field(
        name=name,
        type=type_,
        extent=_extent(said, scope, type_, must_be),
        must_be=must_be,
        equals=scope.expression(said, "equals"),
        value=scope.for_building().expression(said, "value"),
        condition=_sized(scope).expression(said, "if"),
        scale=scope.expression(said, "scale"),
        words=() if isinstance(type_, Flags) else _words(said, type_),
        missing=constants_of(said, "missing", type_),
        check=_check(said, scope),
        secret=said.flag("secret", default=False),
        source=source_of(said),
        about=said.text("about", ""),
    )
    if field.scale is not None and isinstance(type_, (Text, Bytes, PatternTime)):
        raise said.wrong("scale", "is for numbers")
    check_field(said, field)
    scope.fields[name] = field
    said.end()
    return field


def _words(said: Declaration, type_: Type) -> tuple[tuple[Constant, str], ...]:
    table = said.table("words")
    if table is None:
        return ()
    return tuple((constant_of(table, key, key, type_), table.text(key)) for key in table)


def _check(said: Declaration, scope: Scope) -> FieldCheck | None:
    if not said.has("check"):
        return None
    covers = said.text("covers", "")
    if covers and covers not in scope.names:
        raise said.wrong("covers", f"is {covers!r}, which is no field before it; {scope.known()}")
    return FieldCheck(parse_rule(said, "check"), covers)


def _extent(said: Declaration, scope: Scope, type_: Type, must_be: tuple[Constant, ...]) -> Extent:
    if leaf_of(type_).size is not None:
        return Extent()
    if isinstance(type_, PatternTime) and not said.has("until") and type_.digits is Digits.TEXT:
        return Extent(constant(pattern_size(type_)))
    until = bytes_of(said, "until")
    if until:
        if said.has("size"):
            raise said.wrong("size", "goes not with `until`: one of them tells where the field ends")
        return Extent(None, until, said.flag("or_end", default=False))
    if said.has("size"):
        return Extent(_sized(scope).wanted(said, "size"))
    if must_be and isinstance(type_, (Text, Bytes)):
        sizes = {len(leaf_of(type_).write(one)) for one in must_be}
        if len(sizes) == 1:
            return Extent(constant(sizes.pop()))
    if isinstance(type_, (Number, CountedTime)) and type_.digits:
        return Extent(constant(type_.digits))
    return Extent()


def parse_header(tables: list[Declaration], scope: Scope) -> tuple[Field, ...]:
    """The fields of a header, each of one size."""
    fields: list[Field] = []
    for said in tables:
        scope.spend(said)
        field = parse_field(said, scope)
        if field.condition is not None:
            raise said.wrong("if", "cannot stand in a header: what is not always there belongs into the message")
        size = field.extent.size
        if leaf_of(field.type).size is None and (size is None or not isinstance(size.tree, Literal)):
            raise said.wrong("size", "must be a number in a header: a header has always as many bytes")
        for name in field_names(field):
            if name in scope.names:
                raise said.wrong("name", f"there is another {name} before it")
        scope.names.update(field_names(field))
        fields.append(field)
    return tuple(fields)


def _group(said: Declaration, scope: Scope, *, repeated: bool) -> Group:
    name = name_of(said, "group")
    repeat = _repeat(said, scope)
    inner = scope.within(said)
    mask = _mask(said)
    if mask is not None and repeated:
        raise said.wrong("add" if "add" in said else "xor", "cannot stand in a repeated group; mask the whole of it")
    size = _sized(scope).expression(said, "size")
    condition = _sized(scope).expression(said, "if")
    parts = parse_parts(said.tables("fields"), inner, repeated=repeated or repeat is not None)
    group = Group(name, tuple(parts), repeat, size, mask, condition, source_of(said), said.text("about", ""))
    said.end()
    return group


def _repeat(said: Declaration, scope: Scope) -> Repeat | None:
    count = scope.expression(said, "count")
    until = bytes_of(said, "until")
    to_end = said.word("repeat", {"to_end": True, "once": False}, "once")
    if count is None and not until and not to_end:
        return None
    if count is not None and (until or to_end):
        raise said.wrong("count", "goes not with `until` or `repeat`: one of them tells how often")
    return Repeat(count, until)


def _mask(said: Declaration) -> Mask | None:
    mask = Mask(said.number("add", 0, 0, 255), said.number("xor", 0, 0, 255))
    return mask if mask != Mask() else None


def _choice(said: Declaration, scope: Scope, *, repeated: bool) -> Choice:
    on = scope.wanted(said, "choose")
    cases = []
    seen: set[Constant] = set()
    for table in said.tables("cases"):
        values = constants_of(table, "is", None)
        if not values:
            raise table.wrong("is", "is missing: the values for which this case is")
        chosen_by = scope.fields.get(on.name)
        if chosen_by is not None and chosen_by.scale is None:
            check_fits(table, "is", chosen_by.type, values)
        for value in values:
            if value in seen:
                raise table.wrong("is", f"{value!r} has another case before")
            seen.add(value)
        inner = scope.within(table)
        cases.append((values, tuple(parse_parts(tables_of(table, "fields"), inner, repeated=repeated))))
        table.end()
    otherwise = None
    if said.has("otherwise"):
        otherwise = tuple(parse_parts(said.tables("otherwise"), scope.within(said), repeated=repeated))
    size = _sized(scope).expression(said, "size")
    condition = _sized(scope).expression(said, "if")
    choice = Choice(on, tuple(cases), otherwise, size, condition, source_of(said))
    said.end()
    return choice
