"""``meter``: the register of the meters in our care."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, say
from gateway_server.cli.invocation import Invocation, Zones, config_option, known, pass_invocation, zone
from gateway_server.cli.listing import JsonValue, pairs, print_json, print_json_array, print_table
from gateway_server.cli.meter_completeness import completeness_json, show_completeness
from gateway_server.cli.meter_import import Judged, Verdict, judge, read_sheet
from gateway_server.cli.meter_listing import meter_json, meter_listing
from gateway_server.cli.meter_memory import in_words
from gateway_server.cli.meter_orders import open_orders, orders_json, show_orders
from gateway_server.cli.moments import local
from gateway_server.cli.reading_json import reading_json, reading_listing
from gateway_server.cli.register import changed, check_meter, read_access_code, set_upload_passwords, upload_logins
from gateway_server.cli.reprocess import read_again
from gateway_server.cli.session import session_json, session_listing
from gateway_server.cli.why import Standing, clock, standing
from gateway_server.errors import OperatorError
from gateway_server.model import MeterState
from gateway_server.scheduler.completeness import Completeness, assess_all
from gateway_server.store.meter_rows import gas_day
from gateway_server.store.records import Filter, MeterRecord, UploadAccount

_LAST_SESSIONS = 10
_SHOWN_SESSIONS = 5


@click.group()
def meter() -> None:
    """The register of the meters in our care."""


@meter.command("list")
@opt.options(
    opt.meter_option,
    click.option("--state", "states", multiple=True, type=click.Choice([one.value for one in MeterState])),
    click.option("--group", metavar="PATH", help="Only this group and what is below it."),
    click.option("--from", "since", metavar="TIME", help="Last contact from this time on."),
    click.option("--to", "until", metavar="TIME", help="Last contact up to this time."),
    opt.search_option,
    click.option("--completeness", "whole", is_flag=True, help="With --json: how whole the archives are, as of now."),
    opt.limit_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def list_meters(
    invocation: Invocation,
    meters: tuple[str, ...],
    states: tuple[str, ...],
    group: str | None,
    since: str | None,
    until: str | None,
    search: str,
    whole: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Meters, those in contact last first. `--state unclaimed`: who called and is nobody's yet.

    `complete` is the least whole archive of a meter; it takes a few milliseconds each, so --json has it on demand.
    """
    terms, now_ms = invocation.config.completeness.terms(), invocation.now_ms()
    with invocation.store() as store:
        wanted = opt.Period(since, until).narrow(
            Filter(serials=meters, states=states, search=search, limit=None if group else limit, newest_first=True),
            invocation,
            Zones(store),
        )
        found: Iterator[MeterRecord] = iter(store.meters(wanted))
        if group:
            found = (one for one in found if one.group == group or one.group.startswith(group.rstrip("/") + "/"))

        def parts(record: MeterRecord) -> Sequence[Completeness]:
            return assess_all(store, record, terms, now_ms) if record.state is MeterState.ACTIVE else ()

        meter_listing(parts, in_json=whole, now_ms=now_ms).show(opt.at_most(limit, found), as_json=as_json, limit=limit)
    if not as_json and states == (MeterState.UNCLAIMED.value,):
        say("`gateway-server meter show SERIAL` says what is known of one, `meter claim SERIAL` takes it into care")


@meter.command()
@click.argument("serial")
@opt.json_option
@config_option
@pass_invocation
def show(invocation: Invocation, serial: str, as_json: bool) -> None:
    """One meter: its card, and why it is silent.

    With how complete its archives are, what is ordered of it, its last sessions and the newest row of every archive.
    """
    with invocation.store() as store:
        record = known(store, serial)
        sessions = list(store.sessions(Filter(serials=(record.serial,), limit=_LAST_SESSIONS, newest_first=True)))
        now_ms = invocation.now_ms()
        calls = list(store.calls(Filter(serials=(record.serial,), limit=_LAST_SESSIONS, newest_first=True)))
        stands = standing(record, sessions, now_ms, calls, store.plan_stops(now_ms).get(record.serial))
        whole = []
        if record.state is MeterState.ACTIVE:
            whole = assess_all(store, record, invocation.config.completeness.terms(), now_ms, full=True)
        accounts = list(filter(None, map(store.upload_account, upload_logins(record))))
        last = list(store.last_readings(Filter(serials=(record.serial,))))
        memory = dict(store.known_meter(record.serial).memory)
        orders = open_orders(store, record.serial)
        zones = Zones(store)
        if as_json:
            document = meter_json(record)
            document["standing"] = _standing_json(stands)
            document["completeness"] = completeness_json(whole, now_ms)
            document["remembered"] = memory
            document["open_orders"] = orders_json(orders)
            document["last_sessions"] = [session_json(one) for one in sessions]
            document["last_readings"] = [reading_json(one) for one in last]
            print_json(document)
            return
        _show_card(record, stands, memory, accounts, clock(record.serial, last, now_ms))
        if orders:
            show_orders(orders, zone(record.time_zone))
        if whole:
            show_completeness(whole, zone(record.time_zone), now_ms)
        if last:
            click.echo("\nnewest row of every archive")
            reading_listing(zones).show(last, as_json=False, limit=len(last))
        if sessions:
            click.echo("\nlast sessions")
            session_listing(zone(record.time_zone)).show(
                sessions[:_SHOWN_SESSIONS], as_json=False, limit=_SHOWN_SESSIONS
            )


