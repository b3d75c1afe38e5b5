"""What a simulated meter measured, hour by hour, from a seed.

All quantities are whole numbers of their smallest step, so every printed value is an exact decimal: volumes at base
conditions 0.0001 m3, actual volumes 1 m3, pressure 0.0001 bar, temperature 0.01 degrees, K and C 0.00001.
Base conditions are 1.01325 bar and 20 degrees Celsius.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)

# Mean outside temperature (0.01 degrees) and heating load (per cent) by month; a town in the middle of Russia, a guess.
TEMPERATURE = (-650, -600, -50, 700, 1400, 1800, 2000, 1800, 1200, 550, -100, -450)
LOAD = (100, 96, 78, 52, 30, 18, 15, 17, 30, 55, 76, 92)
BY_HOUR = (
    70,
    66,
    64,
    65,
    72,
    86,
    104,
    118,
    120,
    114,
    108,
    104,
    102,
    100,
    99,
    100,
    104,
    110,
    116,
    118,
    112,
    100,
    88,
    78,
)


@dataclass(frozen=True, slots=True)
class Counters:
    """The meter's counters: ``vb``/``v`` undisturbed, ``vbd``/``vd`` counted in disturbance."""

    vb: int
    vbd: int
    v: int
    vd: int

    @property
    def vbt(self) -> int:
        """Base volume in all."""
        return self.vb + self.vbd

    @property
    def vt(self) -> int:
        """Actual volume in all."""
        return self.v + self.vd


@dataclass(frozen=True, slots=True)
class Hour:
    """One measurement period: what flowed in it, its means, and the counters at its end."""

    end: datetime
    dv: int
    dvb: int
    p: int
    t: int
    k: int
    c: int
    dp: int
    t2: int
    disturbed: bool
    begins: bool
    ends: bool
    counters: Counters


def conversion_factor(p: int, t: int, k: int) -> int:
    """C in 0.00001 from p (0.0001 bar), T (0.01 degrees) and K (0.00001): p/pb * Tb/T / K."""
    numerator = p * 29315 * 10**5 * 10**5 * 10
    denominator = 101325 * (27315 + t) * k
    return (2 * numerator + denominator) // (2 * denominator)


class History:
    """The hours of one meter. ``pressure`` is its usual pressure in 0.0001 bar, ``capacity`` its full load in m3/h.

    ``ideal`` leaves compressibility out: K is 1.
    """

    def __init__(self, seed: str, start: datetime, pressure: int, capacity: int, *, ideal: bool = False) -> None:
        self._random = random.Random(seed)
        self._pressure = pressure
        self._capacity = capacity
        self._ideal = ideal
        self._disturbed = 0
        v = self._random.randrange(10_000, 90_000)
        c = conversion_factor(pressure, 1000, self._compressibility(pressure, 1000))
        vd = self._random.randrange(20, 200)
        self.counters = Counters((v * c + 5) // 10 + self._random.randrange(10_000), (vd * c + 5) // 10, v, vd)
        self.now = start
        self.pending = self._measure(start + HOUR, self.counters)

    def until(self, now: datetime) -> Iterator[Hour]:
        """The hours that have ended since the last call."""
        while self.pending.end <= now:
            hour = self.pending
            self.counters = hour.counters
            self.now = hour.end
            self.pending = self._measure(hour.end + HOUR, hour.counters)
            yield hour

    def set_counters(self, counters: Counters) -> None:
        """The counters are set from outside (or were reset by a fault)."""
        self.counters = counters
        self.pending = replace(self.pending, counters=self._counted(counters, self.pending))

    def at(self, now: datetime) -> Counters:
        """The counters within the running hour, minute by minute."""
        minutes = min(59, max(0, (now - self.now) // timedelta(minutes=1)))
        old, new = self.counters, self.pending.counters
        return Counters(
            old.vb + (new.vb - old.vb) * minutes // 60,
            old.vbd + (new.vbd - old.vbd) * minutes // 60,
            old.v + (new.v - old.v) * minutes // 60,
            old.vd + (new.vd - old.vd) * minutes // 60,
        )

    def _measure(self, end: datetime, before: Counters) -> Hour:
        draw = self._random.randrange
        month, hour = end.month - 1, (end.hour - 1) % 24
        t = TEMPERATURE[month] // 4 + 800 + (BY_HOUR[(hour - 6) % 24] - 100) * 6 + draw(-60, 61)
        p = self._pressure * (1000 + LOAD[month] // 10 + draw(-12, 13)) // 1000 + draw(0, 10)
        k = self._compressibility(p, t)
        c = conversion_factor(p, t, k)
        dv = self._capacity * LOAD[month] * BY_HOUR[hour] // 12_000 * (100 + draw(-8, 9)) // 100
        begins = ends = False
        if self._disturbed:
            self._disturbed -= 1
            ends = self._disturbed == 0
        elif draw(200) == 0:
            begins = True
            self._disturbed = draw(1, 4)
        disturbed = begins or ends or self._disturbed > 0
        plain = Hour(
            end, dv, (dv * c + 5) // 10, p, t, k, c, dv * dv // 40, t - 30 + draw(20), disturbed, begins, ends, before
        )
        return replace(plain, counters=self._counted(before, plain))

    def _counted(self, before: Counters, hour: Hour) -> Counters:
        if hour.disturbed:
            return replace(before, vbd=before.vbd + hour.dvb, vd=before.vd + hour.dv)
        return replace(before, vb=before.vb + hour.dvb, v=before.v + hour.dv)

    def _compressibility(self, p: int, t: int) -> int:
        # a dry natural gas, roughly: 0.2 per cent a bar, a little less when it is warm
        return 100_000 if self._ideal else 100_000 - p * 2 // 100 + p * t // 2_000_000
