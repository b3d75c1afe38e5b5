"""What object 2:141 says."""

from __future__ import annotations

import pytest

from plugins.lis200.gas_day import start_of


@pytest.mark.parametrize(
    ("text", "start"),
    [("10:00", "10:00"), ("6", "06:00"), ("06:30:00", "06:30"), ("24", None), ("", None), ("x", None)],
)
def test_start_of_the_gas_day_is_an_hour_with_or_without_minutes(text: str, start: str | None) -> None:
    assert start_of(text) == start
