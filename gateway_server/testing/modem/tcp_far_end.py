"""Whatever listens at an address as the far end of a simulated call."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from gateway_server.testing.modem.phone_book import FarLine

PATIENCE_S = 5


class TcpByModem:
    """A number that is answered by whoever listens at an address."""

    def __init__(self, reactor: IReactorTCP, host: str, port: int) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port

    def answer(self, clock: IReactorTime, deliver: Callable[[bytes], None], hang_up: Callable[[], None]) -> FarLine:
        """The far modem has answered; it connects, and hangs up if nobody listens."""
        line = _TcpLine(deliver, hang_up)
        endpoint = TCP4ClientEndpoint(self._reactor, self._host, self._port, timeout=PATIENCE_S)
        Deferred.fromCoroutine(line.connect(endpoint))
        return line


class _TcpLine(Protocol):
    """A call that goes on as a connection."""

    def __init__(self, deliver: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        self._deliver = deliver
        self._hang_up = hang_up
        self._early = bytearray()
        self._over = False

    async def connect(self, endpoint: TCP4ClientEndpoint) -> None:
        """Connects; hangs up if that fails."""
        try:
            await endpoint.connect(Factory.forProtocol(lambda: self))
        except ConnectError:
            if not self._over:
                self._hang_up()

    def connectionMade(self) -> None:
        assert self.transport is not None
        if self._over:
            self.transport.loseConnection()
        self.transport.write(bytes(self._early))
        self._early.clear()

    def dataReceived(self, data: bytes) -> None:
        if not self._over:
            self._deliver(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._over:
            self._over = True
            self._hang_up()

    def received(self, data: bytes) -> None:
        """Octets from the caller."""
        if self.transport is None:
            self._early += data
        else:
            self.transport.write(data)

    def lost(self) -> None:
        """The caller has hung up."""
        self._over = True
        if self.transport is not None:
            self.transport.loseConnection()
