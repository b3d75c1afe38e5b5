"""The jobs that are ours: told in the store how far they are, kept by their lease, given up when somebody cancels."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import GatewayError
from gateway_server.session.plan import Facilities
from gateway_server.session.session import Session
from gateway_server.store.records import JobRecord, JobState
from gateway_server.store.store import Store

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TELL_SECONDS = 0.5


class HeldJob:
    """One job that is ours, and the session that carries it out."""

    __slots__ = ("job", "session", "told_at")

    def __init__(self, job: JobRecord) -> None:
        self.job = job
        self.session: Session | None = None
        self.told_at = float("-inf")


class Books:
    """Writes to the store how jobs of ours go. ``cancelled`` hears of one that somebody cancelled, or took over."""

    def __init__(self, facilities: Facilities, lease_seconds: float, cancelled: Callable[[HeldJob, str], None]) -> None:
        self._facilities = facilities
        self.lease_ms = int(lease_seconds * 1000)
        self._cancelled = cancelled
        self._failing = False

    def tell(self, held: HeldJob, progress: Progress, *, at_once: bool = False) -> None:
        """How far a job is."""
        held.job = replace(held.job, progress=progress.text, progress_done=progress.done, progress_total=progress.total)
        now = self._facilities.clock.seconds()
        if at_once or now - held.told_at >= _TELL_SECONDS:
            held.told_at = now
            self.renew(held)

    def renew(self, held: HeldJob) -> None:
        """Writes how far a job is, keeps it ours, and hears whether it is not any more."""
        job = replace(held.job, state=JobState.RUNNING, lease_until_ms=self._facilities.now_ms() + self.lease_ms)
        session = held.session

        def work(store: Store) -> bool:
            store.update_job(replace(job, session=session.key.id if session is not None else job.session))
            stored = store.job(job.id)
            return stored is not None and stored.state is JobState.CANCELLED

        def heard(cancelled: bool | GatewayError) -> None:
            failed = isinstance(cancelled, GatewayError)
            if failed and not self._failing:  # once, until it succeeds again
                logger.warning("how far order %d is could not be stored: %s", job.id, cancelled)
            self._failing = failed
            if cancelled is True:
                self._cancelled(held, "the order was cancelled")

        self._facilities.writer.call(work, heard)

    def close(
        self,
        held: HeldJob,
        job: JobRecord,
        settle: Callable[[Store, JobRecord], JobRecord] | None = None,
        done: Callable[[JobRecord], None] | None = None,
    ) -> None:
        """Writes how a job went; ``settle`` may look at what came of it, and change that. ``done`` hears how it is now,
        unless it could not be written."""
        session = held.session

        def work(store: Store) -> JobRecord:
            over = replace(job, session=session.key.id if session is not None else job.session)
            settled = over if settle is None else settle(store, over)
            store.update_job(settled)
            return settled

        def heard(settled: JobRecord | GatewayError) -> None:
            if isinstance(settled, GatewayError):
                logger.warning("how order %d went could not be stored: %s", job.id, settled)
            elif done is not None:
                done(settled)

        self._facilities.writer.call(work, heard)
