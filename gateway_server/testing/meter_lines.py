"""Simulated meters on real lines: as TCP servers, as callers behind a GPRS modem.

Time is the reactor's: delays of the meter's answers and its own clock both come from there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import (
    IDelayedCall,
    IListeningPort,
    IReactorTCP,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory, ServerFactory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from gateway_server.testing.lis200.delivery import Reply


class Hears(Protocol):
    """What a line needs of a meter."""

    def tick(self, now: datetime) -> None: ...

    def received(self, data: bytes) -> list[Reply]: ...

    def hung_up(self) -> None: ...


@runtime_checkable
class Speaks(Protocol):
    """A meter that speaks by itself: when the line is there, and when nothing was said for ``patience_s`` seconds."""

    patience_s: float

    def connected(self) -> list[Reply]: ...

    def overdue(self) -> list[Reply]: ...


@runtime_checkable
class HasLines(Protocol):
    """A meter that several may speak to at once, each on a line of its own."""

    def line(self) -> Hears: ...


class MeterClock:
    """True local time for simulated meters, going with the reactor. ``start`` is the time at the clock's making."""

    def __init__(self, clock: IReactorTime, start: datetime) -> None:
        self._clock = clock
        self._start = start
        self._at_start = clock.seconds()

    def now(self) -> datetime:
        """The time now."""
        return self._start + timedelta(seconds=self._clock.seconds() - self._at_start)


