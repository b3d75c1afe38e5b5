"""Values that a gas meter could well show, by what they measure: what simulated meters take theirs from.

The ranges are guesses at an ordinary station of the middle pressure net; they are to look right, not to prove anything.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

_STEPS = 1_000_000
_PERIODS = ("_mean", "_max", "_min", "_2", "_total")


@dataclass(frozen=True, slots=True)
class Likely:
    """From where to where a value is; a counter begins in there and grows by about ``growth`` from row to row."""

    low: Decimal
    high: Decimal
    growth: Decimal = Decimal(0)


def _likely(low: str, high: str, growth: str = "0") -> Likely:
    return Likely(Decimal(low), Decimal(high), Decimal(growth))


_PRESSURES = {
    "bar": _likely("3.2", "5.6"),
    "mbar": _likely("3200", "5600"),
    "kPa": _likely("320", "560"),
    "MPa": _likely("0.32", "0.56"),
    "Pa": _likely("320000", "560000"),
}
_TEMPERATURES = {"°C": _likely("4", "24"), "C": _likely("4", "24"), "K": _likely("277", "297")}
_BY_QUANTITY = {
    ("conversion_factor", ""): _likely("3.1", "5.8"),
    ("compressibility", ""): _likely("0.985", "0.995"),
    ("base_pressure", "bar"): _likely("1.01325", "1.01325"),
    ("base_temperature", "°C"): _likely("20", "20"),
    ("base_temperature", "K"): _likely("293.15", "293.15"),
    ("pressure_difference", "mbar"): _likely("5", "60"),
    ("base_volume_disturbed", "m3"): _likely("20", "200", "1"),
    ("actual_volume_disturbed", "m3"): _likely("5", "60", "1"),
    ("actual_volume", "m3"): _likely("10000", "90000", "12"),
    ("signal_level", ""): _likely("9", "28"),
    ("signal_level", "dBm"): _likely("-95", "-57"),
    ("voltage", "V"): _likely("226", "234"),
    ("current", "A"): _likely("0.5", "6"),
}
_BY_UNIT = {
    **_PRESSURES,
    **_TEMPERATURES,
    "m3": _likely("40000", "360000", "50"),
    "m3/h": _likely("15", "240"),
    "kWh": _likely("400000", "3600000", "500"),
    "MWh": _likely("400", "3600", "1"),
    "MJ": _likely("1400000", "12000000", "1800"),
    "GJ": _likely("1400", "12000", "2"),
    "W": _likely("200", "3000"),
    "kW": _likely("0.2", "3"),
    "V": _likely("3.3", "3.7"),
    "mV": _likely("3300", "3700"),
    "months": _likely("30", "70"),
    "%": _likely("35", "95"),
    "dBm": _likely("-95", "-57"),
    "Hz": _likely("49.9", "50.1"),
}
_CUMULATIVE = frozenset({"m3", "kWh", "MWh", "MJ", "GJ"})


def likely(quantity: str, unit: str) -> Likely | None:
    """The range of what is measured; None if this is nothing that we know."""
    for ending in _PERIODS:
        quantity = quantity.removesuffix(ending)
    return _BY_QUANTITY.get((quantity, unit)) or _BY_UNIT.get(unit)


def stated(low: Decimal, high: Decimal, quantity: str, unit: str) -> Likely:
    """A range that a profile or a map states; a counter grows as others of its kind do."""
    known = likely(quantity, unit)
    fitting = known is not None and unit in _CUMULATIVE
    return Likely(low, high, known.growth if known is not None and fitting else max((high - low) / 1000, Decimal(1)))


def drawn(seed: str, within: Likely) -> Decimal:
    """A value of the range, always the same for the same seed."""
    share = Decimal(random.Random(seed).randrange(_STEPS + 1)) / _STEPS
    return within.low + (within.high - within.low) * share


def wandering(seed: str, number: int, within: Likely) -> Decimal:
    """The value of row ``number``: near the meter's usual one, a tenth of the range about it."""
    usual = drawn(seed, Likely(within.low, within.high - (within.high - within.low) / 10))
    return usual + drawn(f"{seed}/{number}", Likely(Decimal(0), (within.high - within.low) / 10))
