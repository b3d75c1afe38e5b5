"""A modem behind a serial server over TCP: plain (``socket://``) or with RFC 2217 (``rfc2217://``)."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.python.failure import Failure

from gateway_server.errors import LineError
from gateway_server.transports.modem import rfc2217
from gateway_server.transports.modem.port import PortUser, ServerWords
from gateway_server.transports.tcp import KeepAlive, lost_because

KEEP_ALIVE = KeepAlive(30, 10, 3, 60)
"""A serial server gives its port to one at a time: the half-open connection of a dead gateway blocks it for minutes."""
CONNECT_SECONDS = 15.0


class TcpModemPort(StreamProtocol):
    """A serial server in raw mode: no lines, no speed, and closing it does not hang up."""

    def __init__(self, user: PortUser, where: str) -> None:
        self._user: PortUser | None = user
        self._where = where
        self._words: ServerWords | None = ServerWords()

    @property
    def dcd(self) -> bool | None:
        """Nobody tells."""
        return None

    def write(self, data: bytes) -> None:
        """Sends bytes to the modem."""
        if self.transport is not None:
            self.transport.write(data)

    def set_speed(self, speed: int) -> None:
        """The serial server's own business."""

    def set_dtr(self, up: bool) -> None:  # the level of a line
        """There is no such line."""

    def pause(self) -> None:
        """Lets the kernel, and so the modem, wait."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resume(self) -> None:
        """Reads on."""
        transport: Any = self.transport
        transport.resumeProducing()

    def close(self) -> None:
        """Gives the port back."""
        self._user = None
        if self.transport is not None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the serial server."""
        self.modem_said(data)

    def modem_said(self, data: bytes) -> None:
        """Bytes from the modem, unless it is the server that speaks in its place."""
        user = self._user
        if user is None:
            return
        if self._words is not None:
            if why := self._words.heard(data):
                self._lost(f"{self._where}: {why}")
                return
            if b"OK" in data or b"\r0\r" in data:
                self._words = None  # a modem has spoken: what comes from now on is its own
        user.port_received(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The serial server closed it, or the way there broke."""
        self._lost(f"{self._where}: {lost_because(reason)}")

    def _lost(self, why: str) -> None:
        user, self._user = self._user, None
        if user is not None:
            if self.transport is not None:
                self.transport.loseConnection()
            user.port_lost(why)


class Rfc2217Port(TcpModemPort):
    """A serial server whose lines and speed can be set, and which tells of its carrier."""

    def __init__(self, user: PortUser, where: str, speed: int) -> None:
        super().__init__(user, where)
        self._speed = speed
        self._reader = rfc2217.TelnetReader()
        self._agreed = False
        self._dcd: bool | None = None

    @property
    def dcd(self) -> bool | None:
        """As the server told last; None until it told of any line, which one on a pseudo terminal never does."""
        return self._dcd

    def connectionMade(self) -> None:
        """Offers and asks for the option; the orders follow when the server has agreed."""
        assert self.transport is not None
        self.transport.write(rfc2217.opening())

    def write(self, data: bytes) -> None:
        """Sends bytes to the modem."""
        super().write(rfc2217.escaped(data))

    def set_speed(self, speed: int) -> None:
        """Orders another speed."""
        if speed != self._speed:
            self._speed = speed
            self._order(rfc2217.SET_BAUDRATE, speed.to_bytes(4, "big"))

    def set_dtr(self, up: bool) -> None:  # the level of a line
        """Orders it; whether there is such a line shows in what the modem does."""
        self._order(rfc2217.SET_CONTROL, bytes((rfc2217.DTR_ON if up else rfc2217.DTR_OFF,)))

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the serial server."""
        events = self._reader.feed(data)
        if self._reader.replies and self.transport is not None:
            self.transport.write(bytes(self._reader.replies))
            self._reader.replies.clear()
        for event in events:
            match event:
                case rfc2217.Payload(said):
                    self.modem_said(said)
                case rfc2217.Agreed(ours):
                    self._agree(ours=ours)
                case rfc2217.ModemState(carrier, any_line):
                    self._lines(carrier=carrier, any_line=any_line)

    def _agree(self, *, ours: bool) -> None:
        if not ours:
            self._lost(f"{self._where}: the serial server does not know RFC 2217; write socket:// for its raw mode")
        elif not self._agreed and self.transport is not None:
            self._agreed = True
            self.transport.write(rfc2217.settings(self._speed))

    def _lines(self, *, carrier: bool, any_line: bool) -> None:
        if self._dcd is None and not any_line:
            return
        changed = self._dcd is not None and self._dcd != carrier
        self._dcd = carrier
        if (changed or carrier) and self._user is not None:
            self._user.carrier(carrier)

    def _order(self, order: int, value: bytes) -> None:
        if self._agreed and self.transport is not None:
            self.transport.write(rfc2217.ordered(order, value))


async def open_tcp_port(reactor: Any, scheme: str, host: str, port: int, speed: int, user: PortUser) -> TcpModemPort:
    """Connects to a serial server. Raises `LineError` in words."""
    where = f"{scheme}://{host}:{port}"

    def made() -> TcpModemPort:
        return Rfc2217Port(user, where, speed) if scheme == "rfc2217" else TcpModemPort(user, where)

    factory = Factory.forProtocol(made)
    factory.noisy = False
    try:
        protocol: Any = await HostnameEndpoint(reactor, host, port, timeout=CONNECT_SECONDS).connect(factory)
    except (ConnectError, DNSLookupError, OSError) as failed:
        said = str(failed) or type(failed).__name__
        raise LineError(f"{where}: no connection ({said}); is the serial server on, and is this its port?") from None
    sock = getattr(protocol.transport, "socket", None)
    if sock is not None:
        KEEP_ALIVE.apply(sock)
    opened: TcpModemPort = protocol
    return opened
