"""Whatever listens somewhere, at the far end of a call."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from gateway_server.testing.modem.phone_book import FarLine
from gateway_server.testing.modem.tcp_far_end import TcpByModem


class Call:
    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.heard: list[bytes] = []
        self.hung_up: list[bool] = []
        hang_up: Callable[[], None] = lambda: self.hung_up.append(True)  # noqa: E731
        far = TcpByModem(self.reactor, "127.0.0.1", 4001)
        self.line: FarLine = far.answer(self.reactor, self.heard.append, hang_up)

    def gets_through(self) -> tuple[object, StringTransport]:
        protocol = self.reactor.tcpClients[0][2].buildProtocol(None)
        assert protocol is not None
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport


def test_octets_go_both_ways_and_early_ones_wait() -> None:
    call = Call()
    call.line.received(b"/?!")
    protocol, transport = call.gets_through()
    call.line.received(b"\r\n")
    assert transport.value() == b"/?!\r\n"
    protocol.dataReceived(b"/Els6EK270\r\n")  # type: ignore[attr-defined]  # Twisted's
    assert call.heard == [b"/Els6EK270\r\n"]


def test_caller_who_hangs_up_closes_the_connection_and_hears_nothing_more() -> None:
    call = Call()
    protocol, transport = call.gets_through()
    call.line.lost()
    assert transport.disconnecting
    protocol.dataReceived(b"late")  # type: ignore[attr-defined]  # Twisted's
    protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[attr-defined]  # Twisted's
    assert call.heard == []
    assert call.hung_up == []


def test_far_end_that_closes_hangs_up() -> None:
    call = Call()
    protocol, _ = call.gets_through()
    protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[attr-defined]  # Twisted's
    assert call.hung_up == [True]


def test_nobody_listening_hangs_up() -> None:
    call = Call()
    factory, connector = call.reactor.tcpClients[0][2], call.reactor.connectors[0]
    factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))
    assert call.hung_up == [True]


def test_caller_who_was_gone_before_it_connected_leaves_no_connection() -> None:
    call = Call()
    call.line.lost()
    _, transport = call.gets_through()
    assert transport.disconnecting
