"""``workbench export``: a meter profile for the tools of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.codec.declaration import SUFFIXES, read_declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.form import MeterProfile
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.errors import OperatorError
from gateway_server.workbench.export_kaitai import kaitai
from gateway_server.workbench.export_wireshark import wireshark

FORMATS: dict[str, Callable[[MeterProfile], str]] = {"wireshark": wireshark, "kaitai": kaitai}


def named_profile(invocation: Invocation, name: str) -> ProfileCodec:
    """The codec of a profile: by its file, or by the name it has among the plugins. Raises `OperatorError`."""
    path = Path(name)
    if path.suffix in SUFFIXES:
        if not path.is_file():
            raise OperatorError(f"there is no file {path}")
        try:
            return make_codec(parse_profile(read_declaration(path)))
        except OperatorError as error:
            raise OperatorError("\n".join(f"{path}: {line}" for line in str(error).split("\n"))) from None
    codec = invocation.codecs().get(name)
    if not isinstance(codec, ProfileCodec):
        raise OperatorError(f"the codec {name} is no meter profile; name one, or a file that ends in .yaml")
    return codec


@click.command()
@click.argument("profile")
@click.option("--format", "format_", required=True, type=click.Choice(list(FORMATS)), help="Whose language.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Where to write it. [standard output]"
)
@config_option
@pass_invocation
def export(invocation: Invocation, profile: str, format_: str, output: Path | None) -> None:
    """Writes a meter profile in the language of another tool.

    PROFILE is a YAML file or the name of an installed profile. `wireshark` is a dissector in Lua that shows the same
    fields, `kaitai` a .ksy that describes a frame. What the other language cannot say is said in the file.
    """
    text = FORMATS[format_](named_profile(invocation, profile).profile)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise OperatorError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"written to {output}")
