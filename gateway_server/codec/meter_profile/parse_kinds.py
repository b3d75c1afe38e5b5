"""What may be the time of a row and what its number: told when a profile is read, not by rows that are never kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.discretion import fields_in
from gateway_server.codec.meter_profile.expressions import Constant as Literal
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import (
    Bytes,
    CountedTime,
    Field,
    Flags,
    Number,
    PackedTime,
    Part,
    PatternTime,
    Text,
)
from gateway_server.codec.meter_profile.times import pattern_parts

DATE, CLOCK = "date", "time of day"
_DATE, _CLOCK, _NO_TIME = frozenset({DATE}), frozenset({CLOCK}), frozenset[str]()


def check_at(said: Declaration, names: Sequence[str], parts: Iterable[Part], header: Iterable[Field]) -> None:
    """Raises `OperatorError` if fields are no time, or only half of one."""
    fields = [*header, *fields_in(parts)]
    told = {name: [_told_by(field) for field in fields if field.name == name] for name in names}
    for name, each in told.items():
        if not any(each):
            raise said.wrong("at", f"names {name!r}, which is no time: its type is `time`")
    if len(names) == 1:
        (name,) = names
        if not any(each == _DATE | _CLOCK for each in told[name]):
            half, other = (DATE, CLOCK) if _DATE in told[name] else (CLOCK, DATE)
            raise said.wrong(
                "at", f"names {name!r}, which is a {half} only; add the field of its {other}: [{name}, ...]"
            )
    elif len(names) == 2:
        one, two = (told[name] for name in names)
        if not ((_DATE in one and _CLOCK in two) or (_CLOCK in one and _DATE in two)):
            raise said.wrong("at", "names two fields, which are one date and one time of day, in any order")


def _told_by(field: Field) -> frozenset[str]:
    """What of a time a field tells."""
    match field.type:
        case CountedTime():
            return _DATE | _CLOCK
        case PatternTime(pattern=pattern):
            written = pattern_parts(pattern)
            return (_DATE if "MM" in written else _NO_TIME) | (_CLOCK if "hh" in written else _NO_TIME)
        case PackedTime(parts=packed):
            names = dict(packed)
            return (_DATE if "month" in names else _NO_TIME) | (_CLOCK if "hour" in names else _NO_TIME)
        case _:
            return _NO_TIME


def check_order_number(
    said: Declaration, expression: Expression | None, parts: Iterable[Part], header: Iterable[Field]
) -> None:
    """Raises `OperatorError` if the device's number of a row is a field that is no whole number."""
    if expression is None or not expression.name:
        return
    fields = [field for field in (*header, *fields_in(parts)) if field.name == expression.name]
    reasons = [_no_whole_number(field) for field in fields]
    if reasons and all(reasons):
        raise said.wrong("order_number", f"is {expression.name!r}, {reasons[0]}; it is a whole number")


def _no_whole_number(field: Field) -> str:
    """Why its value is none; empty if it may be one."""
    if _told_by(field):
        return "which is a time"
    match field.type:
        case Text():
            return f"which is a text (number({field.name}) is the number that it says)"
        case Bytes() | Flags():
            return "which is no number"
        case Number(places=places) if places:
            return f"which has {places} places behind the point"
        case _:
            pass
    if field.scale is not None and isinstance(field.scale.tree, Literal):
        scale = field.scale.tree.value
        if not isinstance(scale, (str, bytes)) and scale % 1:
            return f"which is scaled by {scale}"
    return ""
