"""A reactor of memory whose calls a test answers itself."""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock, StringTransport

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