def _standing_json(stands: Standing) -> dict[str, JsonValue]:
    return {
        "well": stands.well,
        "verdict": stands.verdict,
        "evidence": stands.evidence,
        "next_step": stands.next_step,
    }


def _show_card(
    record: MeterRecord, stands: Standing, memory: dict[str, str], accounts: Sequence[UploadAccount], its_clock: str
) -> None:
    click.secho(f"meter {record.serial} {record.name}".rstrip(), bold=True)
    click.secho(stands.verdict, fg="green" if stands.well else "red")
    home, (start, source) = zone(record.time_zone), gas_day(record)
    for line in pairs(
        [
            ("because", stands.evidence),
            ("next step", stands.next_step),
            ("state", record.state.value),
            ("model", " ".join(filter(None, (record.manufacturer, record.model, record.software_version)))),
            ("profile", record.profile),
            ("codec", record.codec),
            ("group", record.group),
            ("routes", ", ".join(record.routes) or "none"),
            ("time zone", f"{record.time_zone}, gas day starts at {start} ({source})"),
            ("clock", its_clock),
            ("bus address", record.address),
            ("access code", "stored, encrypted" if record.has_access_code else "none"),
            ("upload account", ", ".join(f"{one.login} ({_has_password(one)})" for one in accounts)),
            ("first contact", local(record.first_contact_ms, home)),
            ("last contact", local(record.last_contact_ms, home) or "never"),
            ("remembered", "; ".join(in_words(memory))),
        ]
    ):
        click.echo(line)


def _has_password(account: UploadAccount) -> str:
    return "password stored as a hash" if account.secret else "no password yet: --ftp-password-file"


_card_options = opt.options(
    click.option("--name", metavar="TEXT", help="What people call it."),
    click.option("--codec", metavar="NAME", help="The metering protocol; without it the listener's."),
    click.option("--profile", metavar="NAME", help="Its meter profile, or manufacturer and model such as ek270."),
    click.option("--route", "routes", multiple=True, metavar="ROUTE", help="How it is reached; repeatable, in order."),
    click.option("--group", metavar="PATH", help="Such as north/boilers."),
    click.option("--time-zone", metavar="ZONE", help="The zone of its clock. [Europe/Moscow]"),
    click.option("--gas-day-start", metavar="HH:MM", help="[as the meter says, else 10:00]"),
    click.option("--address", metavar="TEXT", help="Its address on a shared bus, such as its Modbus unit. [none]"),
    click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Holds the access code of its lock; kept encrypted.",
    ),
    click.option(
        "--ftp-password-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Holds the password of its upload accounts (routes ftp:LOGIN); kept as a hash.",
    ),
)


@meter.command()
@click.argument("serial")
@_card_options
@click.option("--drop-route", "dropped", multiple=True, metavar="ROUTE", help="Takes a route away from a known meter.")
@config_option
@pass_invocation
def add(
    invocation: Invocation,
    serial: str,
    name: str | None,
    codec: str | None,
    profile: str | None,
    routes: tuple[str, ...],
    group: str | None,
    time_zone: str | None,
    gas_day_start: str | None,
    address: str | None,
    password_file: Path | None,
    ftp_password_file: Path | None,
    dropped: tuple[str, ...],
) -> None:
    """Adds a meter, or changes one.

    A ROUTE is tcp:HOST:PORT, caller:ID, serial:PORT[:BAUD[:FORMAT]], csd:NUMBER or ftp:LOGIN.
    """
    with invocation.store() as store:
        old = store.meter(serial)
        if old and old.state is MeterState.UNCLAIMED:
            raise OperatorError(
                f"meter {serial} called already; `gateway-server meter claim {serial}` takes it into care"
            )
        base = replace(old, state=MeterState.ACTIVE) if old else MeterRecord(serial)
        record = changed(
            base,
            name=name,
            codec=codec,
            profile=profile,
            routes=routes,
            group=group,
            time_zone=time_zone,
            gas_day_start=gas_day_start,
            address=address,
        )
        if missing := set(dropped) - set(record.routes):
            raise OperatorError(f"meter {serial} has no route {', '.join(sorted(missing))}")
        record = replace(record, routes=tuple(route for route in record.routes if route not in dropped))
        check_meter(record, invocation.codecs(), invocation.config.shared_logins)
        with store.connection.transaction("add meter"):
            store.put_meter(record, read_access_code(password_file) if password_file else None)
            set_upload_passwords(store, record, ftp_password_file)
            for login in upload_logins(replace(record, routes=dropped)):
                store.set_upload_secret(login, "")
    click.echo(f"meter {record.serial} {'changed' if old else 'added'}")
    if not old and any(route.startswith(("tcp:", "serial:")) for route in record.routes):
        say(f"`gateway-server read {record.serial}` reads it now")


