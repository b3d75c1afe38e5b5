"""What clients still send of files that were refused: read and thrown away, so that they find out.

Most clients look for a reply only when they have sent all they had. A data connection that is closed under their hands
is a failure of the network to them, after which they try again, and pay again, as long as their patience lasts; the
reply, which stands in the other connection all the time, is never read. Whoever does look can stop at any moment.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

from gateway_server.transports.ftp.delivery import PIECE

MOST_AT_ONCE = 100  # connections; of more, the oldest is closed
MOST_BYTES = 256 << 20  # of one, more than twice the default limit of a file
SECONDS = 120.0  # for all of one
QUIET_SECONDS = 10.0


class Remains:
    """All of the FTP thread. ``seconds`` is a clock."""

    def __init__(self, loop: Any, seconds: Callable[[], float] = monotonic) -> None:
        self._loop = loop
        self._seconds = seconds
        self._open: dict[_Remainder, None] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._open)

    def take(self, sock: socket.socket) -> None:
        """Looks after a connection until its client ends it, or has had its share."""
        if len(self._open) >= MOST_AT_ONCE:
            next(iter(self._open)).close()
        sock.setblocking(False)
        one = _Remainder(sock, self._seconds, self._gone)
        self._open[one] = None
        self._loop.register(one._fileno, one, self._loop.READ)

    def sweep(self) -> None:
        """Closes what takes too long."""
        for one in tuple(self._open):
            if one.overdue:
                one.close()

    def _gone(self, one: _Remainder) -> None:
        del self._open[one]
        self._loop.unregister(one._fileno)


class _Remainder:
    """One connection."""

    def __init__(
        self,
        sock: socket.socket,
        seconds: Callable[[], float],
        gone: Callable[[_Remainder], None],
    ) -> None:
        self._fileno = sock.fileno()
        self._socket = sock
        self._left = MOST_BYTES
        self._seconds = seconds
        self._gone = gone
        self._began = self._heard = seconds()
        self._over = False

    @property
    def overdue(self) -> bool:
        """Whether it has had its time."""
        now = self._seconds()
        return now - self._began > SECONDS or now - self._heard > QUIET_SECONDS

    # what pyftpdlib's loop calls

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Never."""
        return False

    def handle_read_event(self) -> None:
        """More of what nobody wants, or its end."""
        try:
            size = len(self._socket.recv(PIECE))
        except BlockingIOError:
            return
        except OSError:
            size = 0
        self._heard = self._seconds()
        self._left -= size
        if not size or self._left < 0:
            self.close()

    def handle_close(self) -> None:
        """The client has closed it."""
        self.close()

    handle_error = handle_close

    def close(self) -> None:
        """No more."""
        if not self._over:
            self._over = True
            self._gone(self)
            self._socket.close()
