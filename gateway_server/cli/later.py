"""Verbs whose names are fixed and whose work comes with a later version: they say so, and what helps until then."""

from __future__ import annotations

import click

from gateway_server.cli.invocation import config_option
from gateway_server.errors import OperatorError

_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}


def later(name: str, purpose: str, until_then: str) -> click.Command:
    """A verb that takes whatever it is given and answers in one line."""

    @click.command(name, context_settings=_ANYTHING, help=f"{purpose} Comes with a later version.")
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    @config_option
    @click.pass_context
    def verb(context: click.Context, arguments: tuple[str, ...]) -> None:
        called = context.command_path.partition(" ")[2]
        raise OperatorError(f"`{called}` comes with a later version; {until_then}")

    return verb


_CODEC = "docs/codec.md says how a codec is written, and `session export ID --format capture` gives it its first test"

workbench = click.Group(
    "workbench",
    help="From captures of an unknown protocol to a running codec. Comes with a later version.",
    commands=[
        later("import", "Takes in captures.", _CODEC),
        later("analyze", "Says how they could be cut into frames.", _CODEC),
        later("draft", "Drafts a profile.", _CODEC),
        later("verify", "Tries a profile on captures.", _CODEC),
        later("export", "Makes a plugin of a profile.", _CODEC),
        later("tap", "Listens between a meter and another program.", _CODEC),
    ],
)
copy = later(
    "copy",
    "Moves the store to PostgreSQL.",
    "this one keeps its store in SQLite; `gateway-server store backup FILE` makes a copy of it",
)
