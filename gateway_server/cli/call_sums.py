"""What calls come to, all in all or by modem, meter, day or SIM operator: how many, how long, what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import click

from gateway_server.cli.call_text import airtime_text, cost_of
from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import at, duration
from gateway_server.model import CallResult
from gateway_server.store.calls import CallTotal
from gateway_server.store.records import CallRecord


@dataclass(slots=True)
class CallSum:
    """Calls that are over or being made; only those we made cost, and have air time here."""

    key: str = ""
    calls: int = 0
    taken: int = 0
    ok: int = 0
    airtime_ms: int = 0
    paid_ms: int = 0
    cost: Decimal = Decimal(0)

    def add(self, call: CallRecord, price: Decimal | None) -> None:
        """One more."""
        self.calls += 1
        self.ok += call.result is CallResult.OK
        if call.inbound:
            self.taken += 1
            return
        self.airtime_ms += call.airtime_ms
        self.paid_ms += call.paid_ms
        self.cost += cost_of(call, price) or 0


def _by_day(zones: Zones) -> Callable[[CallRecord], str]:
    return lambda call: at(call.started_ms).astimezone(zones.of(call.meter)).date().isoformat()


KEYS: dict[str, Callable[[Zones], Callable[[CallRecord], str]]] = {
    "modem": lambda _: lambda call: call.modem,
    "meter": lambda _: lambda call: call.meter,
    "day": _by_day,
    "operator": lambda _: lambda call: call.operator,
}


def sums(calls: Iterable[CallRecord], price: Decimal | None, key: Callable[[CallRecord], str]) -> list[CallSum]:
    """The calls by their keys, in the order of these."""
    found: dict[str, CallSum] = {}
    for call in calls:
        name = key(call)
        found.setdefault(name, CallSum(name)).add(call, price)
    return [found[name] for name in sorted(found)]


def sum_json(one: CallSum, by: str, price: Decimal | None) -> dict[str, JsonValue]:
    """A sum as a document; its first field is what it is by."""
    return {
        by: one.key,
        "calls": one.calls,
        "taken": one.taken,
        "ok": one.ok,
        "airtime_s": airtime_text(one.airtime_ms),
        "paid_s": airtime_text(one.paid_ms),
        "cost": None if price is None else str(one.cost),
    }


def sum_listing(by: str, price: Decimal | None, currency: str) -> Listing[CallSum]:
    """How sums are listed."""

    def cells(one: CallSum) -> tuple[str, ...]:
        return (
            one.key or "?",
            str(one.calls),
            str(one.taken),
            str(one.ok),
            duration(one.airtime_ms),
            duration(one.paid_ms),
            *(() if price is None else (f"{one.cost} {currency}".rstrip(),)),
        )

    headings = (by, "calls", "taken", "ok", "air time", "paid", *(() if price is None else ("cost",)))
    return Listing("calls", lambda one: sum_json(one, by, price), headings, cells, frozenset(headings[1:]))


def say_total(total: CallTotal, price: Decimal | None, currency: str) -> None:
    """All of them in one line; nothing if there are none."""
    if not total.calls:
        return
    cost = "" if price is None else f", {price * total.minutes} {currency}".rstrip()
    taken = f" ({total.taken} taken)" if total.taken else ""
    calls = "1 call" if total.calls == 1 else f"{total.calls} calls"
    click.echo(f"\n{calls}{taken}, {total.ok} ok, {duration(total.airtime_ms)} of air time{cost}")
