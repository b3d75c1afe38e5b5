"""The edge to Twisted, in a process of its own: a reactor runs once."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from tests.cli.desk import Desk

HEAD = """
import sys
from twisted.internet.defer import Deferred
from gateway_server.cli.errors import Stopped
from gateway_server.cli.reactor import run_reactor
"""


def python(desk: Desk, body: str, *, kill: bool = False) -> str:
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=desk.environment(),
    )
    assert process.stdout is not None
    begun = process.stdout.readline() if kill else ""
    if kill:
        process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    return begun + out


@pytest.mark.end_to_end
def test_work_gives_its_result(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            waited = Deferred()
            reactor.callLater(0, waited.callback, 7)
            return await waited
        print(run_reactor(work))
    """) == "7\n"  # fmt: skip


@pytest.mark.end_to_end
def test_work_that_fails_at_once_raises(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            raise ValueError("no")
        try:
            run_reactor(work)
        except ValueError as error:
            print("raised", error)
    """) == "raised no\n"  # fmt: skip


@pytest.mark.end_to_end
def test_signal_lets_work_close_what_it_opened(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            print("begun", flush=True)
            try:
                await Deferred()
            finally:
                closed = Deferred()
                reactor.callLater(0.05, closed.callback, None)
                await closed
                print("closed")
        try:
            run_reactor(work)
        except Stopped:
            print("stopped")
    """, kill=True) == "begun\nclosed\nstopped\n"  # fmt: skip


@pytest.mark.end_to_end
def test_work_that_ends_as_the_reactor_stops_ends_well(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            over = Deferred()
            reactor.addSystemEventTrigger("before", "shutdown", over.callback, "over")
            print("begun", flush=True)
            return await over
        print(run_reactor(work))
    """, kill=True) == "begun\nover\n"  # fmt: skip
