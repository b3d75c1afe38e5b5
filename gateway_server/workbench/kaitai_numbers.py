"""Numbers that Kaitai has no type for, as types that are made of bytes: odd sizes and orders, and BCD."""

from __future__ import annotations

from gateway_server.codec.meter_profile.form import Bcd, Order
from gateway_server.workbench.kaitai_expressions import Unsayable
from gateway_server.workbench.kaitai_meaning import Attribute


def odd_integer(size: int, order: Order, *, signed: bool) -> Attribute:
    """A whole number; its instance ``value`` is the number."""
    places = list(range(size))
    if order is Order.LITTLE:
        places.reverse()
    elif order is Order.WORD_SWAPPED:
        places = [at for word in range(size - 2, -1, -2) for at in (word, word + 1)]
    elif order is Order.BYTE_SWAPPED:
        places = [at for word in range(0, size, 2) for at in (word + 1, word)]
    value = " + ".join(f"(b{at} << {8 * (size - 1 - rank)})" for rank, at in enumerate(places))
    instances: Attribute = {"unsigned": {"value": value}, "value": {"value": "unsigned"}}
    if signed:
        half = 1 << (8 * size - 1)
        instances["value"] = {"value": f"unsigned >= {half} ? unsigned - {2 * half} : unsigned"}
    return {"seq": _bytes(size), "instances": instances}


def bcd(type_: Bcd) -> Attribute:
    """Decimal digits, two to a byte; its instance ``value`` is the number. Raises `Unsayable`."""
    places = list(range(type_.size))
    if type_.order is Order.LITTLE:
        places.reverse()
    elif type_.order is not Order.BIG:
        raise Unsayable(f"BCD in the order {type_.order.value}")
    pairs = [(f"b{at} & 15", f"b{at} >> 4") if type_.swapped else (f"b{at} >> 4", f"b{at} & 15") for at in places]
    digits = [digit for pair in pairs for digit in pair]
    value = " + ".join(f"({digit}) * {10 ** (len(digits) - 1 - rank)}" for rank, digit in enumerate(digits))
    return {"seq": _bytes(type_.size), "instances": {"value": {"value": value}}}


def _bytes(size: int) -> list[Attribute]:
    return [{"id": f"b{at}", "type": "u1"} for at in range(size)]
