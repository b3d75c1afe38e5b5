"""``read``: reads a meter now, through the running gateway or without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway_server.app import codecs_of
from gateway_server.app_once import probe_once, read_once
from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, Stopped, harmless, say
from gateway_server.cli.following import follow_job
from gateway_server.cli.invocation import Invocation, config_option, known, pass_invocation, zone
from gateway_server.cli.listing import JsonValue, print_json
from gateway_server.cli.moments import at, parse_moment
from gateway_server.cli.progress import ProgressShown
from gateway_server.cli.reactor import run_reactor
from gateway_server.cli.session import session_json
from gateway_server.codec.codec import Codec, NamesArchives
from gateway_server.codec.dialogue import Progress
from gateway_server.errors import OperatorError
from gateway_server.model import CURRENT, EVENTS, Direction, KnownMeter, MeterState, Outcome, ReadOrder
from gateway_server.scheduler.wake import wake
from gateway_server.session.endings import Ending
from gateway_server.store.open import store_path
from gateway_server.store.records import Filter, SessionRecord
from gateway_server.store.sql import SqlStore
from gateway_server.transports.probe import Attempt
from gateway_server.transports.routes import parse_route

_WHAT = ("current", "archive", "events")
_MOST_NOTES = 20


@click.command()
@click.argument("meter", required=False, metavar="METER")
@opt.options(
    click.option("--what", multiple=True, type=click.Choice(_WHAT), help="What to obtain; repeatable. [all]"),
    click.option("--archive", "archives", multiple=True, metavar="NAME", help="interval, daily, monthly ... [all]"),
    click.option("--from", "since", metavar="TIME", help="Rows from this time on. [behind the last stored row]"),
    click.option("--to", "until", metavar="TIME", help="Rows up to this time."),
    click.option("--via", "route", default="", metavar="ROUTE", help="Reach it this way instead of its own routes."),
    click.option("--probe", "port", metavar="PORT", help="Find out what is at the other end of a local port."),
    click.option("--no-wait", is_flag=True, help="Give the order to the running gateway and end."),
    opt.json_option,
    config_option,
)
@pass_invocation
def read(
    invocation: Invocation,
    meter: str | None,
    what: tuple[str, ...],
    archives: tuple[str, ...],
    since: str | None,
    until: str | None,
    route: str,
    port: str | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Reads METER now and shows how far it is.

    Beside a running gateway this is an order to it; otherwise the meter is read from here. Times without a zone are
    the meter's own. Exit status 1 if not everything was obtained, 2 if it was never tried: no route, no codec.
    """
    if port is not None:
        _probe(invocation, port, as_json=as_json)
        return
    if meter is None:
        raise OperatorError("which meter? give its serial number, or --probe PORT to find out")
    if route:
        parse_route(route)
    with invocation.store() as store:
        record = known(store, meter)
        if record.state is MeterState.DISABLED:
            raise OperatorError(f"meter {meter} is switched off; `gateway-server meter add {meter}` switches it on")
        if record.state is MeterState.UNCLAIMED and not route:
            raise OperatorError(
                f"meter {meter} called and is in nobody's care yet;"
                f" `gateway-server meter claim {meter}` takes it into care"
            )
        if archives:
            codecs = codecs_of(record, invocation.config, invocation.codecs(told=False))
            _check_archives(codecs, store.known_meter(record.serial), archives)
        order = _order(invocation, zone(record.time_zone), what, archives, since, until)
        path = store_path(invocation.config.store.url)
        if path is not None and wake(path):
            number = store.add_job(record.serial, order.to_json(), route, invocation.now_ms())
            wake(path)
            if no_wait:
                click.echo(f"order {number} is with the gateway")
                return
            done = _by_the_gateway(store, number, path, quiet=as_json)
        elif no_wait:
            raise Failed("no gateway runs on this store; without --no-wait the meter is read from here")
        else:
            done = _from_here(invocation, record.serial, order, route, quiet=as_json)
        _tell(store, done, as_json=as_json)
    if done.outcome is not Outcome.READ:
        raise Failed(f"meter {meter}: {done.outcome.value}" + (f": {done.detail}" if done.detail else ""))


