"""Simulated meters on lines, in a reactor of memory."""

from __future__ import annotations

from datetime import datetime

from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import (
    Caller,
    CallerOptions,
    MeterClock,
    MeterOnLine,
    MeterProtocol,
    MeterServer,
    listen,
    meter_clock,
)
from tests.testing.memory import connect

NOW = datetime(2024, 4, 3, 12, 5)


def fake(quirks: Quirks | None = None) -> FakeMeter:
    return FakeMeter("ek270", "41203377", 1, quirks, NOW, days=1)


class Parrot:
    """A meter that answers with what it was told to, and remembers."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.hung_ups = 0
        self.ticks: list[datetime] = []

    def tick(self, now: datetime) -> None:
        self.ticks.append(now)

    def received(self, data: bytes) -> list[Reply]:
        return self.replies

    def hung_up(self) -> None:
        self.hung_ups += 1


def online(meter: Parrot, clock: Clock, rate: float = 0.0) -> tuple[MeterOnLine, list[tuple[float, bytes]], list[bool]]:
    written: list[tuple[float, bytes]] = []
    closed: list[bool] = []
    line = MeterOnLine(
        meter,
        clock,
        MeterClock(clock, NOW),
        lambda data: written.append((clock.seconds(), data)),
        lambda: closed.append(True),
        rate,
    )
    return line, written, closed


def test_replies_leave_one_behind_the_other_in_their_own_time() -> None:
    clock = Clock()
    line, written, closed = online(Parrot(Reply(0.0, b"a"), Reply(0.5, b"b"), Reply(0.25, b"c", hang_up=True)), clock)
    line.received(b"?")
    assert written == [(0.0, b"a")]
    clock.pump([0.5, 0.25, 1])
    assert written == [(0.0, b"a"), (0.5, b"b"), (0.75, b"c")]
    assert closed == [True]


def test_meter_stops_what_it_sends_only_until_it_is_spoken_to() -> None:
    clock = Clock()
    endless = [Reply(0.5, b"x", until_asked=True)] * 100
    line, written, _ = online(Parrot(Reply(0.0, b"a"), *endless), clock)
    line.received(b"?")
    clock.pump([0.5, 0.5])
    line.received(b"?")
    assert written == [(0.0, b"a"), (0.5, b"x"), (1.0, b"x"), (1.0, b"a")]
    clock.pump([0.25, 0.25])
    assert written[4:] == [(1.5, b"x")]


def test_pace_of_the_line_delays_by_length() -> None:
    clock = Clock()
    line, written, _ = online(Parrot(Reply(0.0, bytes(96))), clock, rate=960)
    line.received(b"?")
    clock.advance(0.05)
    assert written == []
    clock.advance(0.05)
    assert len(written) == 1


def test_lost_line_stops_what_was_on_its_way() -> None:
    clock = Clock()
    meter = Parrot(Reply(0.5, b"late"))
    line, written, _ = online(meter, clock)
    line.received(b"?")
    line.lost()
    clock.advance(5)
    assert written == []
    assert meter.hung_ups == 1
    assert clock.getDelayedCalls() == []


def test_meters_clock_goes_with_the_reactors() -> None:
    clock = Clock()
    time = MeterClock(clock, NOW)
    clock.advance(3600)
    assert time.now() == datetime(2024, 4, 3, 13, 5)
    clock = Clock()
    clock.advance(1712135100)
    assert meter_clock(clock).now() == NOW, "Moscow is three hours ahead of UTC"


def test_listening_meter_answers_each_connection() -> None:
    reactor = MemoryReactorClock()
    listen(reactor, fake(), MeterClock(reactor, NOW), "127.0.0.1", 4001)
    port, factory, _, interface = reactor.tcpServers[0]
    assert (port, interface) == (4001, "127.0.0.1")
    assert isinstance(factory, MeterServer)
    for _ in range(2):
        protocol, transport = factory.buildProtocol(None), StringTransport()
        protocol.makeConnection(transport)  # type: ignore[no-untyped-call]  # Twisted's
        protocol.dataReceived(b"/?!\r\n")
        assert transport.value() == b"/Els6EK270\r\n"
        protocol.connectionLost(Failure(ConnectionDone()))


def test_caller_registers_first_and_sends_heartbeats() -> None:
    clock = Clock()
    protocol = MeterProtocol(
        fake(), clock, MeterClock(clock, NOW), registration=b"350000000000001\r\n", heartbeat=b"HB", heartbeat_s=30
    )
    transport = StringTransport()
    protocol.makeConnection(transport)  # type: ignore[no-untyped-call]  # Twisted's
    assert transport.value() == b"350000000000001\r\n"
    clock.pump([30, 30])
    assert transport.value() == b"350000000000001\r\nHBHB"
    protocol.connectionLost()
    clock.advance(100)
    assert transport.value().count(b"HB") == 2


def caller(reactor: MemoryReactorClock, calls: int = 0) -> tuple[Caller, list[bool]]:
    done: list[bool] = []
    options = CallerOptions("127.0.0.1", 4001, b"ID\r\n", reconnect_s=10, calls=calls)
    return Caller(reactor, fake(), MeterClock(reactor, NOW), options, done=lambda: done.append(True)), done


def test_caller_calls_again_after_the_line_ended() -> None:
    reactor = MemoryReactorClock()
    meter, _ = caller(reactor)
    meter.start()
    protocol, transport = connect(reactor, 0)
    assert transport.value() == b"ID\r\n"
    protocol.connectionLost(Failure(ConnectionDone()))
    reactor.advance(9)
    assert len(reactor.tcpClients) == 1
    reactor.advance(1)
    assert len(reactor.tcpClients) == 2
    assert meter.counts.connected == 1
    assert meter.counts.ended == 1


def test_caller_that_is_refused_tries_again_until_its_calls_are_used_up() -> None:
    reactor = MemoryReactorClock()
    meter, done = caller(reactor, calls=2)
    meter.start()
    for call in range(2):
        factory, connector = reactor.tcpClients[call][2], reactor.connectors[call]
        factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))
        reactor.advance(10)
    assert len(reactor.tcpClients) == 2
    assert meter.counts.failed == 2
    assert done == [True]


def test_stopped_caller_hangs_up_and_calls_no_more() -> None:
    reactor = MemoryReactorClock()
    meter, _ = caller(reactor)
    meter.start()
    protocol, transport = connect(reactor, 0)
    meter.stop()
    assert transport.disconnecting
    protocol.connectionLost(Failure(ConnectionDone()))
    reactor.advance(60)
    assert len(reactor.tcpClients) == 1


class Crier(Parrot):
    """A meter that speaks by itself."""

    patience_s = 5.0

    def __init__(self) -> None:
        super().__init__(Reply(0.0, b"heard"))
        self.cries = 0

    def connected(self) -> list[Reply]:
        return [Reply(0.0, b"here I am")]

    def overdue(self) -> list[Reply]:
        self.cries += 1
        return [Reply(0.0, b"again"), Reply(0.0, b"", hang_up=self.cries > 1)]


def test_meter_that_pushes_speaks_first_and_again_when_nobody_answers() -> None:
    clock, meter = Clock(), Crier()
    line, written, closed = online(meter, clock)
    line.connected()
    assert written == [(0.0, b"here I am")]
    clock.advance(4)
    line.received(b"hello")
    clock.advance(4)
    assert written[1:] == [(4.0, b"heard")], "its patience begins anew with each word"
    clock.advance(1)
    assert written[2:] == [(9.0, b"again")]
    clock.advance(5)
    assert closed == [True]
    line.lost()
    assert [call for call in clock.getDelayedCalls() if call.active()] == []
