"""Drives an upload's script over real lines: one control connection, and a data connection per transfer."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IDelayedCall, IListeningPort, IReactorTCP, IReactorTime, ITCPTransport
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from gateway_server.testing.meter_lines import port_of
from gateway_server.testing.upload_script import (
    Answer,
    Hear,
    Listen,
    Open,
    Place,
    Reply,
    Say,
    Script,
    Send,
    Stored,
    Wish,
)

PATIENCE_S = 75.0  # so long modules wait for a reply (SIM800 manual)
SETTLES_S = 0.05  # what was written has left by then, and a reset behind it


class UploadLine:
    """One attempt. ``ended`` is called once with how it went."""

    def __init__(
        self,
        reactor: IReactorTCP,
        host: str,
        port: int,
        script: Script,
        ended: Callable[[Stored], None],
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._reactor = reactor
        self._clock = IReactorTime(reactor)
        self._host = host
        self._port = port
        self._script = script
        self._ended: Callable[[Stored], None] | None = ended
        self._patience_s = patience_s
        self._waiting: IDelayedCall | None = None
        self._control: _Control | None = None
        self._data: _Data | None = None
        self._listening: IListeningPort | None = None
        self._unsent: Send | None = None
        self._replies: list[Reply] = []
        self._hears = False
        self._opening = False

    def start(self) -> None:
        """Connects."""
        self._wait()
        self._reactor.connectTCP(self._host, self._port, _Client(lambda: _Control(self), self.failed), timeout=30)

    def stop(self) -> None:
        """Lets everything go; the attempt has failed if it has not ended."""
        self._over(Stored(False, "stopped"))

    # the control connection

    def connected(self, control: _Control) -> None:
        """The control connection is there: the script begins."""
        self._control = control
        if self._ended is None:
            control.abort()
        else:
            self._go_on(lambda: next(self._script))

    def heard(self, reply: Reply) -> None:
        """The server said something."""
        if self._hears:
            self._hears = False
            self._go_on(_sending(self._script, reply))
        else:
            self._replies.append(reply)

    def failed(self, why: str) -> None:
        """A connection could not be made, or the control connection is lost."""
        self._over(Stored(False, why))

    # the data connection

    def data_connected(self, data: _Data) -> None:
        """The data connection is there."""
        if self._listening is not None:
            self._listening.stopListening()
            self._listening = None
        if self._ended is None or self._data is not None:
            data.abort()
            return
        self._data = data
        if self._unsent is not None:
            send, self._unsent = self._unsent, None
            self._send(send)
        elif self._opening:
            self._opening = False
            self._go_on(_sending(self._script, None))

    def data_lost(self, data: _Data) -> None:
        """The data connection is gone; what the server says of it comes on the control connection."""
        if self._data is data:
            self._data = None

    def _send(self, send: Send) -> None:
        data = self._data
        if data is None:
            self._unsent = send
            return
        if send.data:
            data.write(send.data)
        if send.then == "close":
            self._data = None
            data.close()
        elif send.then == "reset":
            self._data = None
            self._clock.callLater(SETTLES_S, data.abort)

    # the script

    def _go_on(self, step: Callable[[], Wish]) -> None:
        answer: Answer
        while self._ended is not None:
            try:
                wish = step()
            except StopIteration as end:
                self._over(end.value)
                return
            self._wait()
            if isinstance(wish, Say | Hear):
                if isinstance(wish, Say) and self._control is not None:
                    self._control.say(wish.text)
                if not self._replies:
                    self._hears = True
                    return
                step = _sending(self._script, self._replies.pop(0))
                continue
            if isinstance(wish, Open):
                self._opening = True
                client = _Client(lambda: _Data(self), self.failed)
                self._reactor.connectTCP(wish.host or self._host, wish.port, client, timeout=30)
                return
            answer = None
            if isinstance(wish, Listen):
                answer = self._listen()
            elif isinstance(wish, Send):
                self._send(wish)
            elif self._control is not None:
                self._control.hang_up()
            step = _sending(self._script, answer)

    def _listen(self) -> Place:
        address = self._control.own_host() if self._control is not None else "127.0.0.1"
        self._listening = self._reactor.listenTCP(0, _Server(lambda: _Data(self)), interface=address)
        return Place(address, port_of(self._listening))

    def _wait(self) -> None:
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self._waiting = self._clock.callLater(self._patience_s, self.failed, "the server does not answer")

    def _over(self, stored: Stored) -> None:
        if self._ended is None:
            return
        ended, self._ended = self._ended, None
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self._script.close()
        if self._listening is not None:
            self._listening.stopListening()
        if self._data is not None:
            self._data.abort()
        if self._control is not None:
            self._control.hang_up()
        ended(stored)


def _sending(script: Script, answer: Answer) -> Callable[[], Wish]:
    return lambda: script.send(answer)


class _Line(Protocol):
    """What both connections have in common."""

    def _tcp(self) -> ITCPTransport:
        return ITCPTransport(self.transport)

    def abort(self) -> None:
        """Resets the connection."""
        self._tcp().abortConnection()


class _Control(_Line):
    """The control connection of an attempt."""

    def __init__(self, attempt: UploadLine) -> None:
        self._attempt = attempt
        self._buffer = b""
        self._lines: list[str] = []

    def connectionMade(self) -> None:
        self._tcp().setTcpNoDelay(True)
        self._attempt.connected(self)

    def dataReceived(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for raw in lines:
            line = raw.rstrip(b"\r").decode("utf-8", "replace")
            self._lines.append(line)
            if line[:3].isdigit() and line[3:4] in {"", " "}:
                text = "\n".join([*self._lines[:-1], line[4:]])
                self._lines = []
                self._attempt.heard(Reply(int(line[:3]), text))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._attempt.failed("the server hung up")

    def say(self, text: str) -> None:
        """Sends a command."""
        self._tcp().write(text.encode("utf-8") + b"\r\n")

    def hang_up(self) -> None:
        """Closes the connection."""
        self._tcp().loseConnection()

    def own_host(self) -> str:
        """Our address on this connection."""
        return str(getattr(self._tcp().getHost(), "host", "127.0.0.1"))


class _Data(_Line):
    """A data connection of an attempt."""

    def __init__(self, attempt: UploadLine) -> None:
        self._attempt = attempt

    def connectionMade(self) -> None:
        self._attempt.data_connected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._attempt.data_lost(self)

    def write(self, data: bytes) -> None:
        """Sends bytes of the file."""
        self._tcp().write(data)

    def close(self) -> None:
        """The file is at its end."""
        self._tcp().loseConnection()


class _Client(ClientFactory):
    """Makes the protocol of an outgoing connection."""

    noisy = False

    def __init__(self, make: Callable[[], Protocol], failed: Callable[[str], None]) -> None:
        self._make = make
        self._failed = failed

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._make()

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self._failed(reason.getErrorMessage())


class _Server(ServerFactory):
    """Makes the protocol of an incoming data connection."""

    noisy = False

    def __init__(self, make: Callable[[], Protocol]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._make()
