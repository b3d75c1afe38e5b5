"""Quirks in random company, each mixture repeatable by its number: whatever comes together, the store ends up exact."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gateway_server.model import ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from tests.end_to_end.reading import NOW, SERIAL, Reader, differences

MIXTURES = 60
CHOICES: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            *("echo_prefix", "bcc_is_etx", "crlf_after_last_row", "asleep", "misses_first", "lock_values", "lock_all"),
            *("lock_way_b", "noise_events", "noise_before", "noise_after", "second_master", "rubbish", "twenty_cells"),
            *("extra_columns", "unknown_columns", "extra_rows", "order_gap", "counter_back", "check_failed"),
            *("russian_units", "seven_e1"),
        ),
        (True,),
    ),
    "reply_delay_s": (0.3, 1.5, 6.0),
    "split": (5, 33, 700),
    "lose_every": (9, 23, 61),
    "bad_bcc_every": (2, 3, 7),
    "truncate_block": (1, 2, 7),
    "endless_block": (1, 5),
    "hang_up_in_block": (1, 3, 9),
    "no_carrier_in_block": (1, 4, 12),
    "clock_offset_s": (-400 * 86400, 5 * 86400, 90),
    "clock_drift_s": (300,),
    "error_in_read": (109, 110),
}


def mixture(number: int) -> tuple[str, dict[str, Any]]:
    """The model and the quirks of a mixture."""
    draw = random.Random(number)
    quirks = {name: draw.choice(CHOICES[name]) for name in draw.sample(sorted(CHOICES), draw.randint(2, 8))}
    if "seven_e1" in quirks:
        quirks.pop("russian_units", None)  # a character of eight bits cannot come over seven
    return draw.choice(("ek260", "ek270", "ek280", "tc210", "tc215")), quirks


@pytest.mark.parametrize("number", range(MIXTURES))
def test_meter_with_any_mixture_of_quirks_is_read_exactly(number: int) -> None:
    model, quirks = mixture(number)
    meter = FakeMeter(model, SERIAL, number, Quirks(**quirks), NOW, days=5)
    reader = Reader(meter)
    outcomes = reader.read_until_done(ReadOrder(), sessions=6)
    assert outcomes[-1] == "read", (model, quirks, outcomes, reader.endings[-1].detail)
    archives = {"interval": 3} if model.startswith("tc") else {"interval": 3, "daily": 7}
    for archive, place in archives.items():
        assert differences(reader, archive, place) == [], (model, quirks)
    assert meter.writes == []
