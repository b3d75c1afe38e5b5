"""Twisted's epoll reactor without what it does for its own log at every event.

Twisted calls each reader within a logging context that names its connection: six calls and a dictionary, a fifth of
what a small frame costs. Nothing here logs through that context (`gateway_server.cli.reactor`).
"""

from __future__ import annotations

import errno
from select import EPOLLIN
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.python import log


class LeanEPollReactor(EPollReactor):
    """The same events, in the same order, to the same readers and writers."""

    def doPoll(self, timeout: float | None) -> None:
        """Waits for events and passes them on. A reader that fails loses its connection, nobody else's."""
        selectables = self._selectables
        do_read_or_write: Any = self._doReadOrWrite
        disconnect: Any = self._disconnectSelectable
        try:
            events = self._poller.poll(-1 if timeout is None else timeout, len(selectables))
        except OSError as error:
            if error.errno == errno.EINTR:
                return
            raise
        for fd, event in events:
            selectable = selectables.get(fd)
            if selectable is None:
                continue  # an event before this one ended it
            if event != EPOLLIN:
                do_read_or_write(selectable, fd, event)
                continue
            try:
                why = selectable.doRead()
            except BaseException as failure:  # noqa: BLE001  # as Twisted does: one connection's mistake
                log.err()
                why = failure
            if why:
                disconnect(selectable, why, True)

    doIteration = doPoll
