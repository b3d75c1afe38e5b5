"""``workbench``: from captures of a protocol to a running profile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from gateway_server.cli.errors import Failed, harmless
from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.cli.later import from_captures
from gateway_server.cli.listing import JsonValue, print_json
from gateway_server.cli.options import json_option
from gateway_server.cli.workbench_export import export, named_codec
from gateway_server.codec.codec import Codec
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.schema import schema
from gateway_server.errors import OperatorError
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.readings import Told, read_readings
from gateway_server.workbench.readings import write_readings as write_readings_text
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_codec import verify_codec
from gateway_server.workbench.verify_names import check_names
from gateway_server.workbench.verify_profile import Verified, check_sources, verify_capture
from gateway_server.workbench.verify_readings import READINGS, readings_shown

MOST_SHOWN = 20
READINGS_SUFFIX = ".readings"


@click.group()
def workbench() -> None:
    """From captures of a protocol to a running profile."""


for _verb in (export, *from_captures):
    workbench.add_command(_verb)


@workbench.command()
@click.argument("profile")
@click.argument(
    "captures", nargs=-1, metavar="[CAPTURE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--write-readings",
    is_flag=True,
    help="Keep what is read beside each capture that has no .readings file: look at it, then it is what is right.",
)
@json_option
@config_option
@pass_invocation
def verify(
    invocation: Invocation, profile: str, captures: tuple[Path, ...], write_readings: bool, as_json: bool
) -> None:
    """Runs a meter profile against captures.

    PROFILE is a YAML file or the name of an installed profile; a map of registers is taken, too. Says what is wrong
    with it by line and key; then, for every capture, which frames it reads, whether they come out byte for byte when
    put together again, whether the meter would get the replies that it got, and what was read: the first 20 rows, with
    --json all. What is read must be what the file `.readings` beside the capture says, if there is one, with one JSON
    object a line, as --write-readings writes it. Exit status 1 if a check is not met.
    """
    codec = named_codec(invocation, profile)
    found = [_About("", tuple(_checks_of(codec)))]
    for path in captures:
        one = _verify(codec, path)
        found.append(_About(str(path), one.checks, one.readings))
        beside = path.with_suffix(READINGS_SUFFIX)
        if write_readings and not beside.exists():
            _write(beside, one.readings)
    if as_json:
        print_json([_as_json(about.capture, check, about.readings) for about in found for check in about.checks])
    else:
        _show(codec, found)
    missed = sum(not check.ok for about in found for check in about.checks)
    if missed:
        raise Failed(f"{missed} checks of {codec.name} are not met")


@dataclass(frozen=True, slots=True)
class _About:
    """What was found about a capture, or about the profile itself."""

    capture: str
    checks: tuple[Check, ...]
    readings: tuple[Told, ...] = ()


def _checks_of(codec: Codec) -> Iterator[Check]:
    if isinstance(codec, ProfileCodec):
        yield from check_sources(codec)
        yield from check_names(codec.profile)


def _verify(codec: Codec, path: Path) -> Verified:
    try:
        capture = read_capture(path.read_text("utf-8"))
    except (OperatorError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path}: {error}") from None
    expected = _known(path.with_suffix(READINGS_SUFFIX))
    if isinstance(codec, ProfileCodec):
        return verify_capture(codec, capture, expected)
    return verify_codec(codec, capture, expected)


def _known(beside: Path) -> list[Told] | None:
    if not beside.is_file():
        return None
    try:
        return list(read_readings(beside.read_text("utf-8")))
    except (OperatorError, UnicodeDecodeError) as error:
        raise OperatorError(f"{beside}: {error}") from None


def _write(beside: Path, readings: tuple[Told, ...]) -> None:
    try:
        beside.write_text(write_readings_text(readings), "utf-8")
    except OSError as error:
        raise OperatorError(f"cannot write {beside}: {error.strerror}") from None
    click.echo(f"{beside}: {len(readings)} readings and events written", err=True)


def _as_json(where: str, check: Check, readings: tuple[Told, ...]) -> JsonValue:
    said: dict[str, JsonValue] = {
        "capture": where,
        "check": check.name,
        "ok": check.ok,
        "remark": check.remark,
        "detail": check.detail,
    }
    return {**said, "readings": [dict(one) for one in readings]} if check.name == READINGS else said


def _show(codec: Codec, found: list[_About]) -> None:
    click.echo(f"{codec.name} {codec.version}{_size(codec)}")
    for about in found:
        if about.capture:
            click.echo(f"\n{about.capture}")
        for check in about.checks:
            mark = "wrong" if not check.ok else "note " if check.remark else "ok   "
            click.echo(harmless(f"{mark}  {check.name}: {check.detail}"))
        if about.readings:
            lines = list(readings_shown(about.readings))
            click.echo("what was read:")
            for line in lines[:MOST_SHOWN]:
                click.echo(harmless(f"  {line}"))
            if len(lines) > MOST_SHOWN:
                click.echo(f"  and {len(lines) - MOST_SHOWN} rows more; --json has them all")


def _size(codec: Codec) -> str:
    if not isinstance(codec, ProfileCodec):
        return ""
    profile = codec.profile
    return (
        f": {len(profile.framings)} framings, {len(profile.messages)} messages,"
        f" {'answers' if profile.answer is not None else 'does not answer'},"
        f" {'asks' if profile.read is not None else 'does not ask'}"
    )


@workbench.command("schema")
def print_schema() -> None:
    """Prints the JSON Schema of meter profiles.

    Editors check a profile by it while you type.
    """
    click.echo(json.dumps(schema(), indent=2))
