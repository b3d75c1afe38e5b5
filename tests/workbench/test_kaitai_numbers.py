"""Numbers made of bytes, as Kaitai is told; that it reads them so is shown with its compiler in test_export_kaitai."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.form import Bcd, Order
from gateway_server.workbench.kaitai_expressions import Unsayable
from gateway_server.workbench.kaitai_numbers import bcd, odd_integer

RAW = {"b0": 0x12, "b1": 0x34, "b2": 0x56, "b3": 0x78}


def value_of(type_: dict[str, dict[str, dict[str, str]]], name: str = "value") -> object:
    """What the instance comes to for the bytes 12 34 56 78."""
    return eval(type_["instances"][name]["value"], {}, RAW)


@pytest.mark.parametrize(
    ("order", "number"),
    [
        (Order.BIG, 0x12345678),
        (Order.LITTLE, 0x78563412),
        (Order.WORD_SWAPPED, 0x56781234),
        (Order.BYTE_SWAPPED, 0x34127856),
    ],
)
def test_whole_number_in_every_order(order: Order, number: int) -> None:
    assert value_of(odd_integer(4, order, signed=False), "unsigned") == number


def test_signed_number_of_three_bytes() -> None:
    assert odd_integer(3, Order.BIG, signed=True)["instances"]["value"]["value"] == (
        "unsigned >= 8388608 ? unsigned - 16777216 : unsigned"
    )


def test_digits_in_either_order_of_bytes_and_nibbles() -> None:
    assert value_of(bcd(Bcd(2))) == 1234
    assert value_of(bcd(Bcd(2, Order.LITTLE))) == 3412
    assert value_of(bcd(Bcd(2, swapped=True))) == 2143
    with pytest.raises(Unsayable, match="BCD in the order word_swapped"):
        bcd(Bcd(4, Order.WORD_SWAPPED))
