"""The edge to Twisted: one reactor, run until something is done or somebody stops it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorTCP, IReactorTime
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.python.failure import Failure

from gateway_server.cli.errors import Stopped

T = TypeVar("T")


class Reactor(IReactorCore, IReactorTCP, IReactorTime):
    """What we use of it."""


def run_reactor(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Runs the reactor until ``work`` is done and gives what it gave; raises what it raised.

    SIGINT and SIGTERM end the reactor in its own order (triggers "before shutdown" first); work that is not done by
    then raises `Stopped`.
    """
    from twisted.internet import reactor

    bridge_logging()
    results: list[T | Failure] = []

    def keep(result: T | Failure) -> None:
        results.append(result)
        if reactor.running:
            reactor.stop()

    def begin() -> None:
        Deferred.fromCoroutine(work(reactor)).addBoth(keep)

    reactor.callWhenRunning(begin)
    reactor.run()
    if not results:
        raise Stopped
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]


def bridge_logging() -> None:
    """Lets what Twisted logs go the way of everything else; done once, here."""
    logging.captureWarnings(capture=True)
    globalLogBeginner.beginLoggingTo([STDLibLogObserver(name="twisted")], redirectStandardIO=False, discardBuffer=True)
