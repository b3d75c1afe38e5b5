"""``call``: the calls made by modem, and what each of them cost."""

from __future__ import annotations

from dataclasses import replace

import click

from gateway_server.cli import options as opt
from gateway_server.cli.call_sums import KEYS, say_total, sum_listing, sums
from gateway_server.cli.call_text import OPEN, call_listing, seen
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.model import CallResult
from gateway_server.store.records import Filter


@click.group()
def call() -> None:
    """Calls by modem."""


@call.command("list")
@opt.options(
    opt.meter_option,
    opt.from_option,
    opt.to_option,
    click.option("--state", "states", multiple=True, type=click.Choice([OPEN, "ended"]), help="Being made, or over."),
    click.option(
        "--outcome",
        "--result",
        "results",
        multiple=True,
        type=click.Choice([one.value for one in CallResult]),
        help="How it went.",
    ),
    click.option("--modem", "modems", multiple=True, metavar="NAME", help="Only this modem's; repeatable."),
    click.option("--sum-by", "by", type=click.Choice([*KEYS]), help="What they come to by this, instead of each."),
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
    modems: tuple[str, ...],
    by: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Calls made and taken, the newest first.

    Air time runs from CONNECT to the hang-up that was ordered; what a call cost, until the modem was on hook. A call
    that is being made says how far it is. The last line is the sum of all that were asked for, shown or not; a
    meter's day is by its own clock.
    """
    calls = invocation.config.calls
    with invocation.store() as store:
        zones = Zones(store)
        wanted = Filter(serials=meters, states=states, outcomes=results, names=modems, newest_first=True)
        wanted = opt.Period(since, until).narrow(wanted, invocation, zones)
        if by is not None:
            found = sums(store.calls(wanted), calls.price, KEYS[by](zones))
            sum_listing(by, calls.price, calls.currency).show(found[:limit], as_json=as_json, limit=limit)
            return
        shown = seen(store, store.calls(replace(wanted, limit=limit)), invocation.now_ms())
        call_listing(zones, calls.price, calls.currency).show(shown, as_json=as_json, limit=limit)
        if not as_json:
            say_total(store.call_total(wanted), calls.price, calls.currency)
