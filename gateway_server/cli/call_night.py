"""``call night``: what the last night brought, and which meters and modems need a person now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import click

from gateway_server.cli import options as opt
from gateway_server.cli.call_text import cost_of
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.listing import JsonValue, print_json, print_table
from gateway_server.cli.moments import duration, rfc3339
from gateway_server.cli.why import Standing, standing
from gateway_server.model import CallResult, MeterState
from gateway_server.store.plan_records import PlanStop
from gateway_server.store.records import CallRecord, Filter, JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.store import Store

_HOUR_MS = 3_600_000
_LAST = 10
_TERMINAL_LIMIT = 50
_OPEN = (JobState.QUEUED, JobState.RUNNING)
_OURS = frozenset({CallResult.MODEM_FAULT, CallResult.NO_DIALTONE, CallResult.BARRED})
_FEW_CALLS = 3
_TOO_FULL = "`gateway-server call plan` says what does not fit into a night, and why"


@dataclass(frozen=True, slots=True)
class Attention:
    """A meter that the night did not serve, and what is to be done about it."""

    meter: MeterRecord
    said: Standing
    job: JobRecord | None


@dataclass(frozen=True, slots=True)
class Night:
    """What was wanted since a time, and what came of it. ``read``, ``failed`` and ``waiting`` count meters."""

    since_ms: int
    until_ms: int
    read: int
    failed: int
    waiting: int
    calls: tuple[CallRecord, ...]
    attention: tuple[Attention, ...]

    @property
    def results(self) -> Counter[str]:
        """Calls by how they went."""
        return Counter(call.result.value for call in self.calls if call.result is not None)

    @property
    def airtime_ms(self) -> int:
        """What was paid for."""
        return sum(call.airtime_ms for call in self.calls if not call.inbound)

    @property
    def bad_modems(self) -> dict[str, tuple[int, int]]:
        """Modems of which at least every second call failed by their own fault: how many, of how many."""
        ended = [call for call in self.calls if call.result is not None and not call.inbound]
        made = Counter(call.modem for call in ended)
        failed = Counter(call.modem for call in ended if call.result in _OURS)
        return {
            modem: (failed[modem], count)
            for modem, count in sorted(made.items())
            if failed[modem] >= _FEW_CALLS and 2 * failed[modem] >= count
        }


def night_of(store: Store, since_ms: int, now_ms: int) -> Night:
    """Looks at what schedules wanted since then, meter by meter: the last job of each counts."""
    last: dict[str, JobRecord] = {}
    for job in store.jobs(Filter(since_ms=since_ms, until_ms=now_ms)):
        if job.origin is Origin.SCHEDULE and job.state is not JobState.CANCELLED:
            before = last.get(job.serial)
            # a later job that only waits does not hide how the one before it ended
            if before is None or before.state in _OPEN or job.state not in _OPEN:
                last[job.serial] = job
    calls = tuple(store.calls(Filter(since_ms=since_ms, until_ms=now_ms)))
    stops = store.plan_stops(now_ms)
    states = Counter(job.state for job in last.values())
    failed = [serial for serial, job in last.items() if job.state is JobState.FAILED]
    attention = [
        _attention(store, meter, last.get(serial), stops.get(serial), now_ms)
        for serial in dict.fromkeys([*stops, *failed])
        if (meter := store.meter(serial)) is not None and meter.state is MeterState.ACTIVE
    ]
    waiting = sum(states[state] for state in _OPEN)
    return Night(since_ms, now_ms, states[JobState.DONE], states[JobState.FAILED], waiting, calls, tuple(attention))


def _attention(
    store: Store, meter: MeterRecord, job: JobRecord | None, stop: PlanStop | None, now_ms: int
) -> Attention:
    mine = Filter(serials=(meter.serial,), limit=_LAST, newest_first=True)
    said = standing(meter, list(store.sessions(mine)), now_ms, list(store.calls(mine)), stop)
    if job is not None and stop is None and not job.tries:
        said = Standing(False, f"nobody came to it: {job.detail}", said.verdict, _TOO_FULL)
    elif job is not None and said.well:
        step = f"`gateway-server read {meter.serial}` asks now"
        said = Standing(False, f"not read: {job.detail}", said.verdict, step)
    return Attention(meter, said, job)


@click.command("night")
@click.option(
    "--hours", type=click.IntRange(1, 24 * 31), default=24, show_default=True, metavar="N", help="How far back."
)
@opt.limit_option
@opt.json_option
@config_option
@pass_invocation
def call_night(invocation: Invocation, hours: int, limit: int | None, as_json: bool) -> None:
    """What the last night brought, and who needs a person.

    Meters that were not read, and those that nobody calls any more, each with why and what to do; modems that failed.
    `call plan` is the night to come.
    """
    now_ms = invocation.now_ms()
    calls = invocation.config.calls
    with invocation.store() as store:
        night = night_of(store, now_ms - hours * _HOUR_MS, now_ms)
    cost = _cost(night.calls, calls.price)
    if as_json:
        print_json(night_json(night, cost))
        return
    click.secho(_summary(night, hours), bold=True)
    if night.calls:
        paid = f", {cost} {calls.currency}".rstrip() if cost is not None else ""
        went = ", ".join(f"{count} {result}" for result, count in night.results.most_common())
        click.echo(
            f"{len(night.calls)} calls, {duration(night.airtime_ms)} of air time{paid}: {went or 'none over yet'}"
        )
    for modem, (failed, made) in night.bad_modems.items():
        click.secho(f"modem {modem}: {failed} of {made} calls failed by its own fault", fg="red")
        click.echo(
            "  look at its SIM, antenna and supply; `gateway-server call list --result modem_fault` has the details"
        )
    _show(night.attention, limit or _TERMINAL_LIMIT)


def _summary(night: Night, hours: int) -> str:
    wanted = night.read + night.failed + night.waiting
    if not wanted:
        return f"no schedule wanted anything in the last {hours} h"
    said = f"{night.read} of {wanted} meters read in the last {hours} h"
    said += f", {night.failed} not" if night.failed else ""
    return said + (f", {night.waiting} still wait" if night.waiting else "")


def _show(attention: Sequence[Attention], limit: int) -> None:
    if not attention:
        click.echo("no meter needs a person")
        return
    click.echo()
    shown = attention[:limit]
    print_table(
        ("meter", "name", "what is wrong", "what to do"),
        ((one.meter.serial, one.meter.name, one.said.verdict, one.said.next_step) for one in shown),
    )
    if len(shown) < len(attention):
        click.echo(f"and {len(attention) - len(shown)} more; --limit N shows N, --json everything", err=True)
    click.echo("\n`gateway-server meter show SERIAL` has the evidence")


def night_json(night: Night, cost: Decimal | None) -> dict[str, JsonValue]:
    """The same as one document."""
    return {
        "from": rfc3339(night.since_ms),
        "to": rfc3339(night.until_ms),
        "meters_read": night.read,
        "meters_not_read": night.failed,
        "meters_waiting": night.waiting,
        "calls": len(night.calls),
        "results": dict(night.results),
        "airtime_s": f"{night.airtime_ms // 1000}.{night.airtime_ms % 1000:03}",
        "cost": None if cost is None else str(cost),
        "modems": [
            {"modem": modem, "calls": made, "failed_by_its_own_fault": failed}
            for modem, (failed, made) in night.bad_modems.items()
        ],
        "attention": [
            {
                "meter": one.meter.serial,
                "name": one.meter.name,
                "group": one.meter.group,
                "job": one.job.id if one.job is not None else None,
                "attempts": one.job.attempts if one.job is not None else None,
                "verdict": one.said.verdict,
                "evidence": one.said.evidence,
                "next_step": one.said.next_step,
            }
            for one in night.attention
        ],
    }


def _cost(calls: Iterable[CallRecord], price: Decimal | None) -> Decimal | None:
    paid = [cost for call in calls if (cost := cost_of(call, price)) is not None]
    return None if price is None else sum(paid, Decimal(0))