@meter.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@opt.dry_run_option
@click.option("--partial", is_flag=True, help="Import the good rows although others are refused.")
@opt.json_option
@config_option
@pass_invocation
def import_meters(invocation: Invocation, file: Path, dry_run: bool, partial: bool, as_json: bool) -> None:
    """Adds meters from a CSV or XLSX sheet.

    Gives a verdict for every row.

    The first row holds headings, English or Russian: serial number, name, codec, profile, route, IMEI, IP, port,
    phone, group, time zone, gas day start, bus address. Without --partial one refused row stops all.
    """
    sheet = read_sheet(file)
    with invocation.store() as store:
        register = store.meters(Filter())
        known_meters = {one.serial: one for one in register}
        routes = {route: one.serial for one in register for route in one.routes}
        judged = list(judge(sheet, known_meters, invocation.codecs(), routes, invocation.config.shared_logins))
        good = [one.meter for one in judged if one.meter is not None]
        refused = sum(one.verdict is Verdict.REFUSED for one in judged)
        writes = not dry_run and (partial or not refused)
        if writes:
            store.put_meters((record, None) for record in good)
    if as_json:
        print_json_array(
            {"row": one.number, "serial": one.serial, "verdict": one.verdict.value, "reason": one.reason}
            for one in judged
        )
    else:
        print_table(("row", "serial", "verdict", "reason"), map(_judged_cells, judged), frozenset({"row"}))
    if sheet.ignored:
        say(f"columns that are not used: {', '.join(sheet.ignored)}")
    counts = Counter(one.verdict.value for one in judged)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no rows"
    say(f"{said}; " + ("imported" if writes else "nothing was written" + (" (dry run)" if dry_run else "")))
    if refused:
        raise Failed(f"{refused} rows were refused" + ("" if partial or dry_run else "; --partial imports the others"))


def _judged_cells(one: Judged) -> tuple[str, ...]:
    return str(one.number), one.serial, one.verdict.value, one.reason


@meter.command()
@click.argument("serial")
@click.option("--serial", "own_serial", metavar="NUMBER", help="Its serial number, for a caller that never said it.")
@_card_options
@config_option
@pass_invocation
def claim(
    invocation: Invocation,
    serial: str,
    own_serial: str | None,
    name: str | None,
    codec: str | None,
    profile: str | None,
    routes: tuple[str, ...],
    group: str | None,
    time_zone: str | None,
    gas_day_start: str | None,
    address: str | None,
    password_file: Path | None,
    ftp_password_file: Path | None,
) -> None:
    """Takes a meter that called into care.

    What was kept of it becomes readings. A caller that never said its serial number (caller:ID) is claimed with
    --serial NUMBER.
    """
    with invocation.store() as store:
        old = known(store, serial)
        record = changed(
            replace(old, serial=own_serial or old.serial),
            name=name,
            codec=codec,
            profile=profile,
            routes=routes,
            group=group,
            time_zone=time_zone,
            gas_day_start=gas_day_start,
            address=address,
        )
        check_meter(record, invocation.codecs(), invocation.config.shared_logins)
        code = read_access_code(password_file) if password_file else None
        with store.connection.transaction("claim meter"):
            claimed = store.claim(old.serial, record)
            if code is not None:
                store.put_meter(claimed, code)
            set_upload_passwords(store, claimed, ftp_password_file)
        click.echo(f"meter {claimed.serial} is in care now")
        sessions, files = read_again(store, invocation.codecs(), claimed.serial, invocation.containers)
    click.echo(f"{sessions.read} sessions were kept; {sessions.new} rows and events came of them")
    if files.read:
        click.echo(f"{files.read} files were kept; {files.new} rows and events came of them")


@meter.command()
@click.argument("serial")
@config_option
@pass_invocation
def disable(invocation: Invocation, serial: str) -> None:
    """Switches a meter off.

    It is not read and may not sign on. `meter add` switches it on again.
    """
    with invocation.store() as store:
        record = known(store, serial)
        store.set_meter_state(record.serial, MeterState.DISABLED)
    click.echo(f"meter {record.serial} is switched off; what was read stays")
