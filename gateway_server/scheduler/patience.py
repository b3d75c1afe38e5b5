"""Tells who ordered a call why nobody makes it yet, and gives the order up in time.

It is given up when for so long no modem could have called, by what it is or by what the operator allows. Modems that
are in calls, and limits that let it be called after others, are waited for: its turn comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gateway_server.errors import GatewayError
from gateway_server.model import Outcome
from gateway_server.scheduler.board import Board, Kind, Obstacle
from gateway_server.scheduler.night import LEAST_CALL_S, Candidate, Modem
from gateway_server.session.plan import Facilities
from gateway_server.store.records import JobRecord, JobState
from gateway_server.store.store import Store
from gateway_server.transports.calls import ModemView

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why nobody makes a call now. ``lasts``: the end of another call does not mend it."""

    text: str
    lasts: bool = True


def hindrance(
    one: Candidate,
    views: Sequence[ModemView],
    board: Board,
    as_modem: Callable[[ModemView], Modem],
    calling: Collection[str],
    now_ms: int,
) -> Hindrance | None:
    """What keeps this job from being called; None if it is called at once. ``calling``: modems in calls of ours."""
    limits = board.limits
    if one.blocked:
        return Hindrance(one.blocked)
    named = [view for view in views if one.modem in ("", view.name)]
    if not named:
        names = ", ".join(view.name for view in views) or "none"
        return Hindrance(f"its route names modem {one.modem}; configured are {names}")
    may = [view for view in named if one.operator in ("", view.operator)]
    if not may:
        return Hindrance(f"no modem has a SIM card of {one.operator} ({_states(named)})")
    if limits.meter_day_s and limits.meter_day_s - one.used_s < LEAST_CALL_S:
        spent = f"{one.used_s:.0f} s, per_meter_and_day = {limits.meter_day_s:g}"
        return Hindrance(f"the meter's air time of 24 hours is used up ({spent})")
    if board.calls(one.serial):
        return Hindrance("another call with this meter is running", lasts=False)
    if (opens_ms := one.opens_at(now_ms)) is not None and opens_ms > now_ms:
        return Hindrance(f"called again in {(opens_ms - now_ms) / 1000:.0f} s", lasts=False)
    obstacles = {view.name: board.obstacle(Kind.of(one), as_modem(view), now_ms) for view in may if view.ready}
    if obstacles:
        found = next((obstacle for obstacle in obstacles.values() if obstacle is not None), None)
        if found is None or None in obstacles.values():
            return None
        view = next(view for view in may if view.ready)
        return Hindrance(found.said(Kind.of(one), as_modem(view), limits), lasts=found is Obstacle.MODEM_DAY)
    at_work = [view for view in may if not view.why or view.name in calling]
    return Hindrance(_states(at_work or may), lasts=not at_work)


def _states(views: Iterable[ModemView]) -> str:
    return "; ".join(
        f"modem {view.name}: {view.state}{f' ({view.why})' if view.why else ''}"
        f"{f', SIM card of {view.operator}' if view.operator else ''}"
        for view in views
    )


class Patience:
    """The orders of persons that wait for a modem. ``gave_up`` hears when one waits no longer."""

    def __init__(self, facilities: Facilities, seconds: float, gave_up: Callable[[], None]) -> None:
        self._facilities = facilities
        self._seconds = seconds
        self._gave_up = gave_up
        self._since: dict[int, float] = {}
        self._told: dict[int, str] = {}

    def look(self, waiting: Iterable[tuple[int, Hindrance | None]]) -> None:
        """These wait, by the numbers of their jobs."""
        now = self._facilities.clock.seconds()
        since: dict[int, float] = {}
        told: dict[int, str] = {}
        for job, what in waiting:
            if what is None:
                continue
            if what.lasts:
                since[job] = self._since.get(job, now)
            if what.lasts and now - since[job] >= self._seconds:
                why = f"no modem could call it for {self._seconds:.0f} s (wait_for_modem): {what.text}"
                self._write(job, partial(_failed, why=why), self._gave_up)
                continue
            told[job] = what.text
            if self._told.get(job) != what.text:
                self._write(job, partial(_waits, why=what.text))
        self._since, self._told = since, told

    def _write(
        self, number: int, change: Callable[[JobRecord], JobRecord], done: Callable[[], None] | None = None
    ) -> None:
        def work(store: Store) -> None:
            job = store.job(number)
            if job is not None and job.state is JobState.QUEUED:  # else somebody took it, or cancelled it
                store.update_job(change(job))

        def written(failed: GatewayError | None) -> None:
            if isinstance(failed, GatewayError):
                logger.warning("why order %d waits could not be stored: %s", number, failed)
                self._told.pop(number, None)
            elif done is not None:
                done()

        self._facilities.writer.call(work, written)


def _waits(job: JobRecord, why: str) -> JobRecord:
    return replace(job, progress=f"waits for a modem: {why}")


def _failed(job: JobRecord, why: str) -> JobRecord:
    return replace(job, state=JobState.FAILED, outcome=Outcome.LINE_LOST, detail=why, progress="")
