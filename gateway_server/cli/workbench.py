"""``workbench``: from captures of a protocol to a running profile."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway_server.cli.errors import Failed, harmless
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.listing import print_json
from gateway_server.cli.options import json_option
from gateway_server.cli.workbench_export import export, named_profile
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.schema import schema
from gateway_server.errors import OperatorError
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.readings import Told, read_readings
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_profile import REMARKS, check_capture, check_sources


@click.group()
def workbench() -> None:
    """From captures of a protocol to a running profile."""


workbench.add_command(export)


@workbench.command()
@click.argument("profile")
@click.argument(
    "captures", nargs=-1, metavar="[CAPTURE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@json_option
@config_option
@pass_invocation
def verify(invocation: Invocation, profile: str, captures: tuple[Path, ...], as_json: bool) -> None:
    """Runs a meter profile against captures.

    PROFILE is a YAML file or the name of an installed profile. Says what is wrong with it by line and key; then, for
    every capture, which frames it reads, whether they come out byte for byte when put together again, and whether the
    readings are those in the file `.readings` beside it. Exit status 1 if a check is not met.
    """
    codec = named_profile(invocation, profile)
    found = [("", check) for check in check_sources(codec)]
    for path in captures:
        try:
            capture = read_capture(path.read_text("utf-8"))
        except (OperatorError, UnicodeDecodeError) as error:
            raise OperatorError(f"{path}: {error}") from None
        found += [(str(path), check) for check in check_capture(codec, capture, _known(path))]
    if as_json:
        print_json([_as_json(where, check) for where, check in found])
    else:
        _show(codec, found)
    missed = sum(not check.ok for _, check in found)
    if missed:
        raise Failed(f"{missed} checks of {codec.name} are not met")


def _known(path: Path) -> list[Told] | None:
    beside = path.with_suffix(".readings")
    return list(read_readings(beside.read_text("utf-8"))) if beside.is_file() else None


def _as_json(where: str, check: Check) -> dict[str, str | bool]:
    return {"capture": where, "check": check.name, "ok": check.ok, "detail": check.detail}


def _show(codec: ProfileCodec, found: list[tuple[str, Check]]) -> None:
    profile = codec.profile
    click.echo(
        f"{codec.name} {codec.version}: {len(profile.framings)} framings, {len(profile.messages)} messages,"
        f" {'answers' if profile.answer is not None else 'does not answer'},"
        f" {'asks' if profile.read is not None else 'does not ask'}"
    )
    before = ""
    for where, check in found:
        if where != before:
            click.echo(f"\n{where}")
            before = where
        mark = "wrong" if not check.ok else "note " if check.name in REMARKS else "ok   "
        click.echo(harmless(f"{mark}  {check.name}: {check.detail}"))


@workbench.command("schema")
def print_schema() -> None:
    """Prints the JSON Schema of meter profiles.

    Editors check a profile by it while you type.
    """
    click.echo(json.dumps(schema(), indent=2))
