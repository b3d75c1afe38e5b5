"""Simulated modems at real ports: pseudo terminals, and serial servers that carry raw octets over TCP.

A pseudo terminal has no modem lines, and neither has raw TCP: closing them hangs up nothing.
"""

from __future__ import annotations

import os
import pty
import termios
import tty
from pathlib import Path

from twisted.internet.interfaces import IListeningPort, IReactorFDSet, IReactorTCP, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from gateway_server.testing.fake_modem import FakeModem

IN_USE = b"Port already in use\r\n"  # as ser2net says it
_SPEEDS = {getattr(termios, f"B{speed}"): speed for speed in (300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}
_OUTPUT_SPEED = 5


class ModemOnPty:
    """A modem at a pseudo terminal. ``path`` is the terminal, or a link to it that stays when it is plugged in again.

    The speed is what the user of the terminal has set: a terminal knows it although nothing goes at that speed.
    """

    def __init__(
        self, reactor: IReactorFDSet, modem: FakeModem, link: Path | None = None, clock: IReactorTime | None = None
    ) -> None:
        self._reactor = reactor
        self._clock = clock or IReactorTime(reactor)
        self._modem = modem
        self._link = link
        self._ours = self._theirs = -1
        self._unsent = bytearray()
        self._stopped = False
        self.path = ""
        self._open()

    # what the modem asks of its port

    @property
    def speed(self) -> int:
        """What the terminal is set to."""
        if self._theirs < 0:
            return 0
        return _SPEEDS.get(termios.tcgetattr(self._theirs)[_OUTPUT_SPEED], 0)

    def write(self, data: bytes) -> None:
        """Bytes from the modem."""
        if self._ours >= 0:
            self._unsent += data
            self._reactor.addWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls

    def lines(self, *, carrier: bool, ring: bool) -> None:
        """A pseudo terminal has none."""

    def unplug(self, seconds: float) -> None:
        """The terminal is gone for so long, and so is the link to it: its number may be another program's by then."""
        self._close()
        self._remove_link()
        self._clock.callLater(seconds, self._open)

    # what the reactor asks

    def fileno(self) -> int:
        return self._ours

    def logPrefix(self) -> str:
        return f"{self._modem.name} on pty"

    def doRead(self) -> None:
        try:
            data = os.read(self._ours, 4096)
        except BlockingIOError:
            return
        self._modem.received(data)

    def doWrite(self) -> None:
        try:
            sent = os.write(self._ours, self._unsent)
        except BlockingIOError:
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._reactor.removeWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives up on the terminal."""
        self._close()

    def stop(self) -> None:
        """Closes the terminal for good."""
        self._stopped = True
        self._close()
        self._remove_link()

    def _open(self) -> None:
        if self._stopped:
            return
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        if self._link is not None:
            fresh = self._link.with_name(f".{self._link.name}")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.path)
            fresh.replace(self._link)
            self.path = str(self._link)
        self._reactor.addReader(self)  # type: ignore[arg-type]  # it has what the reactor calls
        self._modem.plug(self)

    def _remove_link(self) -> None:
        if self._link is not None and self._link.is_symlink():
            self._link.unlink()

    def _close(self) -> None:
        if self._ours < 0:
            return
        self._modem.plug(None)
        self._reactor.removeReader(self)  # type: ignore[arg-type]  # it has what the reactor calls
        self._reactor.removeWriter(self)  # type: ignore[arg-type]  # it has what the reactor calls
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1
        self._unsent.clear()


class ModemConnection(Protocol):
    """Somebody connected to a serial server with a modem behind it."""

    def __init__(self, server: ModemServer) -> None:
        self._server = server

    @property
    def speed(self) -> int:
        """Raw TCP does not say."""
        return 0

    def connectionMade(self) -> None:
        transport = self._on()
        transport.setTcpNoDelay(True)
        if not self._server.take(self):
            transport.write(IN_USE)
            transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._server.user is self:
            self._server.modem.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server.leave(self)

    def write(self, data: bytes) -> None:
        """Bytes from the modem."""
        self._on().write(data)

    def lines(self, *, carrier: bool, ring: bool) -> None:
        """Raw TCP has none."""

    def unplug(self, seconds: float) -> None:
        """The serial server loses its modem, and the connection with it."""
        self._server.unplug(seconds)

    def _on(self) -> ITCPTransport:
        return ITCPTransport(self.transport)


class ModemServer(ServerFactory):
    """A serial server with one modem: one user at a time, a second one is told so and sent away.

    The modem stays as it is when its user leaves: on line, if it was.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, modem: FakeModem) -> None:
        self.modem = modem
        self.user: ModemConnection | None = None
        self._clock = clock
        self._unplugged_until = -1e9

    def buildProtocol(self, addr: object) -> ModemConnection | None:
        """A connection, unless the modem is unplugged."""
        return None if self._clock.seconds() < self._unplugged_until else self.connection()

    def connection(self) -> ModemConnection:
        """A new user's connection."""
        return ModemConnection(self)

    def take(self, connection: ModemConnection) -> bool:
        """Somebody wants the modem; whether he may have it."""
        if self.user is not None:
            return False
        self.user = connection
        self.modem.plug(connection)
        return True

    def leave(self, connection: ModemConnection) -> None:
        """Somebody is gone."""
        if self.user is connection:
            self.user = None
            self.modem.plug(None)

    def unplug(self, seconds: float) -> None:
        """No modem for so long."""
        self._unplugged_until = self._clock.seconds() + seconds
        if self.user is not None and self.user.transport is not None:
            ITCPTransport(self.user.transport).abortConnection()


def listen_raw(reactor: IReactorTCP, modem: FakeModem, clock: IReactorTime, host: str, port: int) -> IListeningPort:
    """Opens a raw serial server for a modem; port 0 finds a free one."""
    return reactor.listenTCP(port, ModemServer(clock, modem), backlog=50, interface=host)
