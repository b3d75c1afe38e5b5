"""Values that look like a gas meter's: within their range, and the same for the same seed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway_server import quantities
from gateway_server.model import Quantity
from gateway_server.testing.plausible import Likely, drawn, likely, stated, wandering

OURS = [one for one in vars(quantities).values() if isinstance(one, Quantity) and one.unit]


@pytest.mark.parametrize("quantity", OURS, ids=lambda quantity: quantity.name)
def test_everything_that_we_know_with_a_unit_has_a_range(quantity: Quantity) -> None:
    found = likely(quantity.name, quantity.unit)
    assert found is not None
    assert found.low <= found.high
    assert (found.growth > 0) is quantity.cumulative


def test_mean_or_second_temperature_is_as_likely_as_the_temperature() -> None:
    assert likely("temperature_mean", "°C") == likely("temperature_2", "°C") == likely("temperature", "°C")
    kelvin = likely("temperature", "K")
    assert kelvin is not None
    assert kelvin.low > 250


def test_thing_that_nobody_knows_has_no_range() -> None:
    assert likely("smell", "") is None


def test_stated_range_counts_and_a_counter_grows_as_its_kind_does() -> None:
    assert stated(Decimal(1), Decimal(2), "temperature", "°C") == Likely(Decimal(1), Decimal(2), Decimal(1))
    volume = likely("base_volume", "m3")
    assert volume is not None
    assert stated(Decimal(5), Decimal(9), "base_volume", "m3").growth == volume.growth


def test_values_wander_within_the_range_and_come_again_for_the_same_seed() -> None:
    within = Likely(Decimal("3.2"), Decimal("5.6"))
    rows = [wandering("meter 1", row, within) for row in range(200)]
    assert rows == [wandering("meter 1", row, within) for row in range(200)]
    assert all(within.low <= value <= within.high for value in rows)
    assert 0 < max(rows) - min(rows) <= (within.high - within.low) / 10
    assert drawn("meter 1", within) != drawn("meter 2", within)
