"""The edge to Twisted: one reactor, run until something is done or somebody stops it."""

from __future__ import annotations

import logging
import select
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.main import installReactor
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.python.failure import Failure

from gateway_server.cli.errors import Stopped

T = TypeVar("T")


def run_reactor(work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Runs the reactor until ``work`` is done and gives what it gave; raises what it raised.

    SIGINT and SIGTERM cancel work that is not done, so that its ``finally`` closes what it opened; when it has done
    so, `Stopped` is raised.
    """
    reactor = _reactor()
    # Twisted goes by the machine's clock: set back by an hour, every timeout would wait an hour longer.
    ahead = time.time() - time.monotonic()
    reactor.seconds = lambda: ahead + time.monotonic()  # it reads its time there
    _bridge_logging()
    _let_signals_stop(reactor)
    running = _Running(reactor, work)
    reactor.callWhenRunning(running.begin)
    reactor.run()
    if not running.results:
        raise Stopped
    result = running.results[0]
    if isinstance(result, Failure):
        result.raiseException()
    return cast(T, result)


def _reactor() -> Any:
    """The process's reactor: the lean one where there is epoll and nobody has installed another."""
    if hasattr(select, "epoll") and "twisted.internet.reactor" not in sys.modules:
        from gateway_server.transports.epoll import LeanEPollReactor

        make: Any = LeanEPollReactor  # Twisted's own has no types
        installReactor(make())
    from twisted.internet import reactor

    return reactor


def _let_signals_stop(reactor: Any) -> None:
    """Twisted's own handlers take a second signal, while what the first one stopped is being closed, for a fault."""

    def stop() -> None:
        with suppress(ReactorNotRunning):
            reactor.stop()

    def signalled(_number: int, _frame: FrameType | None = None) -> None:
        reactor.callFromThread(stop)

    reactor.sigInt = reactor.sigTerm = reactor.sigBreak = signalled


class _Running:
    """Work in the reactor."""

    def __init__(self, reactor: Any, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
        self.results: list[Any] = []
        self._reactor = reactor
        self._work = work
        self._over: Deferred[None] = Deferred()
        self._stopping = False
        self._done = False
        self._deferred: Deferred[Any] | None = None

    def begin(self) -> None:
        """Starts it."""
        self._deferred = Deferred.fromCoroutine(self._work(self._reactor))
        # Behind whatever the work itself arranged for the end.
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        self._deferred.addBoth(self._keep)

    def _keep(self, result: Any) -> None:
        self._done = True
        if self._stopping:
            self._over.callback(None)
            return
        self.results.append(result)
        with suppress(ReactorNotRunning):  # what the work itself arranged for the end may have come first
            self._reactor.stop()

    def _stop(self) -> Deferred[None] | None:
        if self._done or self._deferred is None:
            return None
        self._stopping = True
        self._deferred.cancel()
        return self._over


def _bridge_logging() -> None:
    """Lets what Twisted logs go the way of everything else; done once, here."""
    logging.captureWarnings(capture=True)
    globalLogBeginner.beginLoggingTo([STDLibLogObserver(name="twisted")], redirectStandardIO=False, discardBuffer=True)
