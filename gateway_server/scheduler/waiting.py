"""The jobs that wait for a modem, as the plan counts with them: from the store's jobs, meters and stops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gateway_server.model import MeterState, ReadOrder
from gateway_server.scheduler.durations import Pace, learnt
from gateway_server.scheduler.grid import DAY_MS
from gateway_server.scheduler.night import ANY_TIME, Candidate
from gateway_server.scheduler.obligations import Fitted
from gateway_server.scheduler.queue import Queue
from gateway_server.scheduler.schedules import Acceptance, accepts
from gateway_server.store.plan_records import PlanStop
from gateway_server.store.records import Filter, JobRecord, MeterRecord, Origin
from gateway_server.store.store import Store

CALLED = "csd:"
USUAL_ROWS = 24
UNKNOWN_S = 60.0
_EARLIER = 10
_FEW = 50

_NEVER = ((0, 0),)

Fit = Callable[[Store, JobRecord, MeterRecord, int], Fitted]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call for a job will probably take. ``rows`` are those that are missing; ``nothing``: it is not made."""

    rows: int
    seconds: float
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator says of who may be called, when, by whose SIM."""

    acceptances: Sequence[Acceptance] = ()
    operators: Mapping[str, str] = field(default_factory=dict)  # by meter or group: the SIM operator that must call


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store says of the night. ``seconds`` are estimates that were not known before."""

    jobs: Sequence[JobRecord] = ()
    meters: Mapping[str, MeterRecord] = field(default_factory=dict)
    stops: Mapping[str, PlanStop] = field(default_factory=dict)
    by_meter: dict[str, float] = field(default_factory=dict)
    by_modem: dict[str, float] = field(default_factory=dict)
    seconds: Mapping[int, float] = field(default_factory=dict)
    ended: Sequence[JobRecord] = ()


def see(store: Store, fit: Fit, known: Collection[int], now_ms: int, most: int | None = None) -> Seen:
    """Looks at the night. Of jobs that are not ``known`` it estimates the call, of so many at most at once: it takes
    a look at each meter's archives."""
    ended = store.end_windows(now_ms)
    jobs = store.calls_wanted(now_ms)
    serials = {job.serial for job in jobs}
    meters = {one.serial: one for one in store.meters(_of(serials))} if serials else {}
    seconds: dict[int, float] = {}
    for job in jobs:
        if most is not None and len(seconds) >= most:
            break
        if job.id not in known and job.serial in meters:
            seconds[job.id] = estimate(store, job, meters[job.serial], fit, now_ms).seconds
    by_meter, by_modem = store.air_time(now_ms - DAY_MS)
    return Seen(jobs, meters, store.plan_stops(now_ms), by_meter, by_modem, seconds, ended)


def _of(serials: Collection[str]) -> Filter:
    return Filter(serials=tuple(serials)) if len(serials) <= _FEW else Filter()


class Waiting:
    """Who waits for a modem, and what the plan must know of each."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._seen = Seen()
        self._seconds: dict[int, float] = {}
        self.queue = Queue()

    @property
    def estimated(self) -> frozenset[int]:
        """The jobs whose calls are estimated."""
        return frozenset(self._seconds)

    @property
    def persons(self) -> list[Candidate]:
        """Those of which a person waits for the end."""
        persons = {job.id for job in self._seen.jobs if job.origin is Origin.PERSON}
        return [one for one in self.queue if one.job in persons] if persons else []

    @property
    def unsure(self) -> bool:
        """Whether some calls are still to be estimated."""
        return any(job.id not in self._seconds and job.serial in self._seen.meters for job in self._seen.jobs)

    def update(self, seen: Seen, now_ms: int, *, without: Collection[int] = ()) -> None:
        """What the store says now; ``without`` are jobs that are being taken meanwhile."""
        self._seen = seen
        here = {job.id for job in seen.jobs}
        self._seconds = {job: one for job, one in {**self._seconds, **seen.seconds}.items() if job in here}
        self.queue = Queue(self.as_candidate(job, now_ms) for job in seen.jobs if job.id not in without)

    def add(self, job: JobRecord, now_ms: int) -> bool:
        """A job waits again; False if the store has to be asked, because its meter did not wait at the last look."""
        if job.serial not in self._seen.meters:
            return False
        self.queue.add(self.as_candidate(job, now_ms))
        return True

    def as_candidate(self, job: JobRecord, now_ms: int) -> Candidate:
        """A job as the plan counts with it."""
        seconds = self._seconds.get(job.id, UNKNOWN_S)
        used_s = self._seen.by_meter.get(job.serial, 0.0)
        return candidate(job, self._seen.meters.get(job.serial), seconds, self._rules, self._seen.stops, used_s, now_ms)

    def used_by(self, modem: str) -> float:
        """A modem's air time of the last 24 hours."""
        return self._seen.by_modem.get(modem, 0.0)

    def spend(self, serial: str, modem: str, seconds: float) -> None:
        """So much air time has been used since the store was asked."""
        for used, name in ((self._seen.by_meter, serial), (self._seen.by_modem, modem)):
            used[name] = used.get(name, 0.0) + seconds


