"""Files the program writes: whole or not at all, and ``-`` for standard output."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway_server.cli.errors import Failed, say
from gateway_server.errors import OperatorError

STANDARD_OUTPUT = Path("-")


@contextmanager
def written_to(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Takes bytes for ``path``. The file appears when all is written; a failure leaves what was there before."""
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer.write
        return
    with placed_at(path) as beside, beside.open("wb") as out:
        yield out.write


def _check_place(path: Path) -> None:
    """Raises `OperatorError` where no file can be, before anything is gathered for it."""
    if path.is_dir():
        raise OperatorError(f"{path} is a folder; name a file in it")
    folder = path.parent
    if not folder.exists():
        raise OperatorError(f"the folder {folder} does not exist; make it, or write somewhere else")
    if not folder.is_dir():
        raise OperatorError(f"{folder} is no folder, so {path.name} cannot be in it")


@contextmanager
def placed_at(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which takes its place at the end; says so on standard error."""
    _check_place(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        if error.filename != str(beside) and error.errno != errno.ENOSPC:
            raise  # it is about something else
        raise Failed(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            beside.unlink()
    say(f"written to {path} ({path.stat().st_size} bytes)")
