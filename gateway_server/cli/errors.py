"""The one place where errors become a message and an exit status: 0 done, 1 tried and failed, 2 wrong usage."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress

import click

from gateway_server.errors import GatewayError, OperatorError, StoreFull

FAILED = 1
WRONG_USAGE = 2
STOPPED = 130  # as shells say it for Ctrl-C


class Failed(GatewayError):
    """Tried and failed: the message is for standard error, the exit status is 1."""


class Stopped(GatewayError):
    """Somebody stopped the program (Ctrl-C, SIGTERM) before its work was done."""

    def __init__(self) -> None:
        super().__init__("stopped")


def run_program(program: Callable[[], object], *, debug: bool) -> int:
    """Runs the program and gives its exit status; nothing a user can cause leaves a traceback."""
    try:
        program()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except (click.Abort, Stopped):
        say("stopped")
        return STOPPED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        say("stopped")
        return STOPPED
    except (BrokenPipeError, SystemExit):  # click makes a SystemExit of a broken pipe, and of nothing else
        _close_output()
        return 0
    except OperatorError as error:
        say(f"gateway-server: {error}")
        return WRONG_USAGE
    except StoreFull as error:
        say(f"gateway-server: {error}; make room on the store's disk and try again")
        return FAILED
    except GatewayError as error:
        say(f"gateway-server: {error}")
        return FAILED
    except (OSError, sqlite3.Error) as error:
        if debug:
            raise
        say(f"gateway-server: {error}")
        return FAILED
    except Exception as error:
        if debug:
            raise
        say(f"gateway-server: a fault of the program: {type(error).__name__}: {error}")
        say(f"The details are in {_keep_details()}; please report it. --debug shows them at once.")
        return FAILED
    return 0


def say(message: str) -> None:
    """A message for the person, on standard error."""
    click.echo("\n".join(map(harmless, message.split("\n"))), err=True)


def harmless(text: str, keep: str = "") -> str:
    """Text for one line of a terminal, its control characters shown as ``\\x1b`` (but those of ``keep``): what a meter
    said, or named a file, must not steer it."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape", "surrogatepass").decode("ascii")
        for one in text
    )


def _keep_details() -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="gateway-server-", suffix=".log", delete=False, encoding="utf-8"
    ) as out:
        traceback.print_exc(file=out)
        return out.name


def _close_output() -> None:
    """Whoever read our output went away; keep Python from complaining about it at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
