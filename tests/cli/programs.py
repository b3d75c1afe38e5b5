"""The real program, started as its own process; ended by its id, and never later than its test."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.desk import Desk, Ran

PATIENCE = 150  # a meter that is silent takes 52 s of it, on a machine that does nothing else


class Program:
    """A running `gateway-server`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def line(self, start: str) -> str:
        """Waits for a line of standard output that begins so."""
        out = self._process.stdout
        assert out is not None
        while line := out.readline():  # unbuffered, so that `wait` finds everything behind this line
            if line.startswith(start.encode()):
                return line.decode().rstrip("\n")
        raise AssertionError(f"the program ended without a line {start!r}")

    def end(self, by: signal.Signals = signal.SIGTERM) -> Ran:
        """Asks it to end, and gives how it did."""
        self._process.send_signal(by)
        return self.wait()

    def wait(self) -> Ran:
        """How it ended by itself."""
        out, err = self._process.communicate(timeout=PATIENCE)
        return Ran(self._process.returncode, out.decode(), err.decode())


@contextmanager
def started(desk: Desk, *arguments: str) -> Iterator[Program]:
    """Starts the program at the desk."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway_server", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=desk.folder,
        env=desk.environment() | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield Program(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ran(desk: Desk, *arguments: str) -> Ran:
    """Runs the program at the desk to its end."""
    with started(desk, *arguments) as program:
        return program.wait()
