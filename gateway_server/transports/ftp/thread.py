"""The thread in which pyftpdlib runs beside the reactor, and the two ways across.

Everything of a control or data connection happens in this thread. What one turn of its loop has for the reactor goes
there in one `callFromThread`; what others have for the thread is put into a queue and rung for through a socket pair,
once however much there is. Of the store it asks through the reactor too, but for a finished upload (`Landing.take`).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import pyftpdlib.ioloop as pyftpdlib_loop

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 0.5

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class ThreadsReactor(Protocol):
    """What the FTP thread needs of the reactor."""

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> Any: ...


class FtpThread:
    """Runs pyftpdlib's loop. ``sweep`` functions are called about twice a second."""

    def __init__(self, reactor: ThreadsReactor) -> None:
        self._reactor = reactor
        self.loop: Any = pyftpdlib_loop.IOLoop.factory()
        self.sweeps: list[Callable[[], None]] = []
        self._outbox: list[Call] = []
        self._inbox: deque[Call] = deque()
        self._bell = _Bell(self.loop, self._answer)
        self._thread = threading.Thread(target=self._run, name="ftp", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begins to serve what was registered with the loop."""
        self._thread.start()

    def stop(self, goodbye: Callable[[], None], done: Callable[[], None]) -> None:
        """Calls ``goodbye`` in this thread, closes every connection, then calls ``done`` on the reactor's thread,
        behind all that was handed over."""
        if self._thread.is_alive():
            self.call(goodbye)
            self.call(self._stop, done)
        else:
            self.loop.close()
            self._bell.close()
            done()

    def call(self, f: Callable[..., Any], *args: Any) -> None:
        """Runs something in this thread; from any thread."""
        self._inbox.append((f, args))
        self._bell.ring()

    def hand_over(self, f: Callable[..., Any], *args: Any) -> None:
        """Runs something on the reactor's thread, after this turn of the loop; from this thread only."""
        self._outbox.append((f, args))

    # in the thread

    def _run(self) -> None:
        loop = self.loop
        poll = loop.poll
        scheduled = loop.sched.poll
        loop.call_every(_SWEEP_SECONDS, self._sweep)
        wait: float | None = 0
        while not self._stopping:
            try:
                poll(wait)
                wait = scheduled()
            except Exception:  # one connection's mistake must not end the others
                logger.exception("the FTP thread failed over one of its connections")
            if self._outbox:
                outbox, self._outbox = self._outbox, []
                self._reactor.callFromThread(_run_all, outbox)

    def _sweep(self) -> None:
        for sweep in self.sweeps:
            sweep()

    def _answer(self) -> None:
        inbox = self._inbox
        for _ in range(len(inbox)):
            f, args = inbox.popleft()
            try:
                f(*args)
            except Exception:  # as above
                logger.exception("the FTP thread failed over an answer")

    def _stop(self, done: Callable[[], None]) -> None:
        self._stopping = True
        self.loop.close()
        self._bell.close()
        self.hand_over(done)


def _run_all(calls: list[Call]) -> None:
    for f, args in calls:
        try:
            f(*args)
        except Exception:  # one upload's mistake must not keep the others from the store
            logger.exception("an upload could not be handed over")


class _Bell:
    """Wakes the loop from other threads."""

    def __init__(self, loop: Any, answer: Callable[[], None]) -> None:
        self._answer = answer
        self._far, self._near = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._rung = False
        self._fileno = self._near.fileno()
        loop.register(self._fileno, self, loop.READ)

    def ring(self) -> None:
        """Asks the loop to come."""
        if not self._rung:
            self._rung = True
            try:
                self._far.send(b"!")
            except OSError:  # it is full, or gone: either way there is nothing to ring for
                return

    # what pyftpdlib's loop calls

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Never."""
        return False

    def handle_read_event(self) -> None:
        """Somebody rang."""
        try:
            self._near.recv(64)
        except OSError:
            return
        self._rung = False  # before looking: who rings from now on is heard in the next turn
        self._answer()

    def handle_close(self) -> None:
        """Nobody closes the other end but we."""

    def handle_error(self) -> None:
        """Whatever answered has logged its failure."""

    def close(self) -> None:
        """Rings no more."""
        self._near.close()
        self._far.close()
