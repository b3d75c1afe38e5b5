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
from gateway_server.scheduler.loose_ends import loose_ends
from gateway_server.scheduler.night import Modem, Plan, Planned
from gateway_server.scheduler.obligations import Obligations
from gateway_server.scheduler.planning import job_of
from gateway_server.scheduler.schedules import Night, Schedule
from gateway_server.scheduler.waiting import Estimate, candidate, estimate
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import Filter, JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.store import Store

_RECENT_MS = 3 * DAY_MS  # no night that is still on was made before
_UNKNOWN_MS = 60_000  # how much longer a call is thought to last of which nothing is known
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
class InProgress:
    """A job that somebody is at. ``modem`` is empty without a call; ``end_ms`` is when it will probably be over."""

    job: JobRecord
    modem: str
    start_ms: int
    end_ms: int


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
    in_progress: tuple[InProgress, ...] = ()
    slips: tuple[str, ...] = ()  # what the operator says of meters and groups that are not there


def preview(store: Store, terms: DutyTerms, modems: Sequence[Modem], now_ms: int, night: date | None = None) -> Preview:
    """What will be done within a day from now, or in the night that begins on this day by the meters' clocks.

    Of a schedule that is due several times the first one that comes counts for each meter: what later ones ask for is
    what that leaves.
    """
    register = list(store.meters())
    meters = {one.serial: one for one in register if one.state is MeterState.ACTIVE}
    wanted, unreachable = _to_come(store, terms.schedules, meters.values(), now_ms, night)
    not_over = [*store.jobs(Filter(states=(JobState.QUEUED.value, JobState.RUNNING.value)))] if night is None else []
    open_jobs = {(job.schedule, job.serial) for job in not_over if job.schedule}
    jobs = [job for job in not_over if not _somebody_is_at(job, now_ms)] + [
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
        if said.nothing and job.origin is not Origin.PERSON:
            whole.add(job.serial)
        elif job.by_modem:
            used_s = by_meter.get(job.serial, 0.0)
            candidates.append(candidate(job, meter, said.seconds, terms.rules, stops, used_s, start_ms))
        else:
            lines.append(ByLine(job, said.rows))
    at_work = []
    for job in not_over:
        if _somebody_is_at(job, now_ms):
            meter = meters.get(job.serial)
            said = Estimate(0, 0.0) if meter is None else estimate(store, job, meter, obligations.fit, now_ms)
            rows[job.id] = said.rows
            at_work.append(_in_progress(store, job, said.seconds, now_ms))
    calls = [
        Planned(
            candidate(one.job, meters.get(one.job.serial), 0.0, terms.rules, stops, 0.0, now_ms),
            one.modem,
            one.start_ms,
            one.end_ms,
        )
        for one in at_work
        if one.modem
    ]
    taken = {call.modem for call in store.calls(Filter(states=("open",)))} if night is None else set()
    free = {name: now_ms + _UNKNOWN_MS for name in taken} | {call.modem: call.end_ms for call in calls}
    ready = [replace(one, used_s=by_modem.get(one.name, 0.0), free_ms=free.get(one.name, 0)) for one in modems]
    plan = planned(candidates, ready, terms.limits, start_ms, calls)
    so_far = tuple(_so_far(store, terms.schedules, now_ms)) if night is None else ()
    cards = [one.operator for one in modems]
    slips = loose_ends(register, terms.schedules, terms.rules, terms.terms, cards if all(cards) else ())
    return Preview(
        plan,
        {job.id: job for job in jobs},
        rows,
        tuple(lines),
        len(whole),
        tuple(unreachable),
        so_far,
        tuple(at_work),
        tuple(slips),
    )


def _somebody_is_at(job: JobRecord, now_ms: int) -> bool:
    return job.state is JobState.RUNNING and not job.waits and (job.lease_until_ms or 0) >= now_ms


def _in_progress(store: Store, job: JobRecord, seconds: float, now_ms: int) -> InProgress:
    """A job that somebody is at, with its call; no call is over before it has begun to end."""
    calls = store.calls(Filter(serials=(job.serial,), states=("open",), newest_first=True))
    call = next((one for one in calls if one.job == job.id), None)
    if call is None:
        return InProgress(job, "", now_ms, now_ms)
    return InProgress(job, call.modem, call.started_ms, max(call.started_ms + int(seconds * 1000), now_ms))


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
        nights: dict[str, list[Night]] = {}
        had = {(job.night, job.serial) for job in store.jobs(made)}
        for meter in known:
            if not schedule.wants(meter):
                continue
            if meter.time_zone not in nights:
                zone = ZoneInfo(meter.time_zone)
                nights[meter.time_zone] = (
                    schedule.nights(now_ms, zone) if day is None else schedule.nights_of(day, zone)
                )
            for night in nights[meter.time_zone]:
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
    under_way = f"{len(seen.in_progress)} in progress"
    if not plan.calls and not plan.left:
        return f"{under_way}, nobody else is to be called" if seen.in_progress else "nobody is to be called"
    parts = [under_way] if seen.in_progress else []
    parts += [f"{len(plan.calls)} calls, {plan.busy_s / 60:.0f} minutes in all on {modems} modems"]
    late = [one for one in plan.left if not one.candidate.blocked]
    parts.append("fits" if not late else f"{len(late)} do not fit")
    if blocked := len(plan.left) - len(late):
        parts.append(f"{blocked} must not be called")
    return ", ".join(parts)
