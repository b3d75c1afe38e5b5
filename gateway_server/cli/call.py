"""``call``: the calls made by modem, and what each of them cost."""

from __future__ import annotations

import click


@click.group()
def call() -> None:
    """Calls by modem."""
