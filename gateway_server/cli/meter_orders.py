"""What is ordered of a meter and not done yet, and what it waits for, as `meter show` and `read` say it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import click

from gateway_server.cli.listing import JsonValue, print_table
from gateway_server.cli.moments import local, rfc3339
from gateway_server.store.records import Filter, JobRecord, JobState
from gateway_server.store.store import Store

_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)
WAITS = "waiting for the gateway"


def open_orders(store: Store, serial: str) -> list[tuple[JobRecord, str]]:
    """The orders of a meter that are not done yet, each with how far it is or what it waits for."""
    return [(job, stands(store, job)) for job in store.jobs(Filter(serials=(serial,), states=_OPEN))]


def stands(store: Store, job: JobRecord) -> str:
    """How far an order is, or what it waits for."""
    if job.state is not JobState.QUEUED:
        return job.progress or WAITS
    busy = Filter(serials=(job.serial,), states=(JobState.RUNNING.value,))
    other = next((one for one in store.jobs(busy) if one.id != job.id and not one.waits), None)
    if other is None:
        return job.progress or WAITS
    if not other.by_modem:
        return f"another session with this meter is running (order {other.id})"
    calls = store.calls(Filter(serials=(job.serial,), states=("open",), newest_first=True))
    modem = next((call.modem for call in calls if call.job == other.id), "")
    return f"another call with this meter is running ({f'modem {modem}' if modem else f'order {other.id}'})"


def orders_json(orders: Sequence[tuple[JobRecord, str]]) -> list[JsonValue]:
    """As `meter show --json` has them."""
    return [
        {
            "job": job.id,
            "schedule": job.schedule or None,
            "ordered": rfc3339(job.created_ms),
            "state": job.state.value,
            "progress": said,
            "done": job.progress_done,
            "total": job.progress_total,
            "next": rfc3339(job.next_ms),
            "window_end": rfc3339(job.window_end_ms),
            "attempts": job.attempts,
            "detail": job.detail,
        }
        for job, said in orders
    ]


def show_orders(orders: Sequence[tuple[JobRecord, str]], home: tzinfo) -> None:
    """As `meter show` has them."""
    click.echo("\nopen orders")
    print_table(
        ("order", "by", "since", "next", "stands"),
        (
            (
                str(job.id),
                job.schedule or "a person",
                local(job.created_ms, home),
                local(job.next_ms, home),
                "; ".join(filter(None, (f"{said}{_share(job)}", job.detail))),
            )
            for job, said in orders
        ),
        frozenset({"order"}),
    )


def _share(job: JobRecord) -> str:
    return f" ({job.progress_done} of {job.progress_total})" if job.progress_total else ""
