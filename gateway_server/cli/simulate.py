"""``simulate``: simulated meters on lines of your choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, Stopped
from gateway_server.cli.reactor import run_reactor
from gateway_server.errors import OperatorError
from gateway_server.testing.fake_files import FORMS
from gateway_server.testing.fleet import FleetOptions, FleetStatistics, simulate_fleet
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import described, from_options, switched
from gateway_server.testing.modem.bank import EVERYTHING, BankOptions, simulate_modems
from gateway_server.testing.modem.faults import CallFaults, ModemFaults
from gateway_server.testing.simulate import MeterOptions, simulate_meter
from gateway_server.testing.upload_script import Manners
from gateway_server.testing.uploaders import UploadOptions, UploadStatistics, simulate_upload


@click.group()
def simulate() -> None:
    """Simulated meters, modems and uploads, to try things out and to test."""


_ways_of_being = opt.options(
    click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another history."),
    click.option("--days", type=click.IntRange(min=0), metavar="N", help="How far back the archives go."),
    click.option("--quirk", "quirks", multiple=True, metavar="NAME[=VALUE]", help="A peculiarity; see --list-quirks."),
    click.option("--list-quirks", is_flag=True, help="Name the quirks and end."),
)
_calling = opt.options(
    click.option("--registration", metavar="TEXT", help=r"What the modem says first, such as '{id}\r\n'."),
    click.option("--heartbeat", default="", metavar="TEXT", help="What the modem says now and then."),
    click.option("--heartbeat-seconds", type=float, default=30.0, show_default=True),
    click.option("--reconnect-seconds", type=float, metavar="S", help="Call again so long after the line ended."),
)


_profile = click.option(
    "--profile",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Speak this meter profile or Modbus register map (a file, or the name of a shipped one); be no model.",
)


@simulate.command()
@click.option("--listen", default="", metavar="HOST:PORT", help="Be a TCP server; port 0 finds a free one.")
@click.option("--call", default="", metavar="HOST:PORT", help="Call in, as behind a GPRS modem.")
@click.option("--pty", is_flag=True, help="Be a serial port: a pseudo terminal.")
@click.option("--model", type=click.Choice(MODELS), default="ek270", show_default=True)
@_profile
@click.option("--serial", default="41203377", show_default=True, help="Its serial number.")
@click.option("--access-code", metavar="CODE", help="The code of its lock. [the model's own]")
@click.option("--bytes-per-second", type=float, default=0.0, help="Pace of the line. [no limit]")
@click.option(
    "--baud",
    type=click.Choice(["300", "600", "1200", "2400", "4800", "9600", "19200"]),
    help="With --pty: heard at this speed only; 300 is an optical head, which then changes. [any speed]",
)
@click.option("--dump", metavar="FILE", type=click.Path(path_type=Path), help="Write what it holds, as JSON.")
@click.option("--seconds", type=float, default=0.0, help="End by itself. [runs until stopped]")
@_ways_of_being
@_calling
def meter(
    listen: str,
    call: str,
    pty: bool,
    model: str,
    profile: Path | None,
    serial: str,
    access_code: str | None,
    bytes_per_second: float,
    baud: str | None,
    dump: Path | None,
    seconds: float,
    seed: int,
    days: int | None,
    quirks: tuple[str, ...],
    list_quirks: bool,
    registration: str | None,
    heartbeat: str,
    heartbeat_seconds: float,
    reconnect_seconds: float | None,
) -> None:
    """One meter: a TCP server, a caller, or a port.

    Prints where it is, and runs until it is stopped (Ctrl-C). One with a profile tells whether it is acknowledged.
    """
    if list_quirks:
        _print_switches(described())
        return
    options = MeterOptions(
        listen=listen,
        call=call,
        pty=pty,
        model=model,
        profile=profile,
        serial=serial,
        seed=seed,
        days=62 if days is None else days,
        quirks=from_options(quirks),
        access_code=access_code,
        registration=registration or "",
        heartbeat=heartbeat,
        heartbeat_s=heartbeat_seconds,
        reconnect_s=10.0 if reconnect_seconds is None else reconnect_seconds,
        bytes_per_second=bytes_per_second,
        baud=int(baud or 0),
        dump=dump,
        seconds=seconds,
    )

    async def work(reactor: Any) -> None:
        await simulate_meter(reactor, options, _say)

    _until_stopped(work)


@simulate.command()
@click.option("--call", default="127.0.0.1:4001", show_default=True, metavar="HOST:PORT", help="Where they call.")
@click.option("--meters", type=click.IntRange(min=1), default=100, show_default=True, metavar="N")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), default=50.0, show_default=True, help="First calls a second."
)
@click.option("--seconds", type=float, default=60.0, show_default=True, help="The longest it lasts.")
@click.option("--models", default=",".join(MODELS), show_default=True, help="In turn.")
@_profile
@click.option(
    "--patience-seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="Push again what was not acknowledged so long.",
)
@click.option("--first-serial", type=int, default=50000001, show_default=True)
@click.option("--until-read/--stay", default=True, help="End once every meter was read. [yes]")
@click.option(
    "--acknowledged",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the rows that the gateway acknowledged.",
)
@_ways_of_being
@_calling
def fleet(
    call: str,
    meters: int,
    rate: float,
    seconds: float,
    models: str,
    profile: Path | None,
    patience_seconds: float,
    first_serial: int,
    until_read: bool,
    acknowledged: Path | None,
    seed: int,
    days: int | None,
    quirks: tuple[str, ...],
    list_quirks: bool,
    registration: str | None,
    heartbeat: str,
    heartbeat_seconds: float,
    reconnect_seconds: float | None,
) -> None:
    """Many meters that call in.

    At a rate of your choice; says how they fare. Exit status 1 if none was read.
    """
    if list_quirks:
        _print_switches(described())
        return
    options = FleetOptions(
        call=call,
        meters=meters,
        rate=rate,
        seconds=seconds,
        models=tuple(models.split(",")),
        profile=profile,
        patience_s=patience_seconds,
        first_serial=first_serial,
        seed=seed,
        days=2 if days is None else days,
        quirks=from_options(quirks),
        registration=r"{id}\r\n" if registration is None else registration,
        heartbeat=heartbeat,
        heartbeat_s=heartbeat_seconds,
        reconnect_s=5.0 if reconnect_seconds is None else reconnect_seconds,
        until_read=until_read,
        acknowledged=acknowledged,
    )

    async def work(reactor: Any) -> FleetStatistics:
        return await simulate_fleet(reactor, options, _say)

    statistics = _until_stopped(work)
    if statistics is not None and not statistics.read:
        raise Failed(f"no meter was read; does a gateway listen at {call}?")


@simulate.command()
@click.option("--call", default="127.0.0.1:2121", show_default=True, metavar="HOST:PORT", help="The FTP server.")
@click.option("--login", default="{serial}", show_default=True, help="The account; {serial} is the meter's number.")
@click.option(
    "--password-file", metavar="FILE", type=click.Path(path_type=Path, exists=True), help="Its password. [none]"
)
@click.option("--form", type=click.Choice(list(FORMS)), default="rows", show_default=True, help="What a file holds.")
@click.option("--model", type=click.Choice(MODELS), default="ek270", show_default=True)
@click.option("--serial", type=int, default=41203377, show_default=True, help="The first meter's serial number.")
@click.option("--meters", type=click.IntRange(min=1), default=1, show_default=True, metavar="N")
@click.option("--files", type=click.IntRange(min=1), default=1, show_default=True, help="Of each meter: a day each.")
@click.option("--at-once", type=click.IntRange(min=1), default=20, show_default=True, metavar="N")
@click.option("--seconds", type=float, default=60.0, show_default=True, help="The longest it lasts.")
@click.option("--retry-seconds", type=float, default=5.0, show_default=True, help="Until a failed one is tried again.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another history.")
@click.option("--manner", "manners", multiple=True, metavar="NAME[=VALUE]", help="A peculiarity; see --list-manners.")
@click.option("--list-manners", is_flag=True, help="Name the manners and end.")
@click.option(
    "--acknowledged",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write which files were acknowledged.",
)
def upload(
    call: str,
    login: str,
    password_file: Path | None,
    form: str,
    model: str,
    serial: int,
    meters: int,
    files: int,
    at_once: int,
    seconds: float,
    retry_seconds: float,
    seed: int,
    manners: tuple[str, ...],
    list_manners: bool,
    acknowledged: Path | None,
) -> None:
    """Meters that upload files by FTP.

    Ends when every file is acknowledged. Exit status 1 if one is not.
    """
    if list_manners:
        _print_switches(described(Manners))
        return
    options = UploadOptions(
        call=call,
        login=login,
        password=password_file.read_text("utf-8").strip("\r\n") if password_file is not None else "",
        form=form,
        model=model,
        meters=meters,
        files=files,
        at_once=at_once,
        first_serial=serial,
        seed=seed,
        seconds=seconds,
        retry_s=retry_seconds,
        manners=switched(Manners, manners),
        acknowledged=acknowledged,
    )

    async def work(reactor: Any) -> UploadStatistics:
        return await simulate_upload(reactor, options, _say)

    statistics = _until_stopped(work)
    if statistics is not None and statistics.acknowledged < statistics.files:
        raise Failed(f"{statistics.files - statistics.acknowledged} files were not acknowledged by {call}")


@simulate.command()
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="How many.")
@click.option("--pty", "way", flag_value="pty", default="pty", help="On pseudo terminals. [this]")
@click.option("--tcp", "way", flag_value="tcp", help="Behind serial servers: raw TCP, a port each.")
@click.option("--rfc2217", "way", flag_value="rfc2217", help="Behind serial servers that speak RFC 2217.")
@click.option("--mixed", "way", flag_value="mixed", help="In turn on a terminal, raw TCP and RFC 2217.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="The first modem's port.")
@click.option("--links", metavar="DIR", type=click.Path(path_type=Path), help="Lasting names for the terminals.")
@click.option("--control", default="", metavar="HOST:PORT", help="Hear there whose power to cycle, and who calls.")
@click.option("--book", metavar="FILE", type=click.Path(path_type=Path), help="Who answers which number (TOML).")
@click.option("--meters", type=click.IntRange(min=0), metavar="N", help="Meters with numbers. [1; with a book 0]")
@click.option("--model", "models", default="ek270", show_default=True, help="The meters' models, in turn.")
@click.option("--first-serial", type=int, default=41203377, show_default=True)
@click.option("--first-number", default="+79160000001", show_default=True)
@click.option("--failures", multiple=True, metavar="NAME[=VALUE],..", help="A way to fail; see --list-failures.")
@click.option("--list-failures", is_flag=True, help="Name the failures and end.")
@click.option("--share", default="100%", show_default=True, metavar="N%", help="Of the calls that fail.")
@click.option("--setup-seconds", default="10-40", show_default=True, metavar="LOW-HIGH", help="Until CONNECT.")
@click.option("--round-trip", type=click.FloatRange(min=0), default=0.6, show_default=True, metavar="S")
@click.option("--bytes-per-second", type=click.FloatRange(min=0), default=960.0, show_default=True)
@click.option("--jitter", default="0%", show_default=True, metavar="N%", help="Of the radio frames that come late.")
@click.option("--speed-up", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, metavar="X")
@click.option("--dump", metavar="DIR", type=click.Path(path_type=Path), help="Write what meters hold, and the calls.")
@click.option("--seconds", type=float, default=0.0, help="End by itself. [runs until stopped]")
@_ways_of_being
def modems(
    count: int,
    way: str,
    listen: str,
    links: Path | None,
    control: str,
    book: Path | None,
    meters: int | None,
    models: str,
    first_serial: int,
    first_number: str,
    failures: tuple[str, ...],
    list_failures: bool,
    share: str,
    setup_seconds: str,
    round_trip: float,
    bytes_per_second: float,
    jitter: str,
    speed_up: float,
    dump: Path | None,
    seconds: float,
    seed: int,
    days: int | None,
    quirks: tuple[str, ...],
    list_quirks: bool,
) -> None:
    """A bank of GSM modems, with a telephone network behind it.

    Prints where each modem is, who answers which number, and `ready`. Nothing but loopback is ever dialled.
    """
    if list_quirks:
        _print_switches(described())
        return
    if list_failures:
        _print_switches({**described(CallFaults), **described(ModemFaults), EVERYTHING: "every kind of failing call"})
        return
    options = BankOptions(
        count=count,
        way=way,
        listen=listen,
        links=links,
        control=control,
        book=book,
        meters=meters if meters is not None else 0 if book is not None else 1,
        models=tuple(models.split(",")),
        first_serial=first_serial,
        first_number=first_number,
        days=62 if days is None else days,
        quirks=from_options(quirks),
        failures=failures,
        share=_share(share),
        setup_s=_range(setup_seconds),
        bytes_per_second=bytes_per_second,
        round_trip_s=round_trip,
        repeated=_share(jitter),
        speed_up=speed_up,
        seed=seed,
        dump=dump,
        seconds=seconds,
    )

    async def work(reactor: Any) -> None:
        await simulate_modems(reactor, options, _say)

    _until_stopped(work)


def _share(text: str) -> float:
    number = text.strip().removesuffix("%")
    if not number.replace(".", "", 1).isdecimal() or float(number) > 100:
        raise OperatorError(f"{text!r} is no share; write it as 10%")
    return float(number) / 100


def _range(text: str) -> tuple[float, float]:
    low, dash, high = text.partition("-")
    parts = (low, high if dash else low)
    if not all(part.replace(".", "", 1).isdecimal() for part in parts) or float(parts[0]) > float(parts[1]):
        raise OperatorError(f"{text!r} is no range of seconds; write it as 10-40")
    return float(parts[0]), float(parts[1])


def _until_stopped(work: Any) -> Any:
    try:
        return run_reactor(work)
    except Stopped:
        return None
    except OSError as error:
        raise OperatorError(str(error)) from error


def _say(line: str) -> None:
    click.echo(line)


def _print_switches(switches: dict[str, str]) -> None:
    for name, says in switches.items():
        click.echo(f"{name:24} {says}")
