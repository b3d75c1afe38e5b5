"""Following an order that the running gateway carries out, through the store."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gateway_server.cli.errors import Failed
from gateway_server.cli.meter_orders import stands
from gateway_server.store.records import JobRecord, JobState
from gateway_server.store.sql import SqlStore

_LOOK_SECONDS = 0.25
_ASK_EVERY = 20  # looks
_GONE = 3  # times asked in a row: 15 s, a restart takes less
_OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


def _pause() -> None:
    threading.Event().wait(_LOOK_SECONDS)


def follow_job(
    store: SqlStore,
    number: int,
    show: Callable[[str, int, int], None],
    runs: Callable[[], bool],
    pause: Callable[[], None] = _pause,
) -> JobRecord:
    """Waits until the order is over; ``show`` is told how far it is, ``pause`` waits before the next look.

    ``runs`` says whether the gateway is there; when it stays away the order is left to its next start.
    """
    looks = gone = 0
    while True:
        job = store.job(number)
        if job is None:
            raise Failed(f"order {number} is no longer in the store")
        if job.state is JobState.CANCELLED:
            raise Failed(f"order {number} was cancelled")
        if job.state in _OVER:
            return job
        looks += 1
        if looks % _ASK_EVERY == 0:
            gone = 0 if runs() else gone + 1
            if gone == _GONE:
                raise Failed(f"the gateway has ended; order {number} is kept and carried out when it runs again")
        show(stands(store, job), job.progress_done, job.progress_total)
        pause()
