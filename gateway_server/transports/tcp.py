"""TCP both ways: callers that connect to us, and meters we connect to."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from twisted.internet.endpoints import HostnameEndpoint, serverFromString
from twisted.internet.error import CannotListenError, ConnectError, ConnectionAborted, ConnectionDone, DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway_server.errors import LineError, OperatorError
from gateway_server.session.line import Line
from gateway_server.transports.caller import Caller
from gateway_server.transports.places import why_closed
from gateway_server.transports.reception import Reception

BACKLOG = 4096
_GOODBYE_SECONDS = 3.0
_parse_endpoint: Any = serverFromString  # it has no types
_HAS_BACKLOG = re.compile(r"(?:tcp|tcp6|ssl|tls):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """When TCP notices that the other end is gone: seconds of silence, seconds between probes, probes, and seconds an
    unacknowledged write may wait. The device pays for each probe."""

    idle: int = 180
    interval: int = 30
    count: int = 3
    unacknowledged: int = 90

    def apply(self, sock: socket.socket) -> None:
        """Sets it on a socket; on a listening one for all it accepts, which Linux lets inherit."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_NODELAY", 1),
            ("TCP_KEEPIDLE", self.idle),
            ("TCP_KEEPINTVL", self.interval),
            ("TCP_KEEPCNT", self.count),
            ("TCP_USER_TIMEOUT", self.unacknowledged * 1000),
        ):
            option = getattr(socket, name, None)
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)


class Speaker(Protocol):
    """Whoever speaks over a line: gets its bytes, hears of its loss."""

    def received(self, data: bytes) -> None: ...

    def line_lost(self, reason: str) -> None: ...


class TcpLine:
    """The sending side of a TCP connection.

    What fits is given to the kernel at once. The reactor would take three system calls and a turn of its loop for
    each acknowledgement; from the first bytes that do not fit on, it is the reactor's.
    """

    __slots__ = ("_at_once", "_clock", "_gone", "_goodbye", "_transport")

    transport = "tcp"

    def __init__(self, transport: Any, clock: IReactorTime) -> None:
        self._transport = transport
        self._at_once = isinstance(transport, Connection)  # TLS and the tests' transports are not
        self._clock = clock
        self._gone = False
        self._goodbye: IDelayedCall | None = None

    @property
    def remote(self) -> str:
        """The other end's ``HOST:PORT``."""
        host, port = peer_of(self._transport.getPeer())
        return f"{host}:{port}"

    def write(self, data: bytes) -> None:
        """Sends bytes."""
        if self._at_once:
            try:
                sent = self._transport.socket.send(data)
            except OSError:  # no room now, or the line broke: the reactor finds out which
                sent = 0
            if sent == len(data):
                return
            self._at_once = False
            data = data[sent:]
        self._transport.write(data)

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """A connection has no speed."""

    def pause(self) -> None:
        """Lets the kernel, and so the other end, wait."""
        self._transport.pauseProducing()

    def resume(self) -> None:
        """Reads on."""
        self._transport.resumeProducing()

    def close(self) -> None:
        """Says goodbye first, so that what was written arrives; waits a little for the other end to do the same."""
        if self._gone or self._goodbye is not None:
            return
        self._at_once = False
        half = getattr(self._transport, "loseWriteConnection", None)
        if half is None or hasattr(self._transport, "getPeerCertificate"):
            self._transport.loseConnection()  # TLS says goodbye by itself
        else:
            self._transport.resumeProducing()
            half()
        self._goodbye = self._clock.callLater(_GOODBYE_SECONDS, self.abort)

    def abort(self) -> None:
        """Ends the connection now."""
        self.gone()
        self._transport.abortConnection()

    def gone(self) -> None:
        """The connection is no more."""
        self._gone = True
        self._at_once = False
        goodbye, self._goodbye = self._goodbye, None
        if goodbye is not None and goodbye.active():
            goodbye.cancel()


class OutboundProtocol(StreamProtocol):
    """A connection we opened; ``meet`` says who speaks over it."""

    def __init__(self, clock: IReactorTime, meet: Callable[[Line], Speaker]) -> None:
        self._clock = clock
        self._meet = meet
        self._line: TcpLine | None = None
        self._speaker: Speaker | None = None

    def connectionMade(self) -> None:
        """The line is there."""
        self._line = line = TcpLine(self.transport, self._clock)
        self._speaker = self._meet(line)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the meter."""
        if self._speaker is not None:
            self._speaker.received(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The line is gone, however cleanly."""
        if self._line is not None:
            self._line.gone()
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            speaker.line_lost(lost_because(reason))


