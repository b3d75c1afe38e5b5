"""``store``: whether it is sound, a copy of it and the way back, and its schema."""

from __future__ import annotations

from pathlib import Path

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, say
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.later import copy
from gateway_server.cli.listing import print_json
from gateway_server.errors import OperatorError, StoreError
from gateway_server.scheduler.wake import wake
from gateway_server.store.check import StoreReport, back_up, back_up_file, check_store
from gateway_server.store.open import schema_of, store_path
from gateway_server.store.restore import check_backup
from gateway_server.store.restore import restore as put_back

_WAY_BACK = (
    "stop the gateway, check the disk, and go back to the last backup with `gateway-server store restore BACKUP`"
)


@click.group()
def store() -> None:
    """The store: check it, back it up, restore it."""


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
            raise Failed(f"{error}; {_WAY_BACK}") from error
        raise
    except StoreError as error:  # so damaged that it cannot be read to its end
        raise Failed(f"store {invocation.config.store.url}: {str(error).partition('; ')[0]}; {_WAY_BACK}") from error
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
        _print_counts(report)
        for numbers, what in ((report.running, "running"), (report.killed, "left open by a gateway that was killed")):
            if numbers:
                click.echo(f"{len(numbers):>12}  sessions {what}")
        for problem in report.problems:
            click.echo(problem)
    if not report.sound:
        raise Failed(f"the store is damaged; {_WAY_BACK}")
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
    say(f"`gateway-server store restore {file}` would put it in the store's place")


@store.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Prove that FILE can be restored, and change nothing.")
@config_option
@pass_invocation
def restore(invocation: Invocation, file: Path, dry_run: bool) -> None:
    """Puts a backup in the place of the store.

    FILE is checked as a whole before anything changes, its schema is brought up to date, and the store that was there
    is kept beside it. The gateway must not run meanwhile.
    """
    path = _file_of(invocation)
    if dry_run:
        _print_counts(check_backup(file, path, invocation.config.key_file))
        click.echo(f"{file} is sound and fits the key; nothing was changed (dry run)")
        return
    _gateway_must_not_run(path)
    done = put_back(file, path, invocation.config.key_file, invocation.now_ms())
    _print_counts(done.report)
    click.echo(f"the store {path} is now what {file} holds")
    if done.before is not None:
        say(f"the store that was there is kept as {done.before}; delete it when nobody wants to go back")


@store.command()
@click.option("--dry-run", is_flag=True, help="Say which steps are missing, and change nothing.")
@config_option
@pass_invocation
def migrate(invocation: Invocation, dry_run: bool) -> None:
    """Brings the store's schema up to date, with a backup before.

    Any other verb, and the gateway's start, does the same without a backup.
    """
    path = _file_of(invocation)
    schema = schema_of(path)
    for step in schema.taken:
        click.echo(f"taken    {step}")
    if not schema.missing:
        click.echo("the schema is up to date")
        return
    if not dry_run:
        _gateway_must_not_run(path)
        kept = path.with_name(f"{path.name}.before-{schema.missing[0]}")
        back_up_file(path, kept)
        say(f"the store as it was is kept as {kept}; an older program opens that one only")
        with invocation.store(create=False):
            pass
    for step in schema.missing:
        click.echo(f"{'missing' if dry_run else 'now':<8} {step}")
    click.echo("nothing was changed (dry run)" if dry_run else "the schema is up to date")


store.add_command(copy)


def _print_counts(report: StoreReport) -> None:
    for name, count in report.counts.items():
        click.echo(f"{count:>12}  {name}")


def _file_of(invocation: Invocation) -> Path:
    path = store_path(invocation.config.store.url)
    if path is None:
        raise OperatorError("a store in memory ends with its program; name a file in the configuration")
    return path


def _gateway_must_not_run(path: Path) -> None:
    if wake(path):
        raise OperatorError(f"a gateway runs on the store {path}; stop it first")
