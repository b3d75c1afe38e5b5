"""A simulated modem behind a serial server that speaks RFC 2217: with its speed, its DTR, its DCD."""

from __future__ import annotations

from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from gateway_server.testing.fake_modem import FakeModem
from gateway_server.testing.modem.lines import ModemConnection, ModemServer
from gateway_server.testing.modem.rfc2217_server import Rfc2217Server


class Rfc2217Connection(ModemConnection):
    """Somebody connected with RFC 2217."""

    def __init__(self, server: ModemServer) -> None:
        super().__init__(server)
        self._telnet = Rfc2217Server(self._to_client, server.modem.received, self._dtr_moved)

    @property
    def speed(self) -> int:
        """What the client has set."""
        return self._telnet.settings.speed if self._telnet.agreed else 0

    def connectionMade(self) -> None:
        super().connectionMade()
        if self._server.user is self:
            self._telnet.begin()

    def dataReceived(self, data: bytes) -> None:
        if self._server.user is self:
            self._telnet.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._server.user is self and self._server.modem.faults.drops_dtr:
            self._server.modem.dtr(on=False)
        super().connectionLost(reason)

    def write(self, data: bytes) -> None:
        """Bytes from the modem."""
        self._telnet.send(data)

    def lines(self, *, carrier: bool, ring: bool) -> None:
        """The modem's lines have moved."""
        self._telnet.lines(carrier=carrier, ring=ring)

    def _to_client(self, data: bytes) -> None:
        self._on().write(data)

    def _dtr_moved(self, on: bool) -> None:
        self._server.modem.dtr(on=on)


class Rfc2217ModemServer(ModemServer):
    """A serial server with one modem and its lines. By default it leaves DTR as it is when its user leaves."""

    def connection(self) -> ModemConnection:
        """A new user's connection."""
        return Rfc2217Connection(self)


def listen_rfc2217(reactor: IReactorTCP, modem: FakeModem, clock: IReactorTime, host: str, port: int) -> IListeningPort:
    """Opens an RFC 2217 serial server for a modem; port 0 finds a free one."""
    return reactor.listenTCP(port, Rfc2217ModemServer(clock, modem), backlog=50, interface=host)
