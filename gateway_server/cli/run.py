"""``run`` and ``check-config``: the gateway itself."""

from __future__ import annotations

import gc
import logging
import resource
import sys
from pathlib import Path
from typing import Any

import click

import gateway_server
from gateway_server.app import PARTS, make_gateway
from gateway_server.cli.check_plan import plan_facts, plan_slips, register_of
from gateway_server.cli.errors import Stopped, say
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.listing import pairs
from gateway_server.cli.reactor import run_reactor
from gateway_server.config import (
    Config,
    ListenerSettings,
    check_codecs,
    check_files,
    check_modems,
    check_uploads,
    check_watches,
)
from gateway_server.config_ftp import FtpSettings
from gateway_server.config_modem import ModemSettings
from gateway_server.config_watch import WatchSettings
from gateway_server.errors import OperatorError

_NOTHING_COMES_IN = (
    "no listener, no FTP drop, no watched folder and no modem that takes calls is configured: no meter can reach us"
)


@click.command()
@config_option
@click.option("--only", default="", metavar="PARTS", help=f"Only these parts, with commas between: {', '.join(PARTS)}.")
@click.option("-v", "--verbose", count=True, help="Log more on standard error.")
@pass_invocation
def run(invocation: Invocation, only: str, verbose: int) -> None:
    """Runs the gateway.

    SIGTERM and Ctrl-C end it cleanly. Prints one line that starts with `ready` and has the addresses, once every
    listener is open.
    """
    config = invocation.config
    invocation.log_level(logging.DEBUG if verbose + invocation.verbose else logging.INFO)
    parts = tuple(part.strip() for part in only.split(",") if part.strip())
    registry = invocation.codecs(told=False)

    _serve_many()

    async def work(reactor: Any) -> None:
        gateway = make_gateway(reactor, config, now_ms=invocation.now_ms, only=parts, registry=registry)
        for notice in gateway.notices:
            say(f"note: {notice}")
        if not _can_come_in(config):
            say(f"note: {_NOTHING_COMES_IN}; see `gateway-server check-config --example`")
        try:
            await gateway.start()
            click.echo(gateway.ready_line)
            sys.stdout.flush()
            raise await gateway.over
        finally:
            await gateway.stop()

    try:
        run_reactor(work)
    except Stopped:
        say("the gateway has ended")


def _serve_many() -> None:
    """Lets this process hold as many lines as the system allows, and look for garbage seldom.

    Next to nothing here is freed by the garbage collector, but with ten thousand sessions each of its rounds takes
    tens of milliseconds, in which no meter gets an answer.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@click.command("check-config")
@click.option("--example", is_flag=True, help="Print a configuration in which every option stands with its default.")
@config_option
@pass_invocation
def check_config(invocation: Invocation, example: bool) -> None:
    """Says what is wrong with the configuration.

    Or `ok`, and what would run; with notes on meters and groups that the register does not have.
    `check-config --example > gateway.toml` begins one.
    """
    if example:
        click.echo(_example(), nl=False)
        return
    config = invocation.config
    registry = invocation.codecs()
    check_codecs(config, registry)
    check_files(config)
    check_uploads(config)
    check_watches(config)
    check_modems(config)
    meters = register_of(invocation)
    click.echo(f"ok: {config.path or 'no configuration file, every default'}")
    listeners = [(f"listener {listener.name}", _listener(listener)) for listener in config.listener]
    facts = [
        ("store", config.store.url),
        ("key of the access codes", str(config.key_file or "beside the store")),
        ("codecs", ", ".join(f"{codec.name} {codec.version}" for codec in registry)),
        *listeners,
        *((f"ftp {ftp.name}", _uploads(ftp)) for ftp in config.ftp),
        *((f"watch {watch.name}", _watched(watch, config.folder)) for watch in config.watch),
        *((f"modem {modem.name}", _modem(modem)) for modem in config.modem),
        *plan_facts(config, meters, invocation.now_ms()),
    ]
    for line in pairs(facts):
        click.echo(line)
    for slip in plan_slips(config, meters) if meters is not None else ():
        say(f"note: {slip}")
    if not _can_come_in(config):
        click.echo(f"note: {_NOTHING_COMES_IN}")


def _can_come_in(config: Config) -> bool:
    """Whether anything can reach the gateway that it did not ask for."""
    takes_calls = any(modem.answer != "never" for modem in config.modem)
    return bool(config.listener or config.ftp or config.watch or takes_calls)


def _example() -> str:
    """The commented example: beside the package in a working copy, within it when installed."""
    package = Path(gateway_server.__file__).parent
    for folder in (package, package.parent / "config"):
        if (path := folder / "gateway.example.toml").is_file():
            return path.read_text("utf-8")
    raise OperatorError("the example configuration is missing from this installation; install the program anew")


def _listener(listener: ListenerSettings) -> str:
    speaks = "the gateway asks" if listener.role == "ask" else "the meter speaks first"
    codecs, rules = " or ".join(listener.codecs), ", then ".join(listener.identify)
    return f"{listener.endpoint}, {codecs}, {speaks}, known by {rules}"


def _modem(modem: ModemSettings) -> str:
    answers = {"never": "takes no calls", "known": "takes calls of known meters", "any": "takes every call"}
    bearers = f", bearer {', then '.join(modem.bearers)}" if modem.bearers and modem.type != "analogue" else ""
    return f"{modem.port}, {modem.speed} baud, {modem.type}{bearers}, {answers[modem.answer]}"


def _watched(watch: WatchSettings, folder: Path) -> str:
    whose = "its folders are accounts" if watch.by_login else ""
    if watch.login:
        whose = f"account {watch.login}"
    return f"{folder / watch.path}, every {watch.every:g} s, {whose or 'the content says whose it is'}"


def _uploads(ftp: FtpSettings) -> str:
    ports = f"passive ports {ftp.passive_ports}" if ftp.passive_ports else "any passive port"
    way = f"{ports}{' or active' if ftp.active else ''}{', TLS' if ftp.certificate else ''}"
    shared = "".join(f", shared account {account.login}" for account in ftp.account)
    return f"{ftp.listen}, {way}, accounts of the register{shared}"