class MeterOnLine:
    """Carries a meter's replies to a line in time. ``bytes_per_second`` paces them, 0 lets them go at once."""

    def __init__(
        self,
        meter: Hears,
        clock: IReactorTime,
        time: MeterClock,
        write: Callable[[bytes], None],
        hang_up: Callable[[], None],
        bytes_per_second: float = 0.0,
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._time = time
        self._write = write
        self._hang_up = hang_up
        self._rate = bytes_per_second
        self._waiting: deque[Reply] = deque()
        self._next: IDelayedCall | None = None
        self._patience: IDelayedCall | None = None

    def connected(self) -> None:
        """The line is there; a meter that pushes speaks now."""
        if isinstance(self._meter, Speaks):
            self._meter.tick(self._time.now())
            self._say(self._meter.connected())

    def received(self, data: bytes) -> None:
        """Bytes came for the meter."""
        self._meter.tick(self._time.now())
        if any(reply.until_asked for reply in self._waiting):
            self._waiting = deque(reply for reply in self._waiting if not reply.until_asked)
            if self._next is not None:
                self._next.cancel()
                self._next = None
        self._say(self._meter.received(data))

    def lost(self) -> None:
        """The line has ended; what has not left never will."""
        self._waiting.clear()
        for waiting in (self._next, self._patience):
            if waiting is not None:
                waiting.cancel()
        self._next = self._patience = None
        self._meter.tick(self._time.now())
        self._meter.hung_up()

    def _say(self, replies: list[Reply]) -> None:
        self._waiting.extend(replies)
        if isinstance(self._meter, Speaks):
            if self._patience is not None:
                self._patience.cancel()
            self._patience = self._clock.callLater(self._meter.patience_s, self._overdue)
        self._go_on()

    def _overdue(self) -> None:
        self._patience = None
        if isinstance(self._meter, Speaks):
            self._meter.tick(self._time.now())
            self._say(self._meter.overdue())

    def _go_on(self) -> None:
        while self._waiting and self._next is None:
            reply = self._waiting[0]
            delay = reply.delay_s + (len(reply.data) / self._rate if self._rate else 0.0)
            if delay > 0:
                self._next = self._clock.callLater(delay, self._due)
                return
            self._leave()

    def _due(self) -> None:
        self._next = None
        self._leave()
        self._go_on()

    def _leave(self) -> None:
        if not self._waiting:
            return
        reply = self._waiting.popleft()
        if reply.data:
            self._write(reply.data)
        if reply.hang_up:
            self._waiting.clear()
            self._hang_up()


class MeterProtocol(TwistedProtocol):
    """A meter at this end of a TCP connection, perhaps behind a modem that registers first and sends heartbeats."""

    def __init__(
        self,
        meter: Hears,
        clock: IReactorTime,
        time: MeterClock,
        *,
        registration: bytes = b"",
        heartbeat: bytes = b"",
        heartbeat_s: float = 30.0,
        bytes_per_second: float = 0.0,
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._time = time
        self._registration = registration
        self._heartbeat = heartbeat
        self._heartbeat_s = heartbeat_s
        self._rate = bytes_per_second
        self._ended = ended
        self._line: MeterOnLine | None = None
        self._beat: IDelayedCall | None = None

    def connectionMade(self) -> None:
        transport = self._on()
        self._line = MeterOnLine(
            self._meter, self._clock, self._time, transport.write, transport.loseConnection, self._rate
        )
        if self._registration:
            transport.write(self._registration)
        self._line.connected()
        if self._heartbeat:
            self._beat = self._clock.callLater(self._heartbeat_s, self._send_heartbeat)

    def dataReceived(self, data: bytes) -> None:
        if self._line is not None:
            self._line.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._line is not None:
            self._line.lost()
            self._line = None
        if self._ended is not None:
            self._ended()

    def _on(self) -> ITransport:
        assert self.transport is not None
        return self.transport

    def _send_heartbeat(self) -> None:
        self._on().write(self._heartbeat)
        self._beat = self._clock.callLater(self._heartbeat_s, self._send_heartbeat)


class MeterServer(ServerFactory):
    """A meter that is a TCP server: each connection is a line to the same meter."""

    noisy = False

    def __init__(self, meter: Hears, clock: IReactorTime, time: MeterClock, *, bytes_per_second: float = 0.0) -> None:
        self._meter = meter
        self._clock = clock
        self._time = time
        self._rate = bytes_per_second

    def buildProtocol(self, addr: object) -> MeterProtocol:
        meter = self._meter.line() if isinstance(self._meter, HasLines) else self._meter
        return MeterProtocol(meter, self._clock, self._time, bytes_per_second=self._rate)


def listen(
    reactor: IReactorTCP, meter: Hears, time: MeterClock, host: str, port: int, *, bytes_per_second: float = 0.0
) -> IListeningPort:
    """Opens a listening meter; port 0 finds a free one (`port_of` says which)."""
    factory = MeterServer(meter, IReactorTime(reactor), time, bytes_per_second=bytes_per_second)
    return reactor.listenTCP(port, factory, backlog=50, interface=host)


def port_of(listening: IListeningPort) -> int:
    """The TCP port somebody listens on."""
    address = listening.getHost()
    assert isinstance(address, IPv4Address)
    return address.port


@dataclass(slots=True)
class CallerOptions:
    """How a meter behind a modem calls in. ``calls`` bounds the connections made in all, 0 is no bound."""

    host: str = "127.0.0.1"
    port: int = 0
    registration: bytes = b""
    heartbeat: bytes = b""
    heartbeat_s: float = 30.0
    reconnect_s: float = 10.0
    bytes_per_second: float = 0.0
    calls: int = 0


@dataclass(slots=True)
class CallerCounts:
    """What a caller has lived through."""

    connected: int = 0
    failed: int = 0
    ended: int = 0


@dataclass
class Caller:
    """A meter that calls in, and calls again whenever the line ends, until it is stopped."""

    reactor: IReactorTCP
    meter: Hears
    time: MeterClock
    options: CallerOptions
    counts: CallerCounts = field(default_factory=CallerCounts)
    done: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self._clock = IReactorTime(self.reactor)
        self._stopped = False
        self._again: IDelayedCall | None = None
        self._protocol: MeterProtocol | None = None

    def start(self) -> None:
        """Calls now."""
        if not self._stopped:
            Deferred.fromCoroutine(self._call())

    def stop(self) -> None:
        """Hangs up and calls no more."""
        self._stopped = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._protocol is not None and self._protocol.transport is not None:
            self._protocol.transport.loseConnection()

    async def _call(self) -> None:
        options = self.options
        endpoint = TCP4ClientEndpoint(self.reactor, options.host, options.port, timeout=30)
        protocol = MeterProtocol(
            self.meter,
            self._clock,
            self.time,
            registration=options.registration,
            heartbeat=options.heartbeat,
            heartbeat_s=options.heartbeat_s,
            bytes_per_second=options.bytes_per_second,
            ended=self._ended,
        )
        try:
            await endpoint.connect(Factory.forProtocol(lambda: protocol))
        except ConnectError:
            self.counts.failed += 1
            self._call_again()
            return
        self.counts.connected += 1
        self._protocol = protocol
        if self._stopped:
            self.stop()

    def _ended(self) -> None:
        self.counts.ended += 1
        self._protocol = None
        self._call_again()

    def _call_again(self) -> None:
        calls = self.counts.connected + self.counts.failed
        if self._stopped or (self.options.calls and calls >= self.options.calls):
            if self.done is not None:
                self.done()
            return
        self._again = self._clock.callLater(self.options.reconnect_s, self._call_due)

    def _call_due(self) -> None:
        self._again = None
        self.start()


def meter_clock(clock: IReactorTime, zone_offset: timedelta = timedelta(hours=3)) -> MeterClock:
    """Today's time in the meters' zone (Moscow by default), from the reactor's clock."""
    return MeterClock(clock, datetime(1970, 1, 1) + timedelta(seconds=clock.seconds()) + zone_offset)
