"""What registers hold. Numbers come from IEEE 754 examples, the makers' own and from pymodbus, which packs them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pymodbus.client.mixin import ModbusClientMixin

from gateway_server.errors import CodecError
from plugins.modbus.values import TYPES, Form, Kind

Pack = ModbusClientMixin.DATATYPE


def packed(value: float | int | str, kind: Pack, word_order: str = "big") -> bytes:
    words = ModbusClientMixin.convert_to_registers(value, kind, word_order=word_order)  # type: ignore[arg-type]
    return b"".join(word.to_bytes(2, "big") for word in words)


@pytest.mark.parametrize(
    ("type_name", "kind", "value"),
    [
        ("uint16", Pack.UINT16, 65535),
        ("int16", Pack.INT16, -2),
        ("uint32", Pack.UINT32, 4_000_000_001),
        ("int32", Pack.INT32, -70_000),
        ("uint64", Pack.UINT64, 18_000_000_000_000_000_001),
        ("int64", Pack.INT64, -9_000_000_000_000_000_001),
    ],
)
@pytest.mark.parametrize("order", ["big", "little"])
def test_whole_numbers_that_another_program_packed(type_name: str, kind: Pack, value: int, order: str) -> None:
    meaning, registers = TYPES[type_name]
    form = Form(meaning, registers, low_word_first=order == "little")
    assert form.value(packed(value, kind, order)) == Decimal(value)


@pytest.mark.parametrize("text", ["23.7", "1.01325", "-0.1", "16777216", "3.4028235e+38", "1.17549e-38", "0"])
@pytest.mark.parametrize("order", ["big", "little"])
def test_float_is_the_decimal_that_was_put_in(text: str, order: str) -> None:
    form = Form(Kind.FLOAT, 2, low_word_first=order == "little")
    assert form.value(packed(float(text), Pack.FLOAT32, order)) == Decimal(text)


def test_float_is_told_with_the_places_that_the_device_means() -> None:
    data = packed(23.7, Pack.FLOAT32)
    told = Form(Kind.FLOAT, 2, digits=2).value(data)
    assert str(told) == "23.70"
    assert str(Form(Kind.FLOAT, 4, digits=1).value(packed(0.25, Pack.FLOAT64))) == "0.2"


def test_changed_bytes_within_changed_words() -> None:
    # 0x0A0B0C0D in the four orders that manuals call ABCD, CDAB, BADC, DCBA
    for text, low_word, low_byte in (
        ("0A0B0C0D", False, False),
        ("0C0D0A0B", True, False),
        ("0B0A0D0C", False, True),
        ("0D0C0B0A", True, True),
    ):
        form = Form(Kind.UNSIGNED, 2, low_word_first=low_word, low_byte_first=low_byte)
        assert form.value(bytes.fromhex(text)) == Decimal(0x0A0B0C0D)


def test_scale_and_offset_are_exact() -> None:
    form = Form(Kind.SIGNED, 1, scale=Decimal("0.1"), offset=Decimal("-273.15"))
    assert form.value(b"\x0b\xb8") == Decimal("26.85")


def test_number_that_stands_for_none_and_what_is_no_number_are_no_value() -> None:
    absent = Form(Kind.SIGNED, 1, absent=frozenset({0x8000}))
    assert absent.value(b"\x80\x00") is None
    assert absent.value(b"\x7f\xff") == Decimal(32767)
    assert Form(Kind.FLOAT, 2).value(bytes.fromhex("7FC00000")) is None
    assert Form(Kind.FLOAT, 2).value(bytes.fromhex("FF800000")) is None


def test_bcd_is_read_digit_by_digit_and_refused_when_it_is_none() -> None:
    assert Form(Kind.BCD, 2).value(bytes.fromhex("12345678")) == Decimal(12345678)
    with pytest.raises(CodecError, match="123A"):
        Form(Kind.BCD, 1).value(bytes.fromhex("123A"))


def test_words_for_codes_and_for_bits() -> None:
    code = Form(Kind.UNSIGNED, 1, names={0: "ok", 2: "low"})
    assert [code.value(bytes((0, number))) for number in (0, 2, 9)] == ["ok", "low", "9"]
    alarms = Form(Kind.UNSIGNED, 1, bits={0: "tamper", 3: "battery"})
    assert alarms.value(b"\x00\x0b") == "tamper, bit 1, battery"
    assert alarms.value(b"\x00\x00") == ""
    assert Form(Kind.UNSIGNED, 1, bit=3).value(b"\x00\x08") == Decimal(1)


def test_texts_end_at_a_nul_and_times_count_from_1970() -> None:
    assert Form(Kind.TEXT, 3, encoding="cp1251").value("БПЭК".encode("cp1251") + b"\0?") == "БПЭК"
    assert Form(Kind.TEXT, 2).value(bytes(4)) is None
    assert Form(Kind.TEXT, 2, low_byte_first=True).value(b"BADC") == "ABCD"
    assert Form(Kind.UNIX, 2).value((1_700_000_000).to_bytes(4, "big")) == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("raw", [b"\xff" * 8, b"\x7f" + b"\xff" * 7])
def test_time_that_no_calendar_holds_is_refused(raw: bytes) -> None:
    with pytest.raises(CodecError, match="no time"):
        Form(Kind.UNIX, 4).value(raw)