class InboundFactory(Factory):
    """Receives a listener's callers within the limits."""

    noisy = False

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self.callers: set[Caller] = set()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A line for a caller that is admitted, None for one that is refused."""
        assert addr is not None
        host, port = peer_of(addr)
        if not self.reception.admission.admit(host):
            return None
        return InboundLine(self, host, port)

    def hold(self) -> None:
        """Stops reading from every line: the store is behind."""
        for caller in self.callers:
            caller.hold()

    def go_on(self) -> None:
        """Reads on from every line."""
        for caller in self.callers:
            caller.go_on()

    def end_all(self, reason: str) -> None:
        """Ends every line."""
        for caller in tuple(self.callers):
            caller.end(reason)


@implementer(IProtocol)
class InboundLine(TcpLine):
    """A connection somebody opened to us: the protocol that Twisted speaks to and the line that its caller has.

    One object, without a dictionary of its own: thousands of them wait.
    """

    __slots__ = ("_caller", "_factory", "_host", "_port")

    def __init__(self, factory: InboundFactory, host: str, port: int) -> None:
        super().__init__(None, factory.reception.facilities.clock)
        self._factory = factory
        self._host = host
        self._port = port
        self._caller: Caller | None = None

    @property
    def remote(self) -> str:
        """The other end's ``HOST:PORT``."""
        return f"{self._host}:{self._port}"

    def makeConnection(self, transport: Any) -> None:
        """The line is there."""
        self._transport = transport
        self._at_once = isinstance(transport, Connection)
        if self._at_once:
            # How Twisted calls it in its own log, two texts for each connection; ours says more.
            transport.logstr = transport.repstr = self._factory.reception.name
        self.connectionMade()

    def connectionMade(self) -> None:
        """The caller may speak."""
        factory = self._factory
        self._caller = caller = Caller(self, factory.reception)
        factory.callers.add(caller)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the caller."""
        self._caller.received(data)  # type: ignore[union-attr]  # there since connectionMade

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The line is gone, however cleanly."""
        factory = self._factory
        factory.reception.admission.release(self._host)
        self.gone()
        caller, self._caller = self._caller, None
        if caller is not None:
            factory.callers.discard(caller)
            caller.line_lost(lost_because(reason))


def peer_of(address: Any) -> tuple[str, int]:
    """Host and port of a TCP address; of another kind, its text and 0."""
    host = getattr(address, "host", None)
    if host is None:
        return str(address), 0
    return host.removeprefix("::ffff:"), address.port


def lost_because(reason: Failure | None) -> str:
    """Why a connection ended, in words."""
    error = None if reason is None else reason.value
    if error is None or isinstance(error, ConnectionDone):
        return "the other end closed the connection"
    if isinstance(error, ConnectionAborted):
        return "the connection was given up"
    return f"the connection broke off: {error}"


async def listen(
    reactor: Any, name: str, description: str, reception: Reception, keep_alive: KeepAlive
) -> tuple[IListeningPort, InboundFactory]:
    """Opens a listener from its endpoint string. Raises `OperatorError` naming it when it cannot be opened."""
    endpoint = server_endpoint(reactor, name, description)
    factory = InboundFactory(reception)
    try:
        port = await endpoint.listen(factory)
    except CannotListenError as taken:
        raise OperatorError(
            f'listener "{name}": {description} cannot be opened: {why_closed(taken.socketError)}'
        ) from None
    sock = getattr(port, "socket", None)
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        keep_alive.apply(sock)
    return port, factory


def server_endpoint(reactor: Any, name: str, description: str) -> IStreamServerEndpoint:
    """A Twisted server endpoint with a listen queue long enough for all meters at once."""
    if _HAS_BACKLOG.match(description) and "backlog=" not in description:
        description = f"{description}:backlog={BACKLOG}"
    try:
        return cast(IStreamServerEndpoint, _parse_endpoint(reactor, description))
    except (ValueError, TypeError, OSError, KeyError, LookupError) as wrong:
        raise OperatorError(f'listener "{name}": {description!r} is no endpoint: {wrong}') from wrong


async def connect(
    reactor: Any, host: str, port: int, seconds: float, keep_alive: KeepAlive, meet: Callable[[Line], Speaker]
) -> None:
    """Connects to a meter (or its converter) that is the TCP server. Raises `LineError` in words."""
    clock = cast(IReactorTime, reactor)
    factory = Factory.forProtocol(lambda: OutboundProtocol(clock, meet))
    factory.noisy = False
    endpoint = HostnameEndpoint(reactor, host, port, timeout=seconds)
    try:
        protocol = await endpoint.connect(factory)
    except (ConnectError, DNSLookupError, OSError) as failed:
        raise LineError(f"no connection to {host}:{port}: {_said(failed, seconds)}") from None
    sock = getattr(cast(Any, protocol).transport, "socket", None)
    if sock is not None:
        keep_alive.apply(sock)


def _said(failed: Exception, seconds: float) -> str:
    kind = type(failed).__name__
    return {
        "ConnectionRefusedError": "it was refused; is the converter on, and is this its port?",
        "TimeoutError": f"nothing answered within {seconds:g} s; check power, SIM and address",
        "DNSLookupError": "the name is unknown",
        "NoRouteError": "there is no route to it",
    }.get(kind, str(failed) or kind)
