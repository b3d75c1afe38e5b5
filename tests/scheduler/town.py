"""A town of simulated LIS-200 meters that are called by modem, in the time of a clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from gateway_server.model import CallResult, Outcome
from gateway_server.scheduler.completeness import Terms, assess_all
from gateway_server.scheduler.duty import Duty, DutyTerms
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, JobRecord, JobState, MeterRecord
from gateway_server.store.store import Writer
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.fake_modems import FakeCall, FakeModems
from gateway_server.testing.line_to_meter import LineToMeter, run
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import MeterClock
from gateway_server.transports.calls import CallOrder
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import CallerRoute, CsdRoute, Route
from plugins.lis200 import codec

START_MS = 1_712_181_600_000  # 2024-04-03T22:00:00Z: one o'clock at night in Moscow
LOCAL = datetime(2024, 4, 4, 1, 0)
NIGHT = Schedule("night", "0 1 * * *", window=Window.parse("01:00-05:30"), attempts=8)
DAYS = 3
SLOW = Quirks(reply_delay_s=0.6)
FAILURES = (
    CallResult.BUSY,
    CallResult.NO_ANSWER,
    CallResult.NO_CARRIER,
    CallResult.NO_DIALTONE,
    CallResult.BARRED,
    CallResult.DELAYED,
    CallResult.SILENT,
    CallResult.LOST,
    CallResult.MODEM_FAULT,
)


class NoRoads:
    """A gateway that reaches nobody but by modem."""

    def can_open(self, route: Route) -> str:
        return "not here" if isinstance(route, CallerRoute | CsdRoute) else ""

    def send(self, route: Route, errand: Errand) -> None:
        errand.ended(Ending(Outcome.LINE_LOST, "there is no such host", errand.serial))


class Town:
    """``meters`` by serial number; `gateway` opens one on the store, `kill` ends it without a word."""

    def __init__(self, meters: int, url: str | Path = ":memory:") -> None:
        self.url = url if url == ":memory:" else f"sqlite:///{url}"
        self.clock = Clock()
        self.start_ms = START_MS
        self.store = open_store(str(self.url))
        self.time = MeterClock(self.clock, LOCAL)
        self.meters = {
            f"{40_000_000 + number}": FakeMeter(
                "ek270", f"{40_000_000 + number}", now=LOCAL, days=DAYS, seed=number, quirks=SLOW
            )
            for number in range(meters)
        }
        self.store.put_meters(
            (MeterRecord(serial, codec="lis200", routes=(f"csd:+7916{serial[1:]}",), group=f"north/{serial[-1]}"), None)
            for serial in self.meters
        )
        self.by_number = {f"+7916{serial[1:]}": serial for serial in self.meters}
        self.terms = DutyTerms(schedules=(NIGHT,), terms=Terms(first_days=DAYS - 1), seed=5)
        self.pools: list[FakeModems] = []

    @property
    def now_ms(self) -> int:
        return self.start_ms + int(self.clock.seconds() * 1000)

    def on_line(self, serial: str) -> Callable[[Callable[[bytes], None], Callable[[], None]], Line]:
        """Connects a call to a meter."""

        class Ear:
            def __init__(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> None:
                self.received = hear
                self.line_lost = lost

        def connect(hear: Callable[[bytes], None], lost: Callable[[], None]) -> Line:
            line = LineToMeter(self.meters[serial], self.clock, self.time, "csd")
            line.connect(Ear(hear, lost))
            return line

        return connect

    def answers(self, order: CallOrder, times: int) -> FakeCall:
        """Every call reaches its meter."""
        return FakeCall(meter=self.on_line(self.by_number[order.number]))

    def failing(self, chance: float, seed: int) -> Callable[[CallOrder, int], FakeCall]:
        """So many calls fail, in every way that a night can mend."""
        dice = random.Random(seed)

        def book(order: CallOrder, times: int) -> FakeCall:
            good = self.answers(order, times)
            if dice.random() >= chance:
                return good
            how = dice.choice(FAILURES)
            if how is CallResult.LOST:
                return replace(good, lost_after_s=dice.uniform(0.5, 12))
            return FakeCall(how, setup_s=dice.uniform(2, 40), online_s=60)

        return book

    def gateway(
        self,
        book: Callable[[CallOrder, int], FakeCall] | None = None,
        modems: int = 8,
        writer: Writer | None = None,
        **terms: Any,
    ) -> Duty:
        """A gateway on this town's store, with modems of its own; it has started."""
        writer = writer or DirectWriter(self.store)
        facilities = Facilities(writer, self.clock, lambda: self.now_ms, Sweep(self.clock))
        pool = FakeModems(
            self.clock, facilities, book or self.answers, {f"m{number}": "" for number in range(1, modems + 1)}
        )
        self.pools.append(pool)
        duty = Duty(facilities, Presence(self.clock), NoRoads(), lambda _: (codec,), replace(self.terms, **terms), pool)
        duty.start()
        return duty

    def kill(self) -> None:
        """The process is gone; the far modems find their lines dead, and the meters are idle again."""
        for pool in self.pools:
            pool.kill()
        for call in tuple(self.clock.getDelayedCalls()):
            call.cancel()
        for meter in self.meters.values():
            meter.hung_up()

    def pass_seconds(self, seconds: float) -> None:
        run(self.clock, seconds)

    def jobs(self, *states: JobState) -> list[JobRecord]:
        return list(self.store.jobs(Filter(states=tuple(state.value for state in states))))

    def until_done(self, most_s: float = 16_200) -> float:
        """Lets the night go on until no job waits; gives the seconds since the town was made."""
        while self.clock.seconds() < most_s:
            self.pass_seconds(30)
            if self.jobs() and not self.jobs(JobState.QUEUED, JobState.RUNNING):
                break
        return self.clock.seconds()

    def percent(self, at_ms: int = START_MS) -> set[str]:
        """How whole the meters' archives are, by what there had to be when the night began."""
        return {
            str(part.percent)
            for meter in self.store.meters()
            for part in assess_all(self.store, meter, self.terms.terms, at_ms, full=True)
        }

    def faults(self) -> list[str]:
        """Rows of the last two days that the meters hold and the store does not, or has twice, or otherwise."""
        since = f"{LOCAL - timedelta(days=DAYS - 1):%Y-%m-%d,%H:%M:%S}"
        wrong = []
        for serial, meter in self.meters.items():
            archives: Any = meter.holds()["archives"]
            held = {
                (row["order_number"], row["time"])
                for row in archives["3"]["rows"]
                if since < row["time"] < f"{LOCAL:%Y-%m-%d,%H:%M:%S}"
            }
            numbers = [
                one.row.order_number
                for one in self.store.rows(Filter(serials=(serial,), archives=("interval",)))
                if one.variant == 0
            ]
            variants = [one for one in self.store.rows(Filter(serials=(serial,))) if one.variant]
            missing = {number for number, _ in held} - set(numbers)
            if missing or len(numbers) != len(set(numbers)) or variants:
                wrong.append(f"{serial}: missing {sorted(missing)}, {len(numbers)} rows, {len(variants)} otherwise")
        return wrong


def always(how: FakeCall) -> Callable[[CallOrder, int], FakeCall]:
    """Every call goes this way."""
    return lambda order, times: how


def at_first(town: Town, how: FakeCall, times_failing: int = 1) -> Callable[[CallOrder, int], FakeCall]:
    """The first calls to a number go this way, and the later ones to the meter."""
    return lambda order, times: how if times <= times_failing else town.answers(order, times)


def only_job(town: Town) -> JobRecord:
    """The one job of the town."""
    (job,) = town.jobs()
    return job
