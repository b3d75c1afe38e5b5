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


_PROFILE = "docs/profile.md says how a profile is written by hand, and `workbench verify` tries it on captures"

from_captures = (
    later("import", "Takes in captures.", _PROFILE),
    later("analyze", "Says how they could be cut into frames.", _PROFILE),
    later("draft", "Drafts a profile.", _PROFILE),
    later("tap", "Listens between a meter and another program.", _PROFILE),
)
copy = later(
    "copy",
    "Moves the store to PostgreSQL.",
    "this one keeps its store in SQLite; `gateway-server store backup FILE` makes a copy of it",
)
