"""``store``: whether it is sound, and a copy of it."""

from __future__ import annotations

from pathlib import Path

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, say
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.listing import print_json
from gateway_server.errors import OperatorError, StoreError
from gateway_server.store.check import back_up, check_store


@click.group()
def store() -> None:
    """The store: check it, back it up."""


@store.command()
@opt.json_option
@config_option
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> None:
    """Says whether the store is sound.

    Reads all of it; a gateway may run meanwhile.
    """
    try:
        with invocation.store(create=False) as opened:
            report = check_store(opened)
    except OperatorError as error:
        if isinstance(error.__cause__, StoreError):  # so damaged that it cannot even be opened
            raise Failed(str(error)) from error
        raise
    if as_json:
        print_json(
            {
                "sound": report.sound,
                "problems": list(report.problems),
                "counts": report.counts,
                "running_sessions": list(report.running),
                "killed_sessions": list(report.killed),
            }
        )
    else:
        for name, count in report.counts.items():
            click.echo(f"{count:>12}  {name}")
        for numbers, what in ((report.running, "running"), (report.killed, "left open by a gateway that was killed")):
            if numbers:
                click.echo(f"{len(numbers):>12}  sessions {what}")
        for problem in report.problems:
            click.echo(problem)
    if not report.sound:
        raise Failed("the store is damaged: stop the gateway, keep a copy of the file, go back to the last backup")
    if not as_json:
        click.echo("the store is sound")


@store.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@pass_invocation
def backup(invocation: Invocation, file: Path) -> None:
    """Copies the store to FILE.

    A gateway may run meanwhile. The key file of the access codes is not in the copy: keep one apart.
    """
    with invocation.store() as opened:
        back_up(opened, file)
    say(f"written to {file} ({file.stat().st_size} bytes)")