@dataclass(frozen=True, slots=True)
class Done:
    """How a reading ended; ``session`` is 0 when no line was opened."""

    outcome: Outcome
    detail: str
    session: int


def _order(
    invocation: Invocation,
    home: ZoneInfo,
    what: tuple[str, ...],
    archives: tuple[str, ...],
    since: str | None,
    until: str | None,
) -> ReadOrder:
    """The order as the meter understands it: times in its own clock."""
    wanted = frozenset(what or (("archive",) if archives else _WHAT))
    if archives and "archive" not in wanted:
        raise OperatorError("--archive names archives, but --what does not have `archive`")
    for name in (EVENTS, CURRENT):
        if name in archives:
            what_it_is = "the event log is" if name == EVENTS else "live values are"
            raise OperatorError(f"{what_it_is} read with --what {name}")

    def moment(text: str | None, *, last: bool) -> int | None:
        return None if text is None else parse_moment(text, home, invocation.now_ms(), last=last)

    def wall(ms: int | None) -> datetime | None:
        return None if ms is None else at(ms).astimezone(home).replace(tzinfo=None)

    since_ms, until_ms = moment(since, last=False), moment(until, last=True)
    opt.check_period(since_ms, until_ms)
    return ReadOrder(wanted, archives, wall(since_ms), wall(until_ms))


def _check_archives(codecs: Iterable[Codec], meter: KnownMeter, archives: tuple[str, ...]) -> None:
    """Raises `OperatorError` for an archive that the meter cannot have, if it can be known before it is asked."""
    there: list[str] = []
    for codec in codecs:
        names = codec.archives(meter) if isinstance(codec, NamesArchives) else None
        if names is None:
            return
        there.extend(names)
    # `monthly` means monthly2 too: they are two halves of one.
    allowed = {*there, *(name.rstrip("0123456789") for name in there), EVENTS, CURRENT}
    for name in archives:
        if name not in allowed:
            have = f"it has: {', '.join(dict.fromkeys(there))}" if there else "it has none, only live values"
            raise OperatorError(f"meter {meter.serial} has no archive {name!r}; {have}")


def _by_the_gateway(store: SqlStore, number: int, path: Path, *, quiet: bool) -> Done:
    with ProgressShown(quiet=quiet) as progress:
        try:
            job = follow_job(store, number, progress.show, lambda: wake(path))
        except (KeyboardInterrupt, Stopped):
            if store.cancel_job(number):
                say(f"order {number} is cancelled")
            raise Stopped from None
    outcome = job.outcome or Outcome.GATEWAY_FAULT
    if outcome is Outcome.GATEWAY_FAULT and not job.session:
        raise OperatorError(job.detail)  # no line was tried: the order cannot be carried out as the register stands
    return Done(outcome, job.detail, job.session)


def _from_here(invocation: Invocation, serial: str, order: ReadOrder, route: str, *, quiet: bool) -> Done:
    with ProgressShown(quiet=quiet) as progress:

        def show(one: Progress) -> None:
            progress.show(one.text, one.done, one.total)

        async def work(reactor: Any) -> tuple[Ending, int]:
            return await read_once(
                reactor,
                invocation.config,
                serial,
                order,
                route,
                show,
                now_ms=invocation.now_ms,
                registry=invocation.codecs(),
            )

        ending, session = run_reactor(work)
    return Done(ending.outcome, ending.detail, session)


