"""Fields that follow each other without a condition, read at one stroke: fixed sizes by `struct`, columns by `split`.

What does not fit goes to the reader that takes one field after the other, which says what is wrong and where.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from gateway_server.codec.meter_profile.finishing import Finish
from gateway_server.codec.meter_profile.form import Field, Integer, Order
from gateway_server.codec.meter_profile.leaves import leaf_of, reader_of
from gateway_server.codec.meter_profile.reading import Reader, Trace, Values
from gateway_server.errors import CodecError

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_PREFIXES = {Order.BIG: ">", Order.LITTLE: "<"}


def is_fixed(field: Field) -> bool:
    """Whether a field may stand in a run of fixed sizes."""
    return field.condition is None and field.check is None and leaf_of(field.type).size is not None


def is_column(field: Field) -> bool:
    """Whether a field may stand in a run of columns."""
    ends = bool(field.extent.until) and not field.extent.or_end
    return field.condition is None and field.check is None and ends and leaf_of(field.type).size is None


def record(fields: Sequence[Field], finish_of: Callable[[Field], Finish | None], slowly: Reader) -> Reader:
    """Reads fields of fixed sizes."""
    orders = [one.type.order for one in fields if isinstance(one.type, Integer) and one.type.size > 1]
    order = Order.LITTLE if orders.count(Order.LITTLE) > orders.count(Order.BIG) else Order.BIG
    form = struct.Struct(_PREFIXES[order] + "".join(_code(one, order) for one in fields))
    size, unpack = form.size, form.unpack_from
    plan = [(one.name, None if _is_native(one, order) else reader_of(one), finish_of(one)) for one in fields]
    if all(take is None and finish is None for _, take, finish in plan):
        names = [name for name, _, _ in plan]

        def read_numbers(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
            stop = at + size
            if trace is not None or stop > end:
                return slowly(data, at, end, values, trace)
            values.update(zip(names, unpack(data, at), strict=True))
            return stop

        return read_numbers

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        stop = at + size
        if trace is not None or stop > end:
            return slowly(data, at, end, values, trace)
        try:
            for (name, take, finish), raw in zip(plan, unpack(data, at), strict=True):
                value = values[name] = raw if take is None else take(raw)
                if finish is not None:
                    finish(value, values, data, at)
        except CodecError:
            return slowly(data, at, end, values, trace)
        return stop

    return read


def _is_native(field: Field, order: Order) -> bool:
    type_ = field.type
    return isinstance(type_, Integer) and type_.size in _CODES and (type_.size == 1 or type_.order is order)


def _code(field: Field, order: Order) -> str:
    type_ = field.type
    if not _is_native(field, order):
        return f"{leaf_of(type_).size}s"
    assert isinstance(type_, Integer)
    code = _CODES[type_.size]
    return code.lower() if type_.signed else code


def columns(fields: Sequence[Field], finish_of: Callable[[Field], Finish | None], slowly: Reader) -> Reader:
    """Reads fields that all end with the same separator."""
    separator, count = fields[0].extent.until, len(fields)
    plan: list[tuple[str, Callable[[bytes], Any], Finish | None]] = [
        (one.name, reader_of(one), finish_of(one)) for one in fields
    ]

    def read(data: bytes, at: int, end: int, values: Values, trace: Trace | None) -> int:
        if trace is not None:
            return slowly(data, at, end, values, trace)
        pieces = data[at:end].split(separator, count)
        if len(pieces) <= count:
            return slowly(data, at, end, values, trace)
        rest = pieces.pop()
        try:
            for (name, take, finish), raw in zip(plan, pieces, strict=True):
                value = values[name] = take(raw)
                if finish is not None:
                    finish(value, values, data, at)
        except CodecError:
            return slowly(data, at, end, values, trace)
        return end - len(rest)

    return read
