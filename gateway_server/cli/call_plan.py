"""``call plan``: what will be called tonight; ``call resume``: calling a meter again that nobody calls any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, say
from gateway_server.cli.invocation import Invocation, Zones, config_option, known, pass_invocation
from gateway_server.cli.listing import JsonValue, print_json, print_table
from gateway_server.cli.moments import local, rfc3339
from gateway_server.config import Config
from gateway_server.errors import OperatorError
from gateway_server.scheduler.night import Modem
from gateway_server.scheduler.preview import ByLine, InProgress, Preview, minutes_begun, preview, summary
from gateway_server.scheduler.schedules import in_groups
from gateway_server.store.modems import ModemRecord
from gateway_server.store.records import Filter
from gateway_server.store.store import Store


@click.command("plan")
@click.option("--night", metavar="DATE", help="The night that begins on this day, by the meters' clocks. [from now on]")
@opt.meter_option
@click.option("--group", metavar="PATH", help="Only this group and what is below it.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="The first N of each list. [terminal: 50, --json: all]"
)
@opt.json_option
@config_option
@pass_invocation
def call_plan(
    invocation: Invocation,
    night: str | None,
    meters: tuple[str, ...],
    group: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """What will be called, when, by which modem.

    And what cannot be called, and why. Calls take as long as the meter's earlier ones did, by the rows that are
    missing. While the gateway runs, modems that are out of service now are not counted with, but for a --night to
    come; a SIM card's operator is what the network last said, where `operator` does not say it. --meter and --group
    show a part of the whole night's plan.
    """
    try:
        day = date.fromisoformat(night) if night else None
    except ValueError:
        raise OperatorError(f"{night!r} is no day; write it like 2026-11-28") from None
    calls = invocation.config.calls
    with invocation.store() as store:
        modems, away = _in_service(invocation.config, store.modems(), now=day is None)
        seen = preview(store, invocation.config.duty_terms(), modems, invocation.now_ms(), day)
        zones = Zones(store)
        only = _only(store, meters, group)
        if as_json:
            print_json(plan_json(seen, len(modems), calls.price, only, limit, away))
            return
        _show(seen, zones, len(modems), only, limit or 50)
        for one in away:
            say(f"note: modem {one.name} is not counted with: {one.state}{f' ({one.why})' if one.why else ''}")
        for slip in seen.slips:
            say(f"note: {slip}")
        if calls.price is not None and seen.plan.calls:
            click.echo(f"\nabout {calls.price * minutes_begun(seen.plan)} {calls.currency}".rstrip())


def _in_service(config: Config, said: list[ModemRecord], *, now: bool) -> tuple[list[Modem], list[ModemRecord]]:
    """The modems of the configuration that may be counted with, and those that may not ``now``."""
    known = {one.name: one for one in said}
    away = [known[one.name] for one in config.modem if one.name in known and now and _is_away(known[one.name])]
    names = {one.name for one in away}
    operators = {name: one.operator for name, one in known.items()}
    modems = [Modem(one.name, one.operator or operators.get(one.name, "")) for one in config.modem]
    return [one for one in modems if one.name not in names], away


def _is_away(modem: ModemRecord) -> bool:
    return modem.live and modem.state in ("out", "waiting")


Only = Callable[[str], bool]
"""Whether a meter is to be shown."""


def _everybody(_: str) -> bool:
    return True


def _only(store: Store, meters: tuple[str, ...], group: str | None) -> Only:
    """Those of the command line."""
    if not meters and not group:
        return _everybody
    found = store.meters(Filter(serials=meters))
    serials = {one.serial for one in found if not group or in_groups(one.group, (group,))}
    return serials.__contains__


def plan_json(
    seen: Preview,
    modems: int,
    price: Decimal | None = None,
    only: Only = _everybody,
    limit: int | None = None,
    away: Sequence[ModemRecord] = (),
) -> dict[str, JsonValue]:
    """The night as one document; ``limit`` shortens each list, the figures are the whole night's."""
    calls: list[JsonValue] = [
        {
            **_job_json(seen, one.candidate.job),
            "place": place,
            "modem": one.modem,
            "start": rfc3339(one.start_ms),
            "end": rfc3339(one.end_ms),
            "expected_s": str((one.end_ms - one.start_ms) // 1000),
        }
        for place, one in enumerate(seen.plan.calls, 1)
        if only(one.candidate.serial)
    ]
    left: list[JsonValue] = [
        {**_job_json(seen, one.candidate.job), "why": one.why} for one in seen.plan.left if only(one.candidate.serial)
    ]
    left += [
        {"meter": meter, "schedule": schedule, "why": _UNREACHABLE}
        for meter, schedule in seen.unreachable
        if only(meter)
    ]
    return {
        "summary": summary(seen, modems),
        "modems": modems,
        "modems_out_of_service": [
            {"modem": one.name, "state": one.state, "why": one.why, "next_try": rfc3339(one.next_ms)} for one in away
        ],
        "cost": None if price is None else str(price * minutes_begun(seen.plan)),
        "so_far": dict(seen.so_far),
        "start": rfc3339(seen.plan.calls[0].start_ms) if seen.plan.calls else None,
        "end": rfc3339(seen.plan.end_ms) if seen.plan.calls else None,
        "in_progress": [_in_progress_json(seen, one) for one in seen.in_progress if only(one.job.serial)][:limit],
        "calls": calls[:limit],
        "not_called": left[:limit],
        "without_modem": [_line_json(one) for one in seen.lines if only(one.job.serial)][:limit],
        "nothing_missing": seen.whole,
        "slips": list(seen.slips),
    }


_UNREACHABLE = "the schedule may use none of the meter's routes"


def _job_json(seen: Preview, number: int) -> dict[str, JsonValue]:
    job = seen.jobs[number]
    return {
        "meter": job.serial,
        "schedule": job.schedule,
        "job": job.id if job.id > 0 else None,
        "attempt": job.attempts + 1,
        "rows": seen.rows.get(number, 0),
        "due": rfc3339(job.next_ms),
        "window_end": rfc3339(job.window_end_ms),
        "priority": job.priority,
    }


def _in_progress_json(seen: Preview, one: InProgress) -> dict[str, JsonValue]:
    return {
        "meter": one.job.serial,
        "schedule": one.job.schedule,
        "job": one.job.id,
        "modem": one.modem or None,
        "start": rfc3339(one.start_ms) if one.modem else None,
        "expected_end": rfc3339(one.end_ms) if one.modem else None,
        "rows": seen.rows.get(one.job.id, 0),
        "progress": one.job.progress,
        "done": one.job.progress_done,
        "total": one.job.progress_total,
    }


def _line_json(one: ByLine) -> dict[str, JsonValue]:
    return {
        "meter": one.job.serial,
        "schedule": one.job.schedule,
        "job": one.job.id if one.job.id > 0 else None,
        "due": rfc3339(one.job.next_ms),
        "window_end": rfc3339(one.job.window_end_ms),
        "rows": one.rows,
    }


def _show(seen: Preview, zones: Zones, modems: int, only: Only, limit: int) -> None:
    click.secho(summary(seen, modems), bold=True)
    if seen.so_far:
        click.echo("so far: " + ", ".join(f"{count} {words}" for words, count in seen.so_far))
    if seen.whole:
        click.echo(f"{seen.whole} meters miss nothing and are not called")
    home = zones.shared_by(())
    at_work = [one for one in seen.in_progress if only(one.job.serial)]
    if at_work:
        click.echo("\nin progress")
        print_table(
            ("modem", "since", "expected end", "meter", "schedule", "stands"),
            (
                (
                    one.modem,
                    local(one.start_ms, home) if one.modem else "",
                    local(one.end_ms, home) if one.modem else "",
                    one.job.serial,
                    one.job.schedule or "a person",
                    one.job.progress
                    + (f" ({one.job.progress_done} of {one.job.progress_total})" if one.job.progress_total else ""),
                )
                for one in at_work[:limit]
            ),
        )
        _more(len(at_work) - limit)
    calls = [(place, one) for place, one in enumerate(seen.plan.calls, 1) if only(one.candidate.serial)]
    if calls:
        click.echo("\nto be called" if at_work else "")
        print_table(
            ("", "start", "end", "modem", "meter", "rows", "attempt", "schedule"),
            (
                (
                    str(place),
                    local(one.start_ms, home),
                    local(one.end_ms, home),
                    one.modem,
                    one.candidate.serial,
                    str(seen.rows.get(one.candidate.job, 0)),
                    str(seen.jobs[one.candidate.job].attempts + 1),
                    seen.jobs[one.candidate.job].schedule or "a person",
                )
                for place, one in calls[:limit]
            ),
            frozenset({"", "rows", "attempt"}),
        )
        _more(len(calls) - limit)
    left = [(one.candidate.serial, seen.jobs[one.candidate.job].schedule, one.why) for one in seen.plan.left]
    left += [(meter, schedule, _UNREACHABLE) for meter, schedule in seen.unreachable]
    left = [row for row in left if only(row[0])]
    if left:
        click.echo("\nnot called")
        print_table(("meter", "schedule", "why"), left[:limit])
        _more(len(left) - limit)
    lines = [one for one in seen.lines if only(one.job.serial)]
    if lines:
        click.echo("\nread without a modem")
        print_table(
            ("due", "meter", "rows", "schedule"),
            (
                (local(one.job.next_ms, home), one.job.serial, str(one.rows), one.job.schedule or "a person")
                for one in lines[:limit]
            ),
            frozenset({"rows"}),
        )
        _more(len(lines) - limit)


def _more(count: int) -> None:
    if count > 0:
        say(f"and {count} more; --limit N shows N, --json everything")


@click.command("resume")
@click.argument("serial")
@click.option("--lost", is_flag=True, help="Ask once more for rows that the device was found not to have.")
@config_option
@pass_invocation
def call_resume(invocation: Invocation, serial: str, lost: bool) -> None:
    """Lets a meter be called again.

    After it refused (its access code) or its number was none, nobody calls it until this, or until what was wrong is
    changed in the register.
    """
    with invocation.store() as store:
        record = known(store, serial)
        resumed = store.resume_plan(record.serial)
        forgotten = store.ask_again(record.serial) if lost else 0
    if lost:
        click.echo(f"{forgotten} stretches that were thought lost are asked for again")
    if resumed:
        click.echo(f"meter {record.serial} is called again")
    elif not lost:
        raise Failed(
            f"meter {record.serial} was not stopped; `gateway-server meter show {record.serial}` says how it is"
        )
