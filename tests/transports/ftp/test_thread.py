"""The two ways between the reactor and the FTP thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from gateway_server.transports.ftp.thread import FtpThread


class Reactor:
    def __init__(self) -> None:
        self.calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> None:
        self.calls.put((f, args))

    def turn(self) -> None:
        f, args = self.calls.get(timeout=60)
        f(*args)


def stopped(thread: FtpThread, reactor: Reactor) -> None:
    over: list[str] = []
    thread.stop(lambda: over.append("goodbye"), lambda: over.append("over"))
    while over[-1:] != ["over"]:
        reactor.turn()
    assert over == ["goodbye", "over"]


def test_what_one_turn_has_for_the_reactor_goes_there_together() -> None:
    reactor = Reactor()
    thread = FtpThread(reactor)
    heard: list[object] = []

    def speak() -> None:
        for word in ("one", "two"):
            thread.hand_over(heard.append, (word, threading.current_thread().name))

    thread.call(speak)
    thread.start()
    reactor.turn()
    assert heard == [("one", "ftp"), ("two", "ftp")]
    stopped(thread, reactor)


def test_calls_from_any_thread_run_in_this_one_in_order() -> None:
    reactor = Reactor()
    thread = FtpThread(reactor)
    thread.start()
    said: SimpleQueue[tuple[int, str]] = SimpleQueue()
    for number in range(1000):
        thread.call(lambda number=number: said.put((number, threading.current_thread().name)))
    assert [said.get(timeout=60) for _ in range(1000)] == [(number, "ftp") for number in range(1000)]
    stopped(thread, reactor)


def test_one_mistake_keeps_nothing_else_from_running(caplog: pytest.LogCaptureFixture) -> None:
    reactor = Reactor()
    thread = FtpThread(reactor)
    heard: list[str] = []

    def wrong() -> None:
        raise RuntimeError("a defect")

    thread.call(wrong)
    thread.call(lambda: thread.hand_over(wrong))
    thread.call(lambda: thread.hand_over(heard.append, "still here"))
    thread.start()
    reactor.turn()
    assert heard == ["still here"]
    assert caplog.text.count("RuntimeError: a defect") == 2
    stopped(thread, reactor)


def test_thread_that_never_ran_stops_at_once() -> None:
    over: list[str] = []
    FtpThread(Reactor()).stop(lambda: over.append("goodbye"), lambda: over.append("over"))
    assert over == ["over"]


def test_sweeps_are_called_again_and_again() -> None:
    reactor = Reactor()
    thread = FtpThread(reactor)
    swept = threading.Semaphore(0)
    thread.sweeps.append(swept.release)
    thread.start()
    assert swept.acquire(timeout=60)
    assert swept.acquire(timeout=60)
    stopped(thread, reactor)
