"""Reads the parts of headers and messages: fields, groups, choices."""

from __future__ import annotations

import re
from decimal import Decimal

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.expressions import Constant as Literal
from gateway_server.codec.meter_profile.expressions import Expression, constant
from gateway_server.codec.meter_profile.form import (
    Bcd,
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
    PackedTime,
    Part,
    PatternTime,
    Repeat,
    Text,
    Type,
)
from gateway_server.codec.meter_profile.leaves import in_characters, leaf_of
from gateway_server.codec.meter_profile.mistakes import Mistakes
from gateway_server.codec.meter_profile.naming import field_names, names_of
from gateway_server.codec.meter_profile.notation import parse_bytes
from gateway_server.codec.meter_profile.numbers import PRODUCT, in_order
from gateway_server.codec.meter_profile.parse_checks import parse_rule
from gateway_server.codec.meter_profile.parse_limits import check_field, check_fits
from gateway_server.codec.meter_profile.parse_types import parse_type
from gateway_server.codec.meter_profile.parts import LEFT
from gateway_server.codec.meter_profile.scope import Scope, bytes_of, constant_of, constants_of, source_of, tables_of
from gateway_server.codec.meter_profile.times import pattern_size
from gateway_server.errors import CodecError, OperatorError

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FRACTION = re.compile(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*/\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*")
_BEGINNINGS = ("start", "header")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|0[xX][0-9A-Fa-f]+")
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
    mistakes = Mistakes()
    for said in tables:
        scope.spend(said)
        scope.uncertain = scope.uncertain or bool(mistakes)
        with mistakes:
            part = parse_part(said, scope, repeated=repeated)
            for name in names_of([part]):
                if name in scope.names and isinstance(part, (Field, Group)):
                    raise said.wrong("name", f"there is another {name} before it; a name means one thing in a message")
            scope.names.update(names_of([part]))
            parts.append(part)
    mistakes.tell()
    return parts


def parse_part(said: Declaration, scope: Scope, *, repeated: bool = False) -> Part:
    """One field, group or choice."""
    if "group" in said:
        return _group(said, scope, repeated=repeated)
    if "choose" in said:
        return _choice(said, scope, repeated=repeated)
    return parse_field(said, scope)


def _sized(scope: Scope) -> Scope:
    return scope.with_names([LEFT])


def parse_field(said: Declaration, scope: Scope) -> Field:
    """One field."""
    name = name_of(said)
    type_ = parse_type(said, scope)
    must_be = constants_of(said, "is", type_)
    missing, absent = _missing(said, type_)
    field = Field(
        name=name,
        type=type_,
        extent=_extent(said, scope, type_, must_be),
        must_be=must_be,
        equals=scope.expression(said, "equals"),
        value=scope.for_building().expression(said, "value"),
        condition=_sized(scope).expression(said, "if"),
        scale=_scale(said, scope),
        words=() if isinstance(type_, Flags) else _words(said, type_),
        missing=missing,
        absent=absent,
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


def _scale(said: Declaration, scope: Scope) -> Expression | None:
    """What a number is multiplied with; if nothing in it changes, as the number that it is."""
    if not said.has("scale"):
        return None
    text = said.text("scale")
    fraction = _FRACTION.fullmatch(text)
    if fraction is not None:
        return Expression(text, Literal(_quotient(said, *map(Decimal, fraction.groups()))))
    scale = scope.wanted(said, "scale")
    if scale.names:
        return scale
    try:
        value = compiled(scale)({})
    except CodecError as error:
        raise said.wrong("scale", f"is no number: {error}") from None
    if type(value) is not int and not isinstance(value, Decimal):
        raise said.wrong("scale", f"is {text}, which is no number such as 0.001 or 1/65536")
    if not value:
        hint = "; // is the whole part of a quotient, a fraction is written 1/65536" if "//" in text else ""
        raise said.wrong("scale", f"is {text}: that makes every number 0{hint}")
    return Expression(text, Literal(value))


def _quotient(said: Declaration, above: Decimal, below: Decimal) -> Decimal:
    """A fraction as the decimal that it is."""
    if not above or not below:
        raise said.wrong("scale", f"is {said.text('scale')}; neither side of a fraction is 0")
    quotient = PRODUCT.divide(above, below)
    if PRODUCT.multiply(quotient, below) != above:
        raise said.wrong(
            "scale", f"is {said.text('scale')}, which no decimal is exactly: write it as the meter prints it"
        )
    return quotient


def _words(said: Declaration, type_: Type) -> tuple[tuple[Constant, str], ...]:
    table = said.table("words")
    if table is None:
        return ()
    return tuple((constant_of(table, key, key, type_), table.text(key)) for key in table)


def _missing(said: Declaration, type_: Type) -> tuple[tuple[Constant, ...], tuple[bytes, ...]]:
    """What says that there is no value: values, and what cannot be one by its bytes."""
    missing: list[Constant] = []
    absent: list[bytes] = []
    for text in said.texts("missing", ()):
        if isinstance(type_, (CountedTime, PackedTime)) and not in_characters(type_):
            number = constant_of(said, "missing", text, type_)
            if type(number) is not int or not 0 <= number < 1 << 8 * type_.size:
                raise said.wrong("missing", f"is {text!r}; it is a number of {type_.size} bytes, such as 0xFFFF")
            absent.append(in_order(number.to_bytes(type_.size, "big"), type_.order))
        elif isinstance(type_, PatternTime) and not in_characters(type_):
            absent.append(_bytes_instead(said, text, pattern_size(type_)))
        elif isinstance(type_, Bcd) and not _NUMBER.fullmatch(text):
            absent.append(_bytes_instead(said, text, type_.size))
        elif isinstance(type_, PatternTime | CountedTime) or (
            isinstance(type_, Number) and not _NUMBER.fullmatch(text)
        ):
            if not text.isascii():
                raise said.wrong("missing", f"is {text!r}; it is made of ASCII characters")
            absent.append(text.strip().encode("ascii"))
        else:
            missing.append(constant_of(said, "missing", text, type_))
    return tuple(missing), tuple(absent)


def _bytes_instead(said: Declaration, text: str, size: int) -> bytes:
    try:
        data = parse_bytes(text)
    except OperatorError as error:
        raise said.wrong("missing", str(error)) from None
    if len(data) != size:
        raise said.wrong("missing", f"is {text!r}; the field has {size} bytes, and so has what stands instead")
    return data


def _check(said: Declaration, scope: Scope) -> FieldCheck | None:
    """The check that a field is: a rule, or a table with its ``rule`` and what it ``covers``, as framings have it."""
    if not said.has("check"):
        return None
    place, key = said, "check"
    if said.is_table("check") and (table := said.table("check")) is not None and "rule" in table:
        place, key = table, "rule"
    rule = parse_rule(place, key)
    covers = place.text("covers", "")
    if place is not said:
        place.end()
    if not covers or covers in scope.names:
        return FieldCheck(rule, covers)
    if covers not in _BEGINNINGS and not scope.uncertain:
        raise place.wrong(
            "covers",
            f"is {covers!r}, which is no field before it; it is a field, or start or header: what stands before it"
            f" with the start bytes or without; {scope.known()}",
        )
    return FieldCheck(rule, start=scope.start if covers == "start" else b"")


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
    mistakes = Mistakes()
    for said in tables:
        scope.spend(said)
        scope.uncertain = bool(mistakes)
        with mistakes:
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
    mistakes.tell()
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
    mistakes = Mistakes()
    for table in said.tables("cases"):
        with mistakes:
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
    mistakes.tell()
    otherwise = None
    if said.has("otherwise"):
        otherwise = tuple(parse_parts(said.tables("otherwise"), scope.within(said), repeated=repeated))
    size = _sized(scope).expression(said, "size")
    condition = _sized(scope).expression(said, "if")
    choice = Choice(on, tuple(cases), otherwise, size, condition, source_of(said))
    said.end()
    return choice
