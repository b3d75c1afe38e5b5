"""Files the program writes: whole or not at all, and ``-`` for standard output."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway_server.cli.errors import say

STANDARD_OUTPUT = Path("-")


@contextmanager
def written_to(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Takes bytes for ``path``. The file appears when all is written; a failure leaves what was there before."""
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer.write
        return
    with placed_at(path) as beside, beside.open("wb") as out:
        yield out.write


@contextmanager
def placed_at(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which takes its place at the end; says so on standard error."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    say(f"written to {path} ({path.stat().st_size} bytes)")
