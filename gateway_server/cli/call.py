"""``call``: the calls made by modem, and what each of them cost."""

from __future__ import annotations

from decimal import Decimal

import click

from gateway_server.cli import options as opt
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import duration, local, rfc3339
from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord, Filter

_MINUTE_MS = 60_000
_OPEN = "open"


@click.group()
def call() -> None:
    """Calls by modem."""


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


def call_json(record: CallRecord, price: Decimal | None) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
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
    }


def call_listing(zones: Zones, price: Decimal | None, currency: str) -> Listing[CallRecord]:
    """How calls are listed."""

    def cells(record: CallRecord) -> tuple[str, ...]:
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
            record.result.value if record.result else _OPEN,
            str(record.bytes),
            str(record.attempt),
            *(() if price is None else ("" if cost is None else f"{cost} {currency}".rstrip(),)),
            str(record.session or ""),
            f"{record.detail} (cause {record.cause})" if record.cause else record.detail,
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
    return Listing("calls", lambda record: call_json(record, price), headings, cells, right)


@call.command("list")
@opt.options(
    opt.meter_option,
    opt.from_option,
    opt.to_option,
    click.option("--state", "states", multiple=True, type=click.Choice([_OPEN, "ended"]), help="Being made, or over."),
    click.option(
        "--outcome",
        "--result",
        "results",
        multiple=True,
        type=click.Choice([one.value for one in CallResult]),
        help="How it went.",
    ),
    opt.limit_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def list_calls(
    invocation: Invocation,
    meters: tuple[str, ...],
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    results: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Calls made and taken, the newest first.

    Air time runs from CONNECT to the hang-up that was ordered; what a call cost, until the modem was on hook.
    """
    calls = invocation.config.calls
    with invocation.store() as store:
        zones = Zones(store)
        wanted = Filter(serials=meters, states=states, outcomes=results, limit=limit, newest_first=True)
        found = store.calls(opt.Period(since, until).narrow(wanted, invocation, zones))
        call_listing(zones, calls.price, calls.currency).show(found, as_json=as_json, limit=limit)
