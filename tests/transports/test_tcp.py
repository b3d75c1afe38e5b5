"""TCP lines without a network: StringTransport and a memory reactor."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from gateway_server.errors import OperatorError
from gateway_server.model import Outcome
from gateway_server.transports.admission import Admission
from gateway_server.transports.tcp import (
    BACKLOG,
    InboundFactory,
    KeepAlive,
    TcpLine,
    listen,
    lost_because,
    peer_of,
    server_endpoint,
)
from tests.transports.hall import SERIAL, Hall


class Transport(StringTransport):
    """A StringTransport that can say goodbye."""

    half_closed = aborted = False

    def __init__(self, peerAddress: Any = None) -> None:
        super().__init__(peerAddress=peerAddress)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def value(self) -> bytes:
        return self.io.getvalue()

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True


def connect(factory: InboundFactory, host: str = "192.0.2.7", port: int = 40001) -> tuple[Any, Transport]:
    address = IPv4Address("TCP", host, port)
    protocol = factory.buildProtocol(address)
    transport = Transport(peerAddress=address)
    if protocol is not None:
        protocol.makeConnection(transport)
    return protocol, transport


def test_caller_is_asked_over_its_connection(hall: Hall) -> None:
    protocol, transport = connect(InboundFactory(hall.reception))
    assert transport.value() == b"?\r\n"
    protocol.dataReceived(b"SN=41203377\r\nV=1\r\n")
    assert hall.values() == ["1"]
    (session,) = hall.sessions()
    assert (session.transport, session.remote) == ("tcp", "192.0.2.7:40001")


def test_loss_of_a_connection_is_line_lost_however_clean(hall: Hall) -> None:
    factory = InboundFactory(hall.reception)
    protocol, _ = connect(factory)
    protocol.connectionLost(Failure(ConnectionDone()))
    (session,) = hall.sessions()
    assert session.outcome is Outcome.LINE_LOST
    assert "the other end closed the connection" in session.detail
    assert factory.callers == set()
    assert hall.reception.admission.lines == 0


def test_connection_above_the_limit_is_refused_and_costs_nothing(hall: Hall) -> None:
    hall.set(admission=Admission(hall.clock, 2, 1))
    factory = InboundFactory(hall.reception)
    first, _ = connect(factory)
    second, _ = connect(factory)
    third, _ = connect(factory, host="192.0.2.8")
    assert first is not None
    assert second is None
    assert third is not None
    first.connectionLost(Failure(ConnectionDone()))
    again, _ = connect(factory)
    assert again is not None
    assert len(hall.sessions()) == 3


def test_thousand_connections_that_say_nothing_are_let_go(hall: Hall) -> None:
    hall.listens(admission=Admission(hall.clock, 2000, 2000), identify_seconds=20.0)
    factory = InboundFactory(hall.reception)
    transports = [connect(factory, port=port)[1] for port in range(1, 1001)]
    hall.pass_seconds(30)
    assert all(transport.half_closed and transport.aborted for transport in transports)


def test_gateway_that_stops_ends_every_line(hall: Hall) -> None:
    factory = InboundFactory(hall.reception)
    _, transport = connect(factory)
    factory.end_all("the gateway stops")
    assert transport.half_closed
    assert hall.outcomes() == [Outcome.LINE_LOST]


def test_store_that_is_behind_holds_every_line(hall: Hall) -> None:
    factory = InboundFactory(hall.reception)
    _, transport = connect(factory)
    factory.hold()
    assert transport.producerState == "paused"
    factory.go_on()
    assert transport.producerState == "producing"


def test_goodbye_is_said_before_the_line_is_cut() -> None:
    clock = Clock()
    transport = Transport()
    line = TcpLine(transport, clock)
    line.write(b"last words")
    line.close()
    line.close()
    assert transport.value() == b"last words"
    assert transport.half_closed
    clock.advance(2)
    assert not transport.aborted
    clock.advance(2)
    assert transport.aborted


def test_goodbye_that_was_answered_cuts_nothing() -> None:
    clock = Clock()
    transport = Transport()
    line = TcpLine(transport, clock)
    line.close()
    line.gone()
    clock.advance(10)
    assert not transport.aborted
    assert clock.getDelayedCalls() == []


def test_connection_has_no_speed_to_change() -> None:
    transport = Transport()
    line = TcpLine(transport, Clock())
    line.change(300, "7E1")
    line.pause()
    line.resume()
    assert transport.value() == b""


def test_listener_queues_a_storm_of_connections() -> None:
    reactor = MemoryReactorClock()
    for description in ("tcp:4001:interface=127.0.0.1", "tcp:4002:backlog=7"):
        server_endpoint(reactor, "gprs", description).listen(InboundFactory(Hall().reception))
    assert [(port, backlog) for port, _, backlog, _ in reactor.tcpServers] == [(4001, BACKLOG), (4002, 7)]


def test_unfit_endpoint_names_its_listener() -> None:
    with pytest.raises(OperatorError, match='listener "gprs"'):
        server_endpoint(MemoryReactorClock(), "gprs", "ssl:4001:privateKey=/nowhere/key.pem")


def test_port_in_use_names_the_listener_and_what_to_do(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = MemoryReactorClock()

    def refuse(*_: object, **__: object) -> None:
        raise CannotListenError("127.0.0.1", 4001, OSError(98, "Address already in use"))

    monkeypatch.setattr(reactor, "listenTCP", refuse)
    failures: list[Failure] = []
    Deferred.fromCoroutine(listen(reactor, "gprs", "tcp:4001", hall.reception, KeepAlive())).addErrback(failures.append)
    (failure,) = failures
    assert isinstance(failure.value, OperatorError)
    assert 'listener "gprs"' in str(failure.value)
    assert "Address already in use" in str(failure.value)


def test_dead_peers_are_noticed_by_tcp_itself() -> None:
    with socket.socket() as sock:
        KeepAlive(120, 20, 4, 75).apply(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        assert [sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in options] == [
            1,
            120,
            20,
            4,
            75000,
        ]


def test_other_end_is_named_however_it_comes() -> None:
    assert peer_of(IPv4Address("TCP", "10.0.0.1", 5)) == ("10.0.0.1", 5)
    assert peer_of(IPv4Address("TCP", "::ffff:10.0.0.1", 5)) == ("10.0.0.1", 5)
    assert peer_of("somebody")[1] == 0


def test_end_of_a_connection_is_told_in_words() -> None:
    assert lost_because(Failure(ConnectionDone())) == "the other end closed the connection"
    assert lost_because(Failure(ConnectionAborted())) == "the connection was given up"
    assert "broke off" in lost_because(Failure(ConnectionLost()))


def test_meter_known_by_its_line_is_found_there(hall: Hall) -> None:
    protocol, _ = connect(InboundFactory(hall.reception))
    protocol.dataReceived(b"SN=41203377\r\n")
    assert hall.presence.line_to(SERIAL) is not None
