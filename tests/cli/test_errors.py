"""Every error becomes a message and an exit status."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from gateway_server.cli.errors import Failed, Stopped, harmless, run_program, say
from gateway_server.errors import CodecError, MeterSilent, OperatorError, StoreFull

Captured = pytest.CaptureFixture[str]


def raising(error: BaseException) -> Callable[[], object]:
    def program() -> object:
        raise error

    return program


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OperatorError("no such meter"), 2, "no such meter"),
        (Failed("3 rows were refused"), 1, "3 rows were refused"),
        (MeterSilent("meter 1 said nothing"), 1, "meter 1 said nothing"),
        (CodecError("a block without end"), 1, "a block without end"),
        (StoreFull("no room in gateway.db"), 1, "make room"),
        (click.UsageError("no such option"), 2, "no such option"),
        (PermissionError(13, "Permission denied", "/root/x"), 1, "/root/x"),
        (sqlite3.OperationalError("database is locked"), 1, "database is locked"),
        (KeyboardInterrupt(), 130, "stopped"),
        (Stopped(), 130, "stopped"),
    ],
)
def test_what_a_user_can_cause_is_a_message_without_traceback(
    error: BaseException, status: int, said: str, capsys: Captured
) -> None:
    assert run_program(raising(error), debug=False) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_fault_of_ours_leaves_its_details_in_a_file(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_program(raising(ZeroDivisionError("division by zero")), debug=False) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    (details,) = tmp_path.iterdir()
    assert "Traceback" in details.read_text()


def test_debug_shows_where_a_fault_arose() -> None:
    with pytest.raises(ZeroDivisionError):
        run_program(raising(ZeroDivisionError()), debug=True)


def test_work_that_succeeds_gives_zero() -> None:
    assert run_program(lambda: None, debug=False) == 0


def test_reader_of_the_output_that_has_seen_enough_is_no_failure() -> None:
    done = subprocess.run([sys.executable, "-c", _MUCH_TALK], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


# Its own standard output becomes a pipe that nobody reads; click would make exit status 1 of it.
_MUCH_TALK = """
import os, sys, click
from gateway_server.cli.errors import run_program
ours, theirs = os.pipe()
os.close(ours)
os.dup2(theirs, 1)

@click.command()
def talk():
    for _ in range(100_000):
        click.echo("a line")

sys.exit(run_program(lambda: talk.main([], standalone_mode=False), debug=False))
"""


def test_control_characters_are_shown_and_steer_no_terminal(capsys: Captured) -> None:
    assert harmless("°C м³") == "°C м³"
    assert harmless("a\x1b[31m\x07\n\u202e") == "a\\x1b[31m\\x07\\n\\u202e"
    assert harmless("a\rb\x00\x7f\x9b half \udcff") == "a\\rb\\x00\\x7f\\x9b half \\udcff"
    assert harmless("Архив №3\tb\x1b", keep="\t") == "Архив №3\tb\\x1b"
    say("meter \x1b]0;x\x07 answers\nat its place")
    assert capsys.readouterr().err == "meter \\x1b]0;x\\x07 answers\nat its place\n"
