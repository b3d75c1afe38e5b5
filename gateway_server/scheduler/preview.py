"""The night before it is: which calls will be made, in which order, by which modem, and which cannot, and why.

Nothing is written: what the schedules will want is put beside the jobs that wait already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from gateway_server.model import MeterState
from gateway_server.scheduler.duty import DutyTerms
from gateway_server.scheduler.forecast import planned
from gateway_server.scheduler.grid import DAY_MS
from gateway_server.scheduler.night import Modem, Plan
from gateway_server.scheduler.obligations import Obligations
from gateway_server.scheduler.planning import job_of
from gateway_server.scheduler.schedules import Schedule
from gateway_server.scheduler.waiting import Estimate, candidate, estimate
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import Filter, JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.store import Store

_RECENT_MS = 3 * DAY_MS  # no night that is still on was made before
_UNMADE = 1_000_000_000  # jobs that are not in the store yet have numbers below zero, in their order


_STANDS = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "in progress",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class ByLine:
    """A job that needs no modem."""

    job: JobRecord
    rows: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A night as it is to be expected. ``jobs`` and ``rows`` are by the number of the candidate."""

    plan: Plan
    jobs: dict[int, JobRecord]
    rows: dict[int, int]
    lines: tuple[ByLine, ...] = ()
    whole: int = 0  # meters that miss nothing, and are not called
    unreachable: tuple[tuple[str, str], ...] = ()  # meter and schedule
    so_far: tuple[tuple[str, int], ...] = ()  # how the jobs of the nights that are on stand, in words


def preview(store: Store, terms: DutyTerms, modems: Sequence[Modem], now_ms: int, night: date | None = None) -> Preview:
    """What will be done within a day from now, or in the night that begins on this day by the meters' clocks.

    Of a schedule that is due several times the first one that comes counts for each meter: what later ones ask for is
    what that leaves.
    """
    meters = {one.serial: one for one in store.meters(Filter(states=(MeterState.ACTIVE.value,)))}
    wanted, unreachable = _to_come(store, terms.schedules, meters.values(), now_ms, night)
    waiting = [*store.jobs(Filter(states=(JobState.QUEUED.value, JobState.RUNNING.value)))] if night is None else []
    open_jobs = {(job.schedule, job.serial) for job in waiting if job.schedule}
    jobs = waiting + [
        _as_record(number - _UNMADE, one, now_ms)
        for number, one in enumerate(wanted)
        if (one.schedule, one.serial) not in open_jobs
    ]
    start_ms = min((job.due_ms for job in jobs), default=now_ms)
    start_ms = max(start_ms, now_ms)
    obligations = Obligations(terms.terms, terms.budget)
    stops = store.plan_stops(start_ms)
    by_meter, by_modem = store.air_time(start_ms - DAY_MS)
    rows: dict[int, int] = {}
    candidates, lines = [], []
    whole: set[str] = set()
    for job in jobs:
        meter = meters.get(job.serial) or store.meter(job.serial)
        said = Estimate(0, 0.0) if meter is None else estimate(store, job, meter, obligations.fit, start_ms)
        rows[job.id] = said.rows
        if (
            meter is not None
            and job.origin is not Origin.PERSON
            and obligations.fit(store, job, meter, start_ms).nothing
        ):
            whole.add(job.serial)
        elif job.by_modem:
            used_s = by_meter.get(job.serial, 0.0)
            candidates.append(candidate(job, meter, said.seconds, terms.rules, stops, used_s, start_ms))
        else:
            lines.append(ByLine(job, said.rows))
    ready = [replace(modem, used_s=by_modem.get(modem.name, 0.0)) for modem in modems]
    plan = planned(candidates, ready, terms.limits, start_ms)
    so_far = tuple(_so_far(store, terms.schedules, now_ms)) if night is None else ()
    return Preview(plan, {job.id: job for job in jobs}, rows, tuple(lines), len(whole), tuple(unreachable), so_far)


def _so_far(store: Store, schedules: Sequence[Schedule], now_ms: int) -> list[tuple[str, int]]:
    """How the jobs of the nights that are on stand: done, and what keeps the others from it."""
    if not schedules:
        return []
    on = Filter(names=tuple(one.name for one in schedules), since_ms=now_ms - _RECENT_MS)
    counts = Counter[str]()
    for job in store.jobs(on):
        if job.window_end_ms is not None and job.due_ms <= now_ms < job.window_end_ms:
            last = f", last {job.result.value}" if job.result is not None and job.state is not JobState.DONE else ""
            counts[f"{_STANDS[job.state]}{last}"] += 1
    return counts.most_common()


def _to_come(
    store: Store, schedules: Iterable[Schedule], meters: Iterable[MeterRecord], now_ms: int, day: date | None
) -> tuple[list[JobToMake], list[tuple[str, str]]]:
    wanted: list[JobToMake] = []
    unreachable: list[tuple[str, str]] = []
    known = list(meters)
    for schedule in schedules:
        made = Filter(names=(schedule.name,), since_ms=now_ms - _RECENT_MS)
        had = {(job.night, job.serial) for job in store.jobs(made)}
        for meter in known:
            if not schedule.wants(meter):
                continue
            zone = ZoneInfo(meter.time_zone)
            for night in schedule.nights(now_ms, zone) if day is None else schedule.nights_of(day, zone):
                job = job_of(schedule, meter, night)
                if job is None:
                    unreachable.append((meter.serial, schedule.name))
                elif (night.key, meter.serial) not in had or day is not None:
                    wanted.append(job)
                    break
    return wanted, list(dict.fromkeys(unreachable))


def _as_record(number: int, job: JobToMake, now_ms: int) -> JobRecord:
    return JobRecord(
        number,
        job.serial,
        job.order,
        job.route,
        JobState.QUEUED,
        now_ms,
        due_ms=job.due_ms,
        window_end_ms=job.window_end_ms,
        next_ms=job.due_ms,
        priority=job.priority,
        most_attempts=job.most_attempts,
        by_modem=job.by_modem,
        origin=job.origin,
        schedule=job.schedule,
        night=job.night,
    )


def minutes_begun(plan: Plan) -> int:
    """What is paid for, where every started minute is: set-up is not, and is counted all the same."""
    return sum(-(-(call.end_ms - call.start_ms) // 60_000) for call in plan.calls)


def summary(seen: Preview, modems: int) -> str:
    """The night in one line: how many calls, how long, and whether it fits."""
    plan = seen.plan
    if not plan.calls and not plan.left:
        return "nobody is to be called"
    parts = [f"{len(plan.calls)} calls, {plan.busy_s / 60:.0f} minutes in all on {modems} modems"]
    late = [one for one in plan.left if not one.candidate.blocked]
    parts.append("fits" if not late else f"{len(late)} do not fit")
    if blocked := len(plan.left) - len(late):
        parts.append(f"{blocked} must not be called")
    return ", ".join(parts)
