"""Following an order that the running gateway carries out, through the store."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gateway_server.cli.errors import Failed
from gateway_server.store.records import JobRecord, JobState
from gateway_server.store.sql import SqlStore

_LOOK_SECONDS = 0.25
_OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


def _pause() -> None:
    threading.Event().wait(_LOOK_SECONDS)


def follow_job(
    store: SqlStore, number: int, show: Callable[[str, int, int], None], pause: Callable[[], None] = _pause
) -> JobRecord:
    """Waits until the order is over; ``show`` is told how far it is, ``pause`` waits before the next look."""
    while True:
        job = store.job(number)
        if job is None:
            raise Failed(f"order {number} is no longer in the store")
        if job.state is JobState.CANCELLED:
            raise Failed(f"order {number} was cancelled")
        if job.state in _OVER:
            return job
        show(job.progress or "waiting for the gateway", job.progress_done, job.progress_total)
        pause()
