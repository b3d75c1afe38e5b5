"""Makes the jobs of a night when it begins, and those of a meter that is overdue when it calls in by itself.

Both can be done again at any time: a job is made once, so a restart, a second gateway or a clock that is set changes
nothing.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from zoneinfo import ZoneInfo

from twisted.internet.interfaces import IDelayedCall

from gateway_server.errors import GatewayError
from gateway_server.model import MeterState, ReadOrder
from gateway_server.scheduler.obligations import Obligations
from gateway_server.scheduler.schedules import Night, Schedule
from gateway_server.scheduler.waiting import CALLED
from gateway_server.session.plan import Facilities
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import Filter, MeterRecord, Origin
from gateway_server.store.store import Store

logger = logging.getLogger(__name__)

OVERDUE = "overdue"
"""The schedule, in name, of what is asked of meters that call in by themselves."""
_LOOK_SECONDS = 20.0
_ALL_ANEW_MS = 300_000
_SETTLED_SECONDS = 5.0  # what it called for comes first
_APART_SECONDS = 0.05
MOST_WAITING = 20_000


def jobs_of(schedule: Schedule, meters: Sequence[MeterRecord], now_ms: int) -> Iterator[JobToMake]:
    """The jobs of the nights that are on: one for each meter in care that the schedule wants and can reach."""
    nights: dict[str, Night | None] = {}
    for meter in meters:
        if meter.state is not MeterState.ACTIVE or not schedule.wants(meter):
            continue
        if meter.time_zone not in nights:
            nights[meter.time_zone] = schedule.night_at(now_ms, ZoneInfo(meter.time_zone))
        night = nights[meter.time_zone]
        if night is not None and (job := job_of(schedule, meter, night)) is not None:
            yield job


def job_of(schedule: Schedule, meter: MeterRecord, night: Night) -> JobToMake | None:
    """What a schedule wants of a meter in one night; None if it may use none of the meter's routes."""
    route = schedule.route(meter)
    if not route:
        return None
    return JobToMake(
        meter.serial,
        ReadOrder(schedule.what, schedule.archives).to_json(),
        Origin.SCHEDULE,
        schedule.name,
        night.key,
        night.due_ms,
        night.end_ms,
        schedule.priority,
        schedule.attempts,
        by_modem=route.startswith(CALLED),
        route=route if schedule.transports else "",
    )


class Planning:
    """Looks at the schedules again and again; ``made`` hears when there is something to do."""

    def __init__(self, facilities: Facilities, schedules: Sequence[Schedule], made: Callable[[], None]) -> None:
        self._facilities = facilities
        self._schedules = tuple(schedules)
        self._made = made
        self._nights: set[tuple[str, str, str]] = set()
        self._zones: set[str] = set()
        self._anew_ms = 0
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Makes up for the nights that are on, and looks from now on."""
        self._tick()

    def stop(self) -> None:
        """Makes no more jobs."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = self._facilities.clock.callLater(_LOOK_SECONDS, self._tick)
        now_ms = self._facilities.now_ms()
        anew = now_ms >= self._anew_ms  # a meter may have been added, or given a route, in the middle of a night
        if anew:
            self._anew_ms = now_ms + _ALL_ANEW_MS
        on = {
            (schedule.name, zone, night.key)
            for schedule in self._schedules
            for zone in self._zones
            if (night := schedule.night_at(now_ms, ZoneInfo(zone))) is not None
        }
        if not self._schedules or (not anew and on <= self._nights):
            return
        self._nights = on

        def work(store: Store) -> tuple[int, set[str]]:
            meters = store.meters(Filter(states=(MeterState.ACTIVE.value,)))
            made = sum(store.make_jobs(jobs_of(one, meters, now_ms), now_ms) for one in self._schedules)
            return made, {meter.time_zone for meter in meters}

        self._facilities.writer.call(work, self._done)

    def _done(self, result: tuple[int, set[str]] | GatewayError) -> None:
        if isinstance(result, GatewayError):
            logger.warning("the night's jobs could not be made, and are tried again: %s", result)
            self._anew_ms = 0
            return
        made, self._zones = result
        if made and self._timer is not None:
            logger.info("%d jobs are planned", made)
            self._made()


class Filling:
    """Has a meter that calls in by itself asked for what is overdue: rows in front of its newest one.

    At most once in ``every_s``; how much at once is the budget of the obligations. After an outage the whole fleet
    calls at the same time: then their archives are looked at one after the other, behind what they wait for.
    """

    def __init__(
        self,
        facilities: Facilities,
        obligations: Obligations,
        every_s: float,
        can_be_asked: Callable[[MeterRecord], bool],
        made: Callable[[], None],
    ) -> None:
        self._facilities = facilities
        self._obligations = obligations
        self._every_ms = int(every_s * 1000)
        self._can_be_asked = can_be_asked
        self._made = made
        self._looked: dict[str, int] = {}
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._timer: IDelayedCall | None = None

    def came(self, serial: str) -> None:
        """A meter is on a line of its own."""
        if not self._every_ms:
            return
        turn = self._facilities.now_ms() // self._every_ms
        if self._looked.get(serial) == turn:
            return
        if len(self._looked) > MOST_WAITING:
            self._looked.clear()
        self._looked[serial] = turn
        self._waiting.append(serial)
        if self._timer is None:
            self._timer = self._facilities.clock.callLater(_SETTLED_SECONDS, self._next)

    def stop(self) -> None:
        """Looks at no more meters."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()

    def _next(self) -> None:
        self._timer = None
        if self._waiting:
            serial, now_ms = self._waiting.popleft(), self._facilities.now_ms()
            self._facilities.writer.call(lambda store: self._overdue(store, serial, now_ms), self._done)

    def _overdue(self, store: Store, serial: str, now_ms: int) -> int:
        meter = store.meter(serial)
        if meter is None or meter.state is not MeterState.ACTIVE or not self._can_be_asked(meter):
            return 0
        if meter.serial in store.plan_stops(now_ms) or not self._obligations.overdue(store, meter, now_ms):
            return 0
        job = JobToMake(
            meter.serial,
            ReadOrder(frozenset({"archive"})).to_json(),
            Origin.COMPLETENESS,
            OVERDUE,
            str(now_ms // self._every_ms),
            now_ms,
            now_ms + self._every_ms,
            priority=-1,
            route=f"caller:{meter.serial}",
        )
        return store.make_jobs([job], now_ms)

    def _done(self, made: int | GatewayError) -> None:
        if isinstance(made, GatewayError):
            logger.warning("what is overdue of a meter that called could not be looked up: %s", made)
        elif made:
            self._made()
        if self._waiting and self._timer is None:
            self._timer = self._facilities.clock.callLater(_APART_SECONDS, self._next)
