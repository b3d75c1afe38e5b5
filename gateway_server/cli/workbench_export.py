"""``workbench export``: a meter profile for the tools of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from gateway_server.cli.invocation import Invocation, config_option, pass_invocation
from gateway_server.codec.codec import Codec
from gateway_server.codec.declaration import SUFFIXES, read_declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.form import MeterProfile
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.errors import OperatorError
from gateway_server.workbench.export_kaitai import kaitai
from gateway_server.workbench.export_wireshark import wireshark

_PROFILES = "meter_profile"
FORMATS: dict[str, Callable[[MeterProfile], str]] = {"wireshark": wireshark, "kaitai": kaitai}


def named_codec(invocation: Invocation, name: str) -> Codec:
    """The codec of a declaration: by its file, or by the name it has among the plugins. Raises `OperatorError`."""
    path = Path(name)
    if path.suffix in SUFFIXES:
        if not path.is_file():
            raise OperatorError(f"there is no file {path}")
        try:
            said = read_declaration(path)
            if said.text("reads") == _PROFILES:
                return make_codec(parse_profile(said))
            return invocation.codecs().made_of(path)
        except OperatorError as error:
            raise OperatorError(f"{path}: {error}") from None
    codecs = invocation.codecs()
    codec = codecs.get(name)
    if codecs.path(name).suffix not in SUFFIXES:
        raise OperatorError(f"the codec {name} is no meter profile; name one, or a file that ends in .yaml")
    return codec


def named_profile(invocation: Invocation, name: str) -> ProfileCodec:
    """The same, which must be a meter profile: a map of registers cannot be exported."""
    codec = named_codec(invocation, name)
    if not isinstance(codec, ProfileCodec):
        raise OperatorError(f"{name} is declared, but no meter profile, and only those can be exported")
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
