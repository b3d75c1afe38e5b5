"""What a variable gets from what is known of the meter."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.as_written import AsWritten
from gateway_server.codec.meter_profile.form import Given, Variable
from gateway_server.codec.meter_profile.given import given
from gateway_server.model import KnownMeter, ReadOrder

METER = KnownMeter("00471", ReadOrder(), access_code="4:0471", address="007", memory={"place": "0012"})


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        (Given.SERIAL, "any", "00471"),
        (Given.ACCESS_CODE, "any", "0471"),
        (Given.ADDRESS, "any", "007"),
        (Given.MEMORY, "place", "0012"),
    ],
)
def test_what_is_known_keeps_its_zeros_as_a_text_and_as_a_number(source: Given, name: str, text: str) -> None:
    assert given(Variable(name, source, ""), METER) == text
    number = given(Variable(name, source, 0), METER)
    assert isinstance(number, AsWritten)
    assert (str(number), number) == (text, int(text))


def test_what_is_not_known_leaves_the_variable_as_it_is() -> None:
    stranger = KnownMeter("", ReadOrder())
    assert [given(Variable("any", source, 5), stranger) for source in Given] == [None] * len(Given)


def test_text_for_a_variable_that_begins_as_a_number_stays_a_text() -> None:
    assert given(Variable("any", Given.SERIAL, 0), KnownMeter("AB-7", ReadOrder())) == "AB-7"
