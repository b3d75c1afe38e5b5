"""What becomes of a job after a call: done, called again and when, or enough for this night."""

from __future__ import annotations

import logging
from dataclasses import replace

from gateway_server.model import CallResult, Outcome
from gateway_server.scheduler.jobs import Orders
from gateway_server.scheduler.obligations import Fitted
from gateway_server.scheduler.policy import Policy, Then, Verdict
from gateway_server.store.records import JobRecord, JobState
from gateway_server.store.store import Store
from gateway_server.transports.calls import CallEnd

logger = logging.getLogger(__name__)


class Aftermath:
    """Judges calls, and remembers how often in a row they went alike."""

    def __init__(self, orders: Orders, policy: Policy) -> None:
        self._orders = orders
        self._policy = policy
        self._same: dict[int, tuple[CallResult, int]] = {}  # by job

    def came(self, job: int, end: CallEnd) -> int:
        """A call is over; gives how often in a row it went like this."""
        before, times = self._same.get(job, (end.result, 0))
        same = times + 1 if before is end.result else 1
        self._same[job] = (end.result, same)
        return same

    def forget(self, job: int) -> None:
        """The job is over."""
        self._same.pop(job, None)

    def settle(
        self, store: Store, job: JobRecord, end: CallEnd, asked: Fitted, modem: str, same: int, now_ms: int
    ) -> JobRecord:
        """The job as it stands now, by what came of the call."""
        outcome = end.ending.outcome if end.ending is not None else Outcome.LINE_LOST
        stored = end.ending.stored if end.ending is not None else 0
        left = self._orders.settle(store, job, asked, outcome, now_ms)
        result = end.result
        if result is CallResult.OK and left:
            result = CallResult.LOST
        elif result in (CallResult.LOST, CallResult.OVER_BUDGET) and stored and asked.asked and not left:
            result = CallResult.OK  # the carrier went when everything had come
        verdict = self._policy.judge(
            result,
            job.attempts,
            job.tries,
            job.most_attempts,
            progressed=stored > 0,
            same=same,
            ours=end.our_fault,
        )
        job = _judged(job, end, outcome, verdict, modem, now_ms)
        if verdict.then is Then.STOP:
            until_ms = now_ms + int(verdict.rest_s * 1000) if verdict.rest_s else None
            store.stop_plan(job.serial, end.result, end.detail or verdict.why, now_ms, until_ms)
        if verdict.then is not Then.DONE:
            level = logging.ERROR if verdict.alarm else logging.WARNING
            logger.log(level, "meter %s, called by modem %s: %s", job.serial, modem, job.detail)
        return job


def _judged(job: JobRecord, end: CallEnd, outcome: Outcome, verdict: Verdict, modem: str, now_ms: int) -> JobRecord:
    """How a job stands after a call."""
    said = end.detail or end.result.value
    job = replace(
        job,
        attempts=verdict.attempts,
        tries=verdict.tries,
        result=end.result,
        outcome=outcome,
        detail=said,
        avoid=modem if verdict.other_modem else "",
    )
    if verdict.then is Then.DONE:
        return replace(job, state=JobState.DONE)
    again_ms = now_ms + int(verdict.gap_s * 1000)
    if verdict.then is Then.AGAIN and (job.window_end_ms is None or again_ms < job.window_end_ms):
        return replace(job, state=JobState.QUEUED, next_ms=again_ms, detail=f"{said}; {verdict.why}")
    if verdict.then is Then.AGAIN:
        return replace(job, state=JobState.FAILED, detail=f"{said}; its window ends before it could be called again")
    return replace(job, state=JobState.FAILED, detail=f"{said}; {verdict.why}")
