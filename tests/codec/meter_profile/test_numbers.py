"""Numbers as devices write them; expected values are those of manuals, of IEEE 754, or written out by hand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile import numbers
from gateway_server.codec.meter_profile.form import Bcd, Float, Integer, Number, Order, Sign
from gateway_server.errors import CodecError

ORDERS = st.sampled_from(list(Order))


@pytest.mark.parametrize(
    ("order", "wire"),
    [
        (Order.BIG, "12 34 56 78"),
        (Order.LITTLE, "78 56 34 12"),
        (Order.WORD_SWAPPED, "56 78 12 34"),
        (Order.BYTE_SWAPPED, "34 12 78 56"),
    ],
)
def test_every_byte_order_of_a_number_of_four_bytes(order: Order, wire: str) -> None:
    type_ = Integer(4, order=order)
    assert numbers.integer_reader(type_)(bytes.fromhex(wire)) == 0x12345678
    assert numbers.integer_writer(type_)(0x12345678) == bytes.fromhex(wire)


@given(size=st.integers(1, 8), signed=st.booleans(), order=ORDERS, data=st.data())
def test_integers_of_every_width_come_back(size: int, signed: bool, order: Order, data: st.DataObject) -> None:
    if size % 2 and order in (Order.WORD_SWAPPED, Order.BYTE_SWAPPED):
        return
    type_ = Integer(size, signed, order)
    raw = data.draw(st.binary(min_size=size, max_size=size))
    value = numbers.integer_reader(type_)(raw)
    assert numbers.integer_writer(type_)(value) == raw
    assert (value < 0) <= signed


def test_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CodecError, match="300 does not fit into 1 bytes"):
        numbers.integer_writer(Integer(1))(300)
    with pytest.raises(CodecError, match="is no whole number"):
        numbers.integer_writer(Integer(1))(Decimal("1.5"))


def test_what_is_no_number_is_told_as_a_person_writes_it() -> None:
    for value, said in ((datetime(2026, 11, 26, 2), "2026-11-26 02:00:00"), (Decimal("1.50"), "1.50"), ("x", "x")):
        with pytest.raises(CodecError, match=f"^{said} is no whole number$"):
            numbers.whole(value)  # type: ignore[arg-type]  # a profile may say anything
        with pytest.raises(CodecError, match=f"^{said} "):
            numbers.exact_product(value, "factor")


@pytest.mark.parametrize(
    ("type_", "wire", "value"),
    [
        (Bcd(4), "12 34 56 78", 12345678),
        (Bcd(4, Order.LITTLE), "78 56 34 12", 12345678),
        (Bcd(2, swapped=True), "21 43", 1234),
        (Bcd(2, Order.LITTLE, Sign.NIBBLE_F), "23 F1", -123),  # EN 13757-3, annex B: F in the first digit is a minus
        (Bcd(2, Order.LITTLE, Sign.NIBBLE_F), "23 01", 123),
        (Bcd(3, Order.LITTLE, Sign.HIGH_BIT), "45 23 81", -12345),  # DL/T 645-2007: the top bit is the sign
    ],
)
def test_bcd_in_the_orders_and_signs_that_occur(type_: Bcd, wire: str, value: int) -> None:
    raw = bytes.fromhex(wire)
    assert numbers.bcd_reader(type_)(raw) == value
    assert numbers.bcd_writer(type_)(value) == raw


def test_nibble_that_is_no_digit_is_an_error_of_the_meter() -> None:
    with pytest.raises(CodecError, match="1A 23 is no BCD number"):
        numbers.bcd_reader(Bcd(2))(b"\x1a\x23")


@pytest.mark.parametrize(
    ("type_", "wire", "value"),
    [
        (Float(4, digits=7), "3F9DF3B6", "1.234"),  # the single nearest to 1.234
        (Float(4, places=2), "41BA0000", "23.25"),
        (Float(4, places=1), "3DCCCCCD", "0.1"),
        (Float(4, Order.WORD_SWAPPED, digits=7), "F3B63F9D", "1.234"),
        (Float(8, digits=15), "3FF3BE76C8B43958", "1.234"),
        (Float(4, digits=7), "49742400", "1000000"),
        (Float(4, digits=7), "80000000", "0"),
    ],
)
def test_ieee_754_as_the_decimal_the_device_prints(type_: Float, wire: str, value: str) -> None:
    assert str(numbers.float_reader(type_)(bytes.fromhex(wire))) == value


def test_not_a_number_is_no_value() -> None:
    assert numbers.float_reader(Float(4, digits=7))(bytes.fromhex("7FC00000")) is None
    assert numbers.float_reader(Float(4, digits=7))(bytes.fromhex("7F800000")) is None


@given(number=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_nine_digits_bring_back_every_single(number: float) -> None:
    type_ = Float(4, digits=9)
    wire = numbers.float_writer(type_)(Decimal(number))
    value = numbers.float_reader(type_)(wire)
    assert value is not None
    assert numbers.float_writer(type_)(value) == wire or number == 0


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (Number(), b"001042.50", "1042.50"),
        (Number(), b"-7", "-7"),
        (Number(), b" 12 ", "12"),
        (Number(mark=","), b"12,5", "12.5"),
        (Number(16), b"9A3C", "39484"),
        (Number(), b".", None),
        (Number(), b"12.", "12"),
    ],
)
def test_numbers_in_characters(type_: Number, text: bytes, value: str | None) -> None:
    if value is None:
        with pytest.raises(CodecError, match="is no number"):
            numbers.number_reader(type_)(text)
    else:
        assert str(numbers.number_reader(type_)(text)) == value


def test_blanks_are_no_value() -> None:
    assert numbers.number_reader(Number())(b"    ") is None


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (Number(digits=8, places=2), Decimal("1042.5"), b"01042.50"),
        (Number(digits=6), 7, b"000007"),
        (Number(digits=5, places=1, mark=","), Decimal("-3.25"), b"-03,2"),
        (Number(16, digits=4), 0x9A, b"009A"),
        (Number(), Decimal("0.10"), b"0.10"),
    ],
)
def test_numbers_are_written_with_their_digits_and_places(type_: Number, value: int | Decimal, text: bytes) -> None:
    assert numbers.number_writer(type_)(value) == text


def test_scale_is_exact_in_both_directions() -> None:
    assert str(numbers.exact_product(18446744073709551615, Decimal("0.000000000001"))) == "18446744.073709551615"
    assert numbers.exact_quotient(Decimal("1042.5"), Decimal("0.001")) == 1042500
    with pytest.raises(CodecError, match="is no multiple of"):
        numbers.exact_quotient(Decimal(1), 3)
    with pytest.raises(CodecError, match="is no number"):
        numbers.exact_product("a", 1)
