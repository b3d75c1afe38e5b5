"""The FTP drop: listeners in a thread of their own, the store behind the reactor."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from pyftpdlib.servers import FTPServer
from twisted.internet.defer import Deferred

from gateway_server.errors import OperatorError
from gateway_server.session.plan import Facilities
from gateway_server.transports.ftp.control import Control
from gateway_server.transports.ftp.conversation import Conversation
from gateway_server.transports.ftp.desk import Desk
from gateway_server.transports.ftp.encryption import tls_context
from gateway_server.transports.ftp.landing import Landing
from gateway_server.transports.ftp.login import Attempts
from gateway_server.transports.ftp.terms import Terms, within
from gateway_server.transports.ftp.thread import FtpThread, ThreadsReactor
from gateway_server.transports.ftp.tls import TlsConversation
from gateway_server.transports.places import why_closed

logger = logging.getLogger(__name__)

BACKLOG = 4096
_FULL_SECONDS = 1.0


class Listener(FTPServer):  # type: ignore[misc]  # pyftpdlib has no types
    """Takes control connections in within the limits."""

    max_cons = 0  # counted here, because pyftpdlib counts data connections and those of other listeners too

    def __init__(self, terms: Terms, desk: Desk) -> None:
        self.terms = terms
        self.desk = desk
        self.attempts = Attempts(terms, monotonic)
        self.controls: dict[Control, str] = {}
        self._by_host: dict[str, int] = {}
        self.tls_context: Any = None
        kind: type[Conversation] = Conversation
        if terms.tls is not None:
            kind, self.tls_context = TlsConversation, tls_context(terms.tls)
        super().__init__(_bound(terms.host, terms.port), kind, ioloop=desk.thread.loop, backlog=BACKLOG)

    @property
    def place(self) -> tuple[str, int]:
        """Where it is open."""
        host, port = self.socket.getsockname()[:2]
        return str(host), int(port)

    def handle_accept(self) -> None:
        """Takes in all that wait, not one a turn."""
        for _ in range(64):
            try:
                sock, address = self.socket.accept()
            except BlockingIOError:
                return
            except OSError as failed:
                self.desk.complain("ftp %s: a connection could not be taken in: %s", self.terms.name, failed)
                self.del_channel()  # most likely every descriptor is in use: the kernel would tell again at once
                self.ioloop.call_later(_FULL_SECONDS, self._listen_again)
                return
            self.handle_accepted(sock, address)

    def _listen_again(self) -> None:
        if not self._closed:
            self.add_channel()

    def handle_accepted(self, sock: socket.socket, addr: tuple[Any, ...]) -> None:
        """A client has connected."""
        host = str(addr[0]).removeprefix("::ffff:")
        why = self._refusal(host)
        if why:
            self.desk.complain("ftp %s: %s: %s", self.terms.name, host, why)
            sock.setblocking(False)
            with suppress(OSError):
                sock.send(b"421 Not now. Try again later.\r\n")
            sock.close()
            return
        control = self.handler(sock, self, ioloop=self.ioloop)
        if control.connected:
            self.controls[control] = host
            self._by_host[host] = self._by_host.get(host, 0) + 1
            control.handle()

    def _refusal(self, host: str) -> str:
        terms = self.terms
        if terms.networks and not within(host, terms.networks):
            return "no client may come from this address (networks)"
        if len(self.controls) >= terms.connections:
            return f"all {terms.connections} connections are taken (connections)"
        if self._by_host.get(host, 0) >= terms.connections_per_address:
            return f"the address has {terms.connections_per_address} connections already (connections_per_address)"
        if self.attempts.banned(host):
            return "shut out after wrong passwords"
        return ""

    def gone(self, control: Control) -> None:
        """A connection is over."""
        host = self.controls.pop(control, None)
        if host is not None:
            self._by_host[host] -= 1
            if not self._by_host[host]:
                del self._by_host[host]

    def sweep(self) -> None:
        """Ends what takes too long."""
        now = monotonic()
        for control in tuple(self.controls):
            control.overdue(now)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at a place. pyftpdlib would bind it too, but not say why it cannot."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, kind)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class FtpDrop:
    """All listeners of the gateway. Belongs to the reactor's thread; what it makes lives in the FTP thread."""

    def __init__(
        self, reactor: ThreadsReactor, facilities: Facilities, stored: Callable[[Sequence[int]], None]
    ) -> None:
        self._thread = FtpThread(reactor)
        self._landing = Landing(facilities, self._thread, stored)
        self._desk = Desk(self._thread, self._landing, facilities.now_ms)
        self._thread.sweeps.append(self._desk.sweep)
        self._listeners: list[Listener] = []
        self._stopped: Deferred[None] | None = None

    def listen(self, terms: Terms) -> tuple[str, int]:
        """Opens a listener, before `start`. Gives where it is; raises `OperatorError` naming it."""
        try:
            listener = Listener(terms, self._desk)
        except OSError as taken:
            raise OperatorError(
                f'ftp "{terms.name}": {terms.host}:{terms.port} cannot be opened: {why_closed(taken)}'
            ) from None
        self._listeners.append(listener)
        self._thread.sweeps.append(listener.sweep)
        return listener.place

    def start(self) -> None:
        """Begins to serve."""
        self._thread.call(self._desk.recall)
        shared = {account.login for listener in self._listeners for account in listener.terms.shared}
        self._thread.call(self._desk.look_for_own, sorted(shared))
        self._thread.start()

    def stop(self) -> Deferred[None]:
        """Closes everything; what had come of uploads is handed to the store as incomplete before this is over."""
        if self._stopped is None:
            self._stopped = Deferred()
            self._landing.stop()
            self._desk.logins.stop()
            stopped = self._stopped
            self._thread.stop(self._goodbye, lambda: stopped.callback(None))
        return self._stopped

    def _goodbye(self) -> None:
        for listener in self._listeners:
            for control in tuple(listener.controls):
                control.respond("421 The gateway stops.")

    def hold(self) -> None:
        """Lets clients wait: the store is behind."""
        self._thread.call(self._desk.hold)

    def go_on(self) -> None:
        """Reads on."""
        self._thread.call(self._desk.go_on)

    def full(self, full: bool) -> None:  # the writer's signature
        """Uploads are refused with 452 while the store's disk is full."""
        self._thread.call(self._desk.set_full, full)
