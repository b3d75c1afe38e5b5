"""How calls by modem are shown: their fields, their columns, what each cost, and how far one is that is being made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import duration, local, rfc3339
from gateway_server.model import Direction
from gateway_server.store.records import CallRecord, JobRecord
from gateway_server.store.store import Store

_MINUTE_MS = 60_000
OPEN = "open"
_OF_THE_METER = frozenset({Direction.TO_METER, Direction.FROM_METER})


def cost_of(record: CallRecord, price: Decimal | None) -> Decimal | None:
    """What a call cost, by started minute from CONNECT until the modem was on hook.

    None if nobody said what a minute costs, and while it lasts. A call taken costs the caller.
    """
    if price is None or record.inbound or record.ended_ms is None:
        return None
    return price * -(-record.paid_ms // _MINUTE_MS)


def airtime_text(airtime_ms: int) -> str:
    """Seconds of air time as an exact decimal."""
    return f"{airtime_ms // 1000}.{airtime_ms % 1000:03}"


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call as it is now, and of one that is being made the job that says how far it is."""

    record: CallRecord
    job: JobRecord | None = None

    @property
    def progress(self) -> str:
        """How far it is, in words; empty when it is over."""
        if self.job is None:
            return ""
        share = f" ({self.job.progress_done} of {self.job.progress_total})" if self.job.progress_total else ""
        return f"{self.job.progress}{share}"


def seen(store: Store, calls: Iterable[CallRecord], now_ms: int) -> Iterator[SeenCall]:
    """The calls; of those that are being made air time and bytes are what they are by now."""
    for record in calls:
        if record.ended_ms is not None:
            yield SeenCall(record)
            continue
        log = store.session_log(record.session) if record.session else ()
        octets = sum(len(entry.data) for entry in log if entry.direction in _OF_THE_METER)
        airtime_ms = 0 if record.connected_ms is None else max(now_ms - record.connected_ms, 0)
        job = store.job(record.job) if record.job else None
        yield SeenCall(replace(record, bytes=octets, airtime_ms=airtime_ms), job)


def call_json(one: SeenCall, price: Decimal | None) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
    record, job = one.record, one.job
    cost = cost_of(record, price)
    return {
        "id": record.id,
        "meter": record.meter,
        "modem": record.modem,
        "number": record.number,
        "started": rfc3339(record.started_ms),
        "connected": rfc3339(record.connected_ms),
        "ended": rfc3339(record.ended_ms),
        "result": record.result.value if record.result else None,
        "bytes": record.bytes,
        "airtime_s": airtime_text(record.airtime_ms),
        "attempt": record.attempt,
        "cause": record.cause,
        "detail": record.detail,
        "session": record.session or None,
        "job": record.job or None,
        "bearer": record.bearer,
        "operator": record.operator,
        "signal": record.signal,
        "inbound": record.inbound,
        "paid_s": airtime_text(record.paid_ms),
        "cost": None if cost is None else str(cost),
        "progress": one.progress if job is not None else None,
        "done": job.progress_done if job is not None else None,
        "total": job.progress_total if job is not None else None,
    }


def call_listing(zones: Zones, price: Decimal | None, currency: str) -> Listing[SeenCall]:
    """How calls are listed."""

    def cells(one: SeenCall) -> tuple[str, ...]:
        record = one.record
        cost = cost_of(record, price)
        took = record.connected_ms - record.started_ms if record.connected_ms is not None else None
        return (
            str(record.id),
            record.meter or "?",
            record.modem,
            f"{'from ' if record.inbound else ''}{record.number or 'hidden'}",
            local(record.started_ms, zones.of(record.meter)),
            "" if took is None else duration(took),
            duration(record.airtime_ms) if record.airtime_ms else "",
            record.result.value if record.result else OPEN,
            str(record.bytes),
            str(record.attempt),
            *(() if price is None else ("" if cost is None else f"{cost} {currency}".rstrip(),)),
            str(record.session or ""),
            one.progress or (f"{record.detail} (cause {record.cause})" if record.cause else record.detail),
        )

    headings: tuple[str, ...] = (
        "id",
        "meter",
        "modem",
        "number",
        "started",
        "set-up",
        "air time",
        "result",
        "bytes",
        "attempt",
    )
    headings += (() if price is None else ("cost",)) + ("session", "detail")
    right = frozenset({"id", "set-up", "air time", "bytes", "attempt", "cost", "session"})
    return Listing("calls", lambda one: call_json(one, price), headings, cells, right)
