"""How a simulated meter writes what it measured into its archives, and the odd things that happen on the way.

Hourly rows are stamped with the end of the hour; the one at the gas-day start carries 0x8103 (captured row). Daily
rows stand at the gas-day start, monthly ones at the gas-day start of the first of the month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.archive import FakeArchive
from gateway_server.testing.lis200.history import HOUR, Counters, History, Hour
from gateway_server.testing.lis200.layouts import FakeModel, layouts
from gateway_server.testing.lis200.quirks import Quirks

GAS_DAY_HOUR = 10
END_OF_INTERVAL = "0x8104"
DAY_BOUNDARY = "0x8103"
CLOCK_SET_BACK = "0x8004"
BEFORE_CHANGE = "0x8303"
AFTER_CHANGE = "0x8203"
SUMMER_TIME_ENDS = "0x1F02"
RESTART = "0x3002"
SYSTEM = 2


def event_code(message: int, status: int, *, appears: bool, system: bool = False) -> str:
    """The code of a status message by the bit rule: message 1..16 of status 0..9, or of the system status (2)."""
    return f"0x{(0x2000 if appears else 0) | (0x1000 if system else 0) | (message - 1) << 8 | status:04X}"


def stamp(moment: datetime) -> str:
    """A time as it stands in cells and values."""
    return moment.strftime("%Y-%m-%d,%H:%M:%S")


def fixed(steps: int, decimals: int) -> str:
    """A whole number of smallest steps as an exact decimal."""
    sign, steps = ("-", -steps) if steps < 0 else ("", steps)
    return f"{sign}{steps // 10**decimals}.{steps % 10**decimals:0{decimals}d}"


class Recorder:
    """The archives of one meter, filled from its history up to the time it was last told."""

    def __init__(self, model: FakeModel, quirks: Quirks, seed: str, now: datetime, days: int) -> None:
        self.model = model
        self._quirks = quirks
        start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
        self._history = History(seed, start, model.pressure, model.capacity, ideal=model.is_tc)
        first = self._history.pending.dv % 900 + 100
        self.archives = {
            layout.number: FakeArchive(layout, first + 31 * layout.number) for layout in layouts(model, quirks)
        }
        self._global_number = first * 29
        self._day: list[Hour] = []
        self._month: list[Hour] = []
        self._before: Counters | None = None  # at the end of the hour before
        self._day_volumes: list[tuple[int, int, datetime]] = []
        self._count = 0
        self._middle = max(12, days * 24 // 2)
        self.event(RESTART, start)
        self._change(start, "0007:0311", "1.01325", fixed(model.pressure, 4))
        self._change(start + timedelta(minutes=3), "0005:0311", "1.0000", "13.5000")
        self.advance(now)

    def advance(self, now: datetime) -> None:
        """Time goes on: every hour that has ended is recorded."""
        for hour in self._history.until(now):
            self._count += 1
            self._record(hour)

    def event(self, code: str, moment: datetime) -> None:
        """An entry of the event log, for a meter that has one."""
        self._append("events", {"time": stamp(moment), "event": code})

    def live(self, now: datetime) -> dict[str, str]:
        """What the meter would show now."""
        hour = self._history.pending
        told = self._cells(hour, self._history.at(now))
        told |= {
            "vbd": fixed(self._history.at(now).vbd, 4),
            "vd": self._volume(self._history.at(now).vd),
            "q": fixed(hour.dv * 10, 1),
            "qb": fixed(hour.dvb // 100, 2),
        }
        return told

    def _record(self, hour: Hour) -> None:
        if self._quirks.counter_back and self._count == self._middle + 9:
            lost = hour.counters
            self._history.set_counters(Counters(lost.vb // 2, lost.vbd, lost.v // 2, lost.vd))
            hour = replace(hour, counters=self._history.counters)
        self._events_within(hour)
        self._day.append(hour)
        boundary = hour.end.hour == GAS_DAY_HOUR
        if self._quirks.extra_rows and self._count == self._middle // 2 + 5:
            self._clock_set(hour)
        parts = list(self._parts(hour))
        if self._quirks.order_gap and self._middle <= self._count < self._middle + 3:
            for archive in self._of_kind("interval"):
                archive.skip(len(parts))
        elif not (self._quirks.daily_period and self.model.name == "tc215") or boundary:
            for part in parts:
                cells = self._cells(part, part.counters)
                cells["event"] = DAY_BOUNDARY if boundary and part.end == hour.end else END_OF_INTERVAL
                if self._quirks.check_failed and self._count % 50 == 7:
                    cells["check"] = "CRC Error"
                self._append("interval", cells)
                self._append("extended", cells)
        if self._quirks.autumn_hour and _summer_ends(hour.end):
            self._repeat(hour)
        if boundary:
            self._close_day(hour)

    def _parts(self, hour: Hour) -> Iterator[Hour]:
        """The measurement periods within an hour; the counters grow evenly from one to the next."""
        minutes = 60 if self.model.is_tc else self._quirks.period_minutes or 60
        if not 1 <= minutes <= 60 or 60 % minutes:
            raise OperatorError(f"a measurement period of {minutes} minutes is none of an hour; choose 5, 15, 30 or 60")
        before, after = self._before or hour.counters, hour.counters
        self._before = after
        if after.vb < before.vb:
            before = after  # they went back in this hour
        for passed in range(minutes, 61, minutes):
            counters = Counters(
                *(old + (new - old) * passed // 60 for old, new in zip(_all(before), _all(after), strict=True))
            )
            yield replace(hour, end=hour.end - HOUR + timedelta(minutes=passed), counters=counters)

    def _events_within(self, hour: Hour) -> None:
        moment = hour.end - HOUR + timedelta(minutes=5 + hour.dv % 40, seconds=hour.dvb % 60)
        if hour.end.hour == 9:
            self.event(event_code(16, 1, appears=True), hour.end - HOUR)
        for happens, appears in ((hour.begins, True), (hour.ends, False)):
            if happens:
                code = event_code(1, 7, appears=appears)
                self.event(code, moment)
                if self._quirks.extra_rows:
                    self._extra_row(hour, moment, code)
        if hour.end.hour == 9:
            self.event(event_code(16, 1, appears=False), hour.end)

    def _clock_set(self, hour: Hour) -> None:
        moment = hour.end - timedelta(minutes=23, seconds=7)
        self._extra_row(hour, moment, BEFORE_CHANGE)
        self._extra_row(hour, moment - timedelta(seconds=95), AFTER_CHANGE)
        self.event(CLOCK_SET_BACK, moment - timedelta(seconds=95))
        self._change(moment, "0001:0400", stamp(moment), stamp(moment - timedelta(seconds=95)))

    def _extra_row(self, hour: Hour, moment: datetime, code: str) -> None:
        before = self._day[-1].counters if self._day else hour.counters
        cells = self._cells(hour, before if hour.counters.vb >= before.vb else hour.counters)
        cells |= {"time": stamp(moment), "event": code}
        self._append("interval", cells)

    def _repeat(self, hour: Hour) -> None:
        """The hour that is stamped like the one before it, because the clock was put back within it."""
        self.event(SUMMER_TIME_ENDS, hour.end)
        grown = hour.counters
        again = Counters(grown.vb + hour.dvb, grown.vbd, grown.v + hour.dv, grown.vd)
        self._history.set_counters(again)
        self._before = grown
        for part in self._parts(replace(hour, counters=again)):
            cells = self._cells(part, part.counters)
            cells["event"] = END_OF_INTERVAL
            self._append("interval", cells)
            self._append("extended", cells)

    def _close_day(self, hour: Hour) -> None:
        cells = self._means(self._day, hour)
        cells["event"] = DAY_BOUNDARY
        self._append("daily", cells)
        self._day_volumes.append((sum(h.dvb for h in self._day), sum(h.dv for h in self._day), hour.end))
        self._month += self._day
        self._day = []
        if hour.end.day == 1:
            self._append("monthly1", self._means(self._month, hour) | self._volume_extremes())
            self._append("monthly2", self._means(self._month, hour) | self._measured_extremes())
            self._month, self._day_volumes = [], []

    def _means(self, hours: list[Hour], last: Hour) -> dict[str, str]:
        number = len(hours)
        p, t, k, c = (sum(getattr(hour, name) for hour in hours) // number for name in ("p", "t", "k", "c"))
        dp, t2 = (sum(getattr(hour, name) for hour in hours) // number for name in ("dp", "t2"))
        disturbed = any(hour.disturbed for hour in hours)
        mean = Hour(last.end, last.dv, last.dvb, p, t, k, c, dp, t2, disturbed, False, False, last.counters)
        return self._cells(mean, last.counters)

    def _volume_extremes(self) -> dict[str, str]:
        base = max(self._month, key=lambda hour: hour.dvb)
        actual = max(self._month, key=lambda hour: hour.dv)
        base_day = max(self._day_volumes)
        actual_day = max(self._day_volumes, key=lambda day: day[1])
        return {
            "vbmpmax": fixed(base.dvb, 4),
            "vbmpmax.time": stamp(base.end),
            "vbdymax": fixed(base_day[0], 4),
            "vbdymax.time": stamp(base_day[2]),
            "vmpmax": self._volume(actual.dv),
            "vmpmax.time": stamp(actual.end),
            "vdymax": self._volume(actual_day[1]),
            "vdymax.time": stamp(actual_day[2]),
        }

    def _measured_extremes(self) -> dict[str, str]:
        told: dict[str, str] = {}
        printed: tuple[tuple[str, str, Callable[[int], str]], ...] = (
            ("qb", "dvb", lambda steps: fixed(steps // 100, 2)),
            ("q", "dv", lambda steps: fixed(steps * 10, 1)),
            ("p", "p", self._pressure),
            ("t", "t", lambda steps: fixed(steps, 2)),
        )
        for key, name, text in printed:
            measured = attrgetter(name)
            for which, hour in (("max", max(self._month, key=measured)), ("min", min(self._month, key=measured))):
                told[f"{key}{which}"] = text(measured(hour))
                told[f"{key}{which}.time"] = stamp(hour.end)
        return told

    def _cells(self, hour: Hour, counters: Counters) -> dict[str, str]:
        decimals = 4 if self.model.is_tc else 5
        return {
            "time": stamp(hour.end),
            "vb": fixed(counters.vb, 4),
            "vbt": fixed(counters.vbt, 4),
            "v": self._volume(counters.v),
            "vt": self._volume(counters.vt),
            "p": self._pressure(hour.p),
            "t": fixed(hour.t, 2),
            "k": fixed(hour.k, 5),
            "c": fixed(hour.c // 10 ** (5 - decimals), decimals),
            "dp": fixed(hour.dp, 2),
            "t2": fixed(hour.t2, 2),
            "st7": "1" if hour.disturbed else "0",
            "stsy": "13 15" if hour.begins else "0",
            "qbmax": fixed(hour.dvb // 100, 2),
            "w": fixed(counters.vbt // 95, 4),
            "xyz1": fixed(hour.dv * 7, 3),
            "xyz2": "abc",
        }

    def _volume(self, cubic_metres: int) -> str:
        return f"{cubic_metres}.0000" if self.model.is_tc else str(cubic_metres)

    def _pressure(self, p: int) -> str:
        return fixed(p * 100, 4) if self.model.kilopascal else fixed(p, 4)

    def _change(self, moment: datetime, address: str, old: str, new: str) -> None:
        cells = {"time": stamp(moment), "address": address, "old": old, "new": new, "st4lock": "1"}
        self._append("changes", cells)
        self._append("audit", cells)

    def _append(self, kind: str, cells: Mapping[str, str]) -> None:
        for archive in self._of_kind(kind):
            self._global_number += 1
            if archive.layout.number != self._quirks.empty_archive:
                archive.append(self._global_number, cells)

    def _of_kind(self, kind: str) -> list[FakeArchive]:
        return [archive for archive in self.archives.values() if archive.layout.kind == kind]


def _all(counters: Counters) -> tuple[int, int, int, int]:
    return counters.vb, counters.vbd, counters.v, counters.vd


def _summer_ends(end: datetime) -> bool:
    """The last Sunday of October, two o'clock."""
    return end.month == 10 and end.weekday() == 6 and end.day >= 25 and end.hour == 2
