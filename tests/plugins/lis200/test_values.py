"""Values, units and times as devices print them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.lis200 import values


@pytest.mark.parametrize("page", ["cp1251", "cp866", "koi8_r"])
def test_the_russian_cubic_metre_is_known_in_every_code_page(page: str) -> None:
    assert values.unit("м3".encode(page).decode("latin-1")) == "m3"


@pytest.mark.parametrize(
    ("said", "unit"),
    [("{C", "°C"), ("\\xb0C", "°C"), ("\xb0C", "°C"), ("m3", "m3"), ("m3\\x2fh", "m3/h"), ("kPa", "kPa"), ("", "")],
)
def test_degrees_and_slashes_are_read_in_every_form_devices_use(said: str, unit: str) -> None:
    assert values.unit(said) == unit


def test_numbers_are_exact_and_keep_their_decimals() -> None:
    assert str(values.value("882066.6309")) == "882066.6309"
    assert str(values.value("10.10")) == "10.10"
    assert values.value("-3.5") == Decimal("-3.5")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1_0", "1E5", "", "2018-11-01,10:56:06", "0x8104", "1 5 16"])
def test_what_is_no_plain_number_stays_text(text: str) -> None:
    assert values.value(text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_any_decimal_goes_through_unchanged(number: Decimal) -> None:
    text = format(number, "f")
    assert str(values.value(text)) == text


def test_a_value_and_its_unit_are_parted_at_the_star() -> None:
    assert values.split_unit("260.63*m3") == ("260.63", "m3")
    assert values.split_unit("EK270") == ("EK270", "")


def test_times_are_the_devices_own() -> None:
    assert values.time("2018-11-01,10:56:06") == datetime(2018, 11, 1, 10, 56, 6)
    assert values.time_text(datetime(2018, 11, 1, 10, 56, 6)) == "2018-11-01,10:56:06"
    assert values.time_text(datetime(1, 1, 1)) == "0001-01-01,00:00:00"


def test_time_at_the_end_of_the_calendar_does_not_move_out_of_it() -> None:
    end, day = datetime(9999, 12, 31, 23), timedelta(days=1)
    assert values.moved(end, day) == end
    assert values.moved(end, -day) == datetime(9999, 12, 30, 23)


@pytest.mark.parametrize("text", ["2018-13-01,10:56:06", "2018-11-01", "2018-11-01T10:56:06", "2018-11-01,24:00:00"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert values.time(text) is None
