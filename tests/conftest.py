"""What holds for every test."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import provider

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Run as a shell's background job: programs under test would inherit deafness to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_deferred_fails_unheard() -> Iterator[None]:
    """Fails a test in which a Deferred failed and nobody listened, or a callback of Twisted's raised."""
    heard: list[str] = []

    @provider(ILogObserver)
    def listen(event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical or event.get("isError"):
            failure = event.get("log_failure")
            heard.append(failure.getTraceback() if failure is not None else str(event.get("log_format")))

    globalLogPublisher.addObserver(listen)
    yield
    gc.collect(1)  # an unheard failure is told when its Deferred is collected
    globalLogPublisher.removeObserver(listen)
    assert not heard, "\n".join(heard)
