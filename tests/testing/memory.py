"""A reactor of memory whose calls a test answers itself."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocol, ITCPTransport
from twisted.internet.testing import MemoryReactorClock, StringTransport
from zope.interface import alsoProvides

from gateway_server.testing.meter_lines import MeterProtocol


def started() -> MemoryReactorClock:
    """A reactor whose clock stands at noon and five of 3 April 2024, Moscow time."""
    reactor = MemoryReactorClock()
    reactor.advance(1_712_135_100)
    return reactor


def connect(reactor: MemoryReactorClock, call: int) -> tuple[MeterProtocol, StringTransport]:
    """Lets the reactor's call with this number get through."""
    protocol = reactor.tcpClients[call][2].buildProtocol(None)
    assert protocol is not None
    transport = StringTransport()
    protocol.makeConnection(transport)
    # An endpoint wraps the protocol it connects.
    wrapped = protocol._wrappedProtocol  # type: ignore[attr-defined]  # Twisted's own wrapper has it
    assert isinstance(wrapped, MeterProtocol)
    return wrapped, transport


class MemoryTcp:
    """A connection in memory: what was written to it, and how it was ended."""

    def __init__(self) -> None:
        self.transport = StringTransport()
        self.aborted = False
        self.transport.setTcpNoDelay = lambda enabled: None  # type: ignore[attr-defined]
        self.transport.abortConnection = self._abort  # type: ignore[method-assign]
        alsoProvides(self.transport, ITCPTransport)

    def _abort(self) -> None:
        self.aborted = True
        self.transport.loseConnection()

    @property
    def closed(self) -> bool:
        """Whether it was closed, or reset."""
        return bool(self.transport.disconnecting)

    def take(self) -> bytes:
        """What was written since this was last asked."""
        written: bytes = self.transport.value()
        self.transport.clear()
        return written


def through(protocol: IProtocol | None) -> tuple[IProtocol, MemoryTcp]:
    """Lets the connection of a protocol that a factory has built get through."""
    assert protocol is not None
    line = MemoryTcp()
    protocol.makeConnection(line.transport)
    return protocol, line


def take_call(reactor: MemoryReactorClock, call: int) -> tuple[IProtocol, MemoryTcp]:
    """Lets the reactor's call with this number get through, without an endpoint between."""
    return through(reactor.tcpClients[call][2].buildProtocol(None))
