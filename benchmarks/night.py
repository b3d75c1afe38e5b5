"""A night of calls in simulated time: how far the plan stays behind what so many modems could do at best.

A thousand meters, eight modems, a tenth of the calls fails in the ways a night can mend, with the gaps that are kept
after each. The store, the jobs and the plan are those of the gateway; only the modems are fakes, and time is a clock's.
The bound is what all calls that were made took together, a modem's rest after each included, shared evenly by the
modems: nobody who makes these calls can be ready sooner.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from twisted.internet.task import Clock

from benchmarks.figures import Figure
from gateway_server.codec.codec import Codec
from gateway_server.model import CallResult, Column, Outcome
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.durations import ROW_S, SIGN_ON_S
from gateway_server.scheduler.duty import Duty, DutyTerms
from gateway_server.scheduler.night import Limits
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.scheduler.waiting import rows_of
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, JobState, MeterRecord, RowToSave, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_modems import FakeCall, FakeModems
from gateway_server.testing.line_to_meter import run
from gateway_server.transports.calls import CallOrder
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import Route

MODEMS = 8
FAILING = 0.1
WANTED = 1.05
START_MS = 1_764_277_200_000  # 2025-11-28 00:00 in Moscow
HOUR_MS = 3_600_000
NIGHT = Schedule("night", "0 0 * * *", window=Window.parse("00:00-12:00"), attempts=8)
FAILURES = (
    CallResult.BUSY,
    CallResult.NO_ANSWER,
    CallResult.NO_CARRIER,
    CallResult.NO_DIALTONE,
    CallResult.DELAYED,
    CallResult.SILENT,
    CallResult.LOST,
    CallResult.MODEM_FAULT,
)
_COLUMNS = (Column("volume_base_total", "m3", cumulative=True),)


class _NoRoads:
    """Everybody is called by modem."""

    def can_open(self, route: Route) -> str:
        return "not here"

    def send(self, route: Route, errand: Errand) -> None:
        errand.ended(Ending(Outcome.LINE_LOST, "not here", errand.serial))


def _codecs(_: MeterRecord) -> tuple[Codec, ...]:
    return ()


def phone_book(dice: random.Random) -> Callable[[CallOrder, int], FakeCall]:
    """How calls go: set-up 10 to 40 s, then as long as the rows take that the order asks for, a tenth more or less."""

    def entry(order: CallOrder, times: int) -> FakeCall:
        setup = dice.uniform(10, 40)
        seconds = (SIGN_ON_S + rows_of(order.errand.order) * ROW_S) * dice.uniform(0.9, 1.1)
        if dice.random() >= FAILING:
            return FakeCall(setup_s=setup, online_s=seconds)
        how = dice.choice(FAILURES)
        if how is CallResult.LOST:
            seconds *= dice.random()
        return FakeCall(how, setup, 60.0 if how is CallResult.SILENT else seconds)

    return entry


def settle_down(store: SqlStore, meters: int, dice: random.Random) -> None:
    """A fleet whose last rows are some hours old; some meters were not reached in the nights before."""
    store.put_meters(
        (MeterRecord(f"{number:08}", codec="lis200", routes=(f"csd:+7916{number:07}",)), None)
        for number in range(1, meters + 1)
    )
    key = store.open_session(SessionOpening("csd", "", START_MS))
    for number in range(1, meters + 1):
        nights = dice.choices((1, 2, 3, 7), (85, 10, 4, 1))[0]
        at_ms = START_MS - nights * 24 * HOUR_MS
        rows = [RowToSave(_COLUMNS, (str(hour),), "interval", at_ms - hour * HOUR_MS, at_ms) for hour in (2, 1, 0)]
        store.save(key, f"{number:08}", rows)


def night(meters: int, seed: int) -> tuple[float, float, int]:
    """Seconds until the last call of a night was over, the bound, and how many jobs were not done."""
    dice = random.Random(seed)
    store, clock = open_store(":memory:"), Clock()
    settle_down(store, meters, dice)
    facilities = Facilities(DirectWriter(store), clock, lambda: START_MS + int(clock.seconds() * 1000), Sweep(clock))
    names = {f"m{number}": "" for number in range(1, MODEMS + 1)}
    modems = FakeModems(clock, facilities, phone_book(dice), names)
    terms = DutyTerms(schedules=(NIGHT,), limits=Limits(), terms=Terms(), seed=seed)
    duty = Duty(facilities, Presence(clock), _NoRoads(), _codecs, replace(terms, fill_every_s=0), modems)
    duty.start()
    open_states = Filter(states=(JobState.QUEUED.value, JobState.RUNNING.value), limit=1)
    while clock.seconds() < 12 * 3600:
        run(clock, 60)
        if next(iter(store.jobs(open_states)), None) is None:
            break
    duty.stop()
    failed = sum(1 for _ in store.jobs(Filter(states=(JobState.FAILED.value,))))
    store.close()
    bound = sum(call.ready - call.started for call in modems.made) / MODEMS
    return max(call.ready for call in modems.made), bound, failed


def measure(place: Path, runs: int, meters: int) -> list[Figure]:
    """The figures of one subject: a night of every seed."""
    logging.getLogger("gateway_server.scheduler").setLevel(logging.CRITICAL)  # failed calls are what it is about
    began = perf_counter()
    nights = [night(meters, seed) for seed in range(1, runs + 1)]
    took = (perf_counter() - began) / runs
    return [
        Figure(
            f"night: makespan of {meters} meters on {MODEMS} modems, {FAILING:.0%} of calls failing",
            "s",
            [end for end, _, _ in nights],
            "sum of call times / modems",
            [bound for _, bound, _ in nights],
            higher_is_better=False,
            wanted=WANTED,
        ),
        Figure(
            "night: meters not read by its end",
            "meters",
            [float(failed) for _, _, failed in nights],
            higher_is_better=False,
            wanted=0.0,
        ),
        Figure("night: real time it takes to play one", "s", [took], higher_is_better=False),
    ]
