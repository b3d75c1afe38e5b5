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
@pytest.mark.parametrize("second", ["SIGTERM", "SIGINT"])
def test_second_signal_while_the_work_closes_what_it_opened_is_no_fault(desk: Desk, second: str) -> None:
    assert python(desk, f"""
        import logging, os, signal
        logging.basicConfig(level=logging.WARNING)
        async def work(reactor):
            print("begun", flush=True)
            try:
                await Deferred()
            finally:
                closed = Deferred()
                os.kill(os.getpid(), signal.{second})
                reactor.callLater(0.2, closed.callback, None)
                await closed
                print("closed")
        try:
            run_reactor(work)
        except Stopped:
            print("stopped")
    """, kill=True) == "begun\nclosed\nstopped\n"  # fmt: skip


@pytest.mark.end_to_end
def test_signal_in_the_moment_in_which_the_work_ends_by_itself_is_no_fault(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            waited = Deferred()
            reactor.callLater(0, lambda: (reactor.stop(), waited.callback(7)))
            return await waited
        print(run_reactor(work))
    """) == "7\n"  # fmt: skip


@pytest.mark.end_to_end
def test_timeouts_are_not_put_off_when_the_machines_clock_is_set_back(desk: Desk) -> None:
    assert python(desk, """
        import time
        from twisted.internet.base import ReactorBase
        set_back = []
        ReactorBase.seconds = staticmethod(lambda: time.time() - sum(set_back))
        async def work(reactor):
            waited = Deferred()
            reactor.callLater(0.05, waited.callback, 7)
            set_back.append(3600)
            return await waited
        print(run_reactor(work))
    """) == "7\n"  # fmt: skip


def test_work_that_ends_because_the_reactor_does_gives_its_result_without_a_word_more(desk: Desk) -> None:
    assert python(desk, """
        async def work(reactor):
            over = Deferred()
            reactor.addSystemEventTrigger("before", "shutdown", over.callback, 7)
            print("begun", flush=True)
            return await over
        print(run_reactor(work))
    """, kill=True) == "begun\n7\n"  # fmt: skip