def estimate(store: Store, job: JobRecord, meter: MeterRecord, fit: Fit, now_ms: int) -> Estimate:
    """How long the call for a job will take, by what is missing now and by the meter's earlier calls."""
    asked = fit(store, job, meter, now_ms)
    order = asked.order
    rows = rows_of(order) if order.ranges else USUAL_ROWS if "archive" in order.what and not asked.nothing else 0
    rows += USUAL_ROWS if "events" in order.what else 0
    return Estimate(rows, pace_of(store, meter.serial).seconds(rows), asked.nothing)


def pace_of(store: Store, serial: str) -> Pace:
    """What calls to a meter take, by its last ones."""
    return learnt(list(store.calls(Filter(serials=(serial,), newest_first=True, limit=_EARLIER))))


def rows_of(order: ReadOrder) -> int:
    """About how many rows an order's ranges hold: hours, and days of the daily archive."""
    rows = 0
    for archive, since, until in order.ranges:
        hours = int((until - since).total_seconds()) // 3600
        rows += hours // 24 + 1 if archive.startswith("daily") else 1 if archive.startswith("monthly") else hours + 1
    return rows


def candidate(
    job: JobRecord,
    meter: MeterRecord | None,
    seconds: float,
    rules: Rules,
    stops: Mapping[str, PlanStop],
    used_s: float,
    now_ms: int,
) -> Candidate:
    """A job as the plan counts with it. What a person ordered is called at any time and in spite of a stop."""
    person = job.origin is Origin.PERSON
    blocked = ""
    accepted: tuple[tuple[int, int], ...] = ()
    if meter is None:
        blocked = "the meter is not in the register"
    elif meter.state is not MeterState.ACTIVE:
        blocked = f"the meter is {meter.state.value}"
    elif not route_of(job, meter):
        blocked = "the meter has no route csd:NUMBER"
    elif not person and job.serial in stops:
        blocked = stops[job.serial].detail
    elif not person and any(one.holds_for(meter) for one in rules.acceptances):
        until = job.window_end_ms or now_ms + DAY_MS
        accepted = tuple(accepts(meter, rules.acceptances, min(job.due_ms, now_ms), until)) or _NEVER
    return Candidate(
        job.id,
        job.serial,
        seconds,
        job.next_ms,
        ANY_TIME if job.window_end_ms is None else job.window_end_ms,
        job.priority,
        job.tries,
        meter.group if meter is not None else "",
        operator_of(meter, rules.operators) if meter is not None else "",
        job.avoid,
        route_of(job, meter).partition("@")[2] if meter is not None else "",
        accepted,
        used_s,
        blocked,
    )


def route_of(job: JobRecord, meter: MeterRecord) -> str:
    """The number to be called, as a route; empty if there is none."""
    routes = (job.route,) if job.route else meter.routes
    return next((route for route in routes if route.startswith(CALLED)), "")


def operator_of(meter: MeterRecord, operators: Mapping[str, str]) -> str:
    """The SIM operator that must call a meter: its own, or that of the nearest group above it."""
    if meter.serial in operators:
        return operators[meter.serial]
    group = meter.group
    while group:
        if group in operators:
            return operators[group]
        group = group.rpartition("/")[0]
    return ""
