"""The real program in a process of its own, for the few tests that want it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str, log: Path | None = None, under: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """Runs ``gateway-server`` with these arguments until the test has done with it; ``log`` gets its standard error.

    ``under`` is the command of a tracer that makes itself its child (``strace -D``).
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with nullcontext() if log is None else log.open("w") as errors:
        running = subprocess.Popen(
            [*under, sys.executable, "-m", "gateway_server", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(10)
        if running.stdout is not None:
            running.stdout.close()


def said_by(*arguments: str) -> str:
    """What ``gateway-server`` with these arguments prints, once it has ended well."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gateway_server", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def first_line(running: subprocess.Popen[str]) -> str:
    """What the program says first."""
    assert running.stdout is not None
    line = running.stdout.readline().strip()
    assert line, "the program ended without a word"
    return line


def free_port() -> int:
    """A TCP port that nobody listens on, for a program that must come back at the same place."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def simulated_meter(*arguments: str) -> Iterator[int]:
    """A simulated meter as a TCP server; gives its port."""
    with program("simulate", "meter", "--listen", "127.0.0.1:0", "--seconds", "60", *arguments) as running:
        yield int(first_line(running).rpartition(":")[2])