def _tell(store: SqlStore, done: Done, *, as_json: bool) -> None:
    """What came of it."""
    record = store.session(done.session) if done.session else None
    wanted = Filter(sessions=(done.session,))
    rows = Counter[str]()
    notes: list[str] = []
    values = conflicts = 0
    if record is not None:
        for stored in store.rows(wanted):
            rows[stored.row.archive] += 1
            values += len(stored.row.values)
            conflicts += stored.variant > 0
        if events := sum(1 for _ in store.events(wanted)):
            rows[EVENTS] = events
        said = (entry.data for entry in store.session_log(record.id) if entry.direction is Direction.NOTE)
        notes.extend(data.decode("utf-8", "replace") for data in said)
    if as_json:
        document: dict[str, JsonValue] = {
            "outcome": done.outcome.value,
            "detail": done.detail,
            "new_rows": dict(rows),
            "conflicts": conflicts,
            "notes": notes,
            "session": session_json(record) if record else None,
        }
        print_json(document)
        return
    if record is None:
        return
    for archive, count in sorted(rows.items()):
        click.echo(f"{archive:<10} {count} new rows")
    for note in notes[:_MOST_NOTES]:
        click.echo(f"note: {harmless(note)}")
    if len(notes) > _MOST_NOTES:
        click.echo(f"and {len(notes) - _MOST_NOTES} more notes in the session's log")
    _tell_rest(record, values, conflicts)


def _tell_rest(record: SessionRecord, values: int, conflicts: int) -> None:
    if same := max(record.readings - values, 0):
        click.echo(f"{same} values were in the store already")
    if conflicts:
        click.echo(f"{conflicts} rows contradict what was stored before; both are kept, marked `conflict`")
    outcome = record.outcome.value if record.outcome else "open"
    click.echo(f"{outcome}; `gateway-server session show {record.id}` shows every byte")


def _probe(invocation: Invocation, port: str, *, as_json: bool) -> None:
    """Tries speeds, formats and codecs on a local port."""

    def tried(attempt: Attempt) -> None:
        if not as_json:
            said = f"meter {attempt.serial} answered" if attempt.answered else attempt.outcome.value
            click.echo(
                f"{attempt.baud:>6} {attempt.format}  {attempt.codec}: {said}, {attempt.bytes_received} bytes came"
            )

    async def work(reactor: Any) -> list[Attempt]:
        return await probe_once(
            reactor, invocation.config, port, tried, now_ms=invocation.now_ms, registry=invocation.codecs()
        )

    attempts = run_reactor(work)
    found = next((attempt for attempt in attempts if attempt.answered), None)
    if as_json:
        print_json(
            {
                "port": port,
                "meter": found.serial if found else None,
                "route": f"serial:{port}:{found.route}" if found else None,
                "attempts": [
                    {
                        "baud": attempt.baud,
                        "format": attempt.format,
                        "codec": attempt.codec,
                        "outcome": attempt.outcome.value,
                        "meter": attempt.serial or None,
                        "bytes_received": attempt.bytes_received,
                        "session": attempt.session.id,
                    }
                    for attempt in attempts
                ],
            }
        )
    if found is None:
        heard = [attempt for attempt in attempts if attempt.bytes_received]
        if heard:
            raise Failed(
                "something spoke, but no codec understood it: "
                f"`gateway-server session show {heard[0].session.id}` shows its bytes"
            )
        raise Failed(f"nothing answered on {port}; check the cable, the meter's power and the port's name")
    if not as_json:
        _tell_way(invocation, found.serial, found.codec, f"serial:{port}:{found.route}")


def _tell_way(invocation: Invocation, serial: str, codec: str, route: str) -> None:
    """How the meter that answered is reached, and what puts it into care: by now it is in the register."""
    with invocation.store() as store:
        record = store.meter(serial)
    click.echo(f"it is reached by {route}")
    if record is not None and route in record.routes:
        return
    verb = "claim" if record is not None and record.state is MeterState.UNCLAIMED else "add"
    does = "takes it into care" if verb == "claim" else "adds this route"
    click.echo(f"`gateway-server meter {verb} {serial} --codec {codec} --route {route}` {does}")
