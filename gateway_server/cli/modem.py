"""``modem``: how the modems are, as the gateway that has them says, and what each did of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import click

from gateway_server.cli import options as opt
from gateway_server.cli.call_text import SeenCall, airtime_text, call_json, call_listing, seen
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.cli.listing import JsonValue, Listing, pairs, print_json
from gateway_server.cli.moments import duration, local, rfc3339
from gateway_server.config import Config
from gateway_server.errors import OperatorError
from gateway_server.model import CallResult
from gateway_server.store.modems import ModemRecord
from gateway_server.store.records import CallRecord, Filter
from gateway_server.store.store import Store

_DAY_MS = 24 * 3_600_000
_LAST = 10
STOPPED = "stopped"
"""No gateway that runs has it."""
_OURS = frozenset({CallResult.MODEM_FAULT, CallResult.NO_DIALTONE, CallResult.BARRED})
_IN_CALL = frozenset({"dialling", "answering", "online", "hanging up"})


@dataclass(frozen=True, slots=True)
class ModemNow:
    """One modem: of the configuration, where it has a ``port``, or of another gateway on this store."""

    name: str
    port: str
    said: ModemRecord | None
    calls: tuple[CallRecord, ...]  # of the last 24 hours, the newest first

    @property
    def live(self) -> bool:
        """Whether a gateway that runs has it."""
        return self.said is not None and self.said.live

    @property
    def state(self) -> str:
        """The word of its state machine, or that no gateway has it."""
        return self.said.state if self.said is not None and self.said.live else STOPPED

    @property
    def call(self) -> CallRecord | None:
        """The call it is in."""
        if self.state not in _IN_CALL:
            return None
        return next((call for call in self.calls if call.ended_ms is None), None)

    @property
    def made(self) -> int:
        """Calls it made and that are over."""
        return sum(1 for call in self.calls if call.result is not None and not call.inbound)

    @property
    def failed(self) -> int:
        """Those of them that failed by its own fault."""
        return sum(1 for call in self.calls if call.result in _OURS and not call.inbound)

    @property
    def why(self) -> str:
        """What is to be known of its state, in words."""
        said = self.said
        if said is None:
            return "no gateway has had it yet"
        if not said.live:
            was = f"{said.state}: {said.why}" if said.why and said.state != "ready" else said.state
            return f"no gateway that runs has it; it was {was}"
        if (call := self.call) is not None:
            return f"in a call with meter {call.meter or '?'} (call {call.id})"
        return said.why if said.state != "ready" else ""


def modems_now(config: Config, store: Store, now_ms: int) -> list[ModemNow]:
    """The modems of the configuration in its order, then those that other gateways have now."""
    said = {one.name: one for one in store.modems()}
    by_modem: dict[str, list[CallRecord]] = {}
    for call in store.calls(Filter(since_ms=now_ms - _DAY_MS, newest_first=True)):
        by_modem.setdefault(call.modem, []).append(call)
    ports = {one.name: one.port for one in config.modem}
    names = [*ports, *(name for name, one in said.items() if one.live and name not in ports)]
    return [ModemNow(name, ports.get(name, ""), said.get(name), tuple(by_modem.get(name, ()))) for name in names]


def modem_json(one: ModemNow) -> dict[str, JsonValue]:
    """A modem as a document. What is ``said`` of a stopped one is how it was."""
    said, call = one.said, one.call
    return {
        "modem": one.name,
        "port": one.port,
        "state": one.state,
        "live": one.live,
        "last_state": said.state if said is not None else None,
        "since": rfc3339(said.since_ms) if said is not None else None,
        "why": said.why if said is not None else "",
        "next_try": rfc3339(said.next_ms) if said is not None and said.live else None,
        "signal": said.signal if said is not None else None,
        "operator": said.operator if said is not None else "",
        "call": call.id if call is not None else None,
        "meter": call.meter if call is not None else None,
        "calls_24h": one.made,
        "failed_by_its_own_fault_24h": one.failed,
        "airtime_s_24h": _seconds(one.calls),
    }


def _seconds(calls: Sequence[CallRecord]) -> str:
    return airtime_text(sum(call.airtime_ms for call in calls if not call.inbound))


def _listing(zones: Zones) -> Listing[ModemNow]:
    home = zones.shared_by(())

    def cells(one: ModemNow) -> tuple[str, ...]:
        said = one.said
        return (
            one.name,
            one.state,
            local(said.since_ms, home) if said is not None else "",
            _next_try(one, zones),
            "" if said is None or said.signal is None else str(said.signal),
            "" if said is None else said.operator,
            str(one.made),
            str(one.failed),
            one.why,
        )

    headings = ("modem", "state", "since", "next try", "signal", "operator", "calls 24 h", "own fault", "why")
    return Listing("modems", modem_json, headings, cells, frozenset({"signal", "calls 24 h", "own fault"}))


def _next_try(one: ModemNow, zones: Zones) -> str:
    return local(one.said.next_ms, zones.shared_by(())) if one.said is not None and one.said.live else ""


@click.group()
def modem() -> None:
    """The modems that call."""


@modem.command("list")
@opt.options(opt.json_option, config_option)
@pass_invocation
def list_modems(invocation: Invocation, as_json: bool) -> None:
    """How each modem is now, and its calls of the last 24 hours.

    State, signal (0 to 31) and operator are what the running gateway says; a modem that no gateway has is `stopped`,
    and shown as it was.
    """
    with invocation.store() as store:
        found = modems_now(invocation.config, store, invocation.now_ms())
        _listing(Zones(store)).show(found, as_json=as_json, limit=max(1, len(found)))


@modem.command("show")
@click.argument("name")
@opt.options(opt.json_option, config_option)
@pass_invocation
def show_modem(invocation: Invocation, name: str, as_json: bool) -> None:
    """One modem: how it is, why, and its last calls."""
    config = invocation.config
    with invocation.store() as store:
        found = modems_now(config, store, invocation.now_ms())
        one = next((one for one in found if one.name == name), None)
        if one is None:
            raise OperatorError(f"there is no modem {name!r}; there are {', '.join(m.name for m in found) or 'none'}")
        zones = Zones(store)
        last = store.calls(Filter(names=(name,), limit=_LAST, newest_first=True))
        calls = list(seen(store, last, invocation.now_ms()))
        if as_json:
            print_json({**modem_json(one), "calls": [call_json(call, config.calls.price) for call in calls]})
            return
        _show(one, calls, zones, config.calls.price, config.calls.currency)


def _show(one: ModemNow, calls: Sequence[SeenCall], zones: Zones, price: Decimal | None, currency: str) -> None:
    said, home = one.said, zones.shared_by(())
    air = sum(call.airtime_ms for call in one.calls if not call.inbound)
    lines = (
        ("modem", one.name),
        ("port", one.port or "that of another gateway on this store"),
        ("state", one.state),
        ("why", one.why),
        ("since", local(said.since_ms, home) if said is not None else ""),
        ("next try", _next_try(one, zones)),
        ("signal", "" if said is None or said.signal is None else f"{said.signal} of 31"),
        ("operator", "" if said is None else said.operator),
        ("calls 24 h", f"{one.made} made, {one.failed} failed by its own fault, {duration(air)} of air time"),
    )
    for line in pairs(lines):
        click.echo(line)
    if calls:
        click.echo("\nlast calls")
        call_listing(zones, price, currency).show(calls, as_json=False, limit=_LAST)
