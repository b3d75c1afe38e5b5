"""Local ports: a unit on the desk over USB, a loop of meters on RS-485, an optical head."""

from __future__ import annotations

import errno
import os
import termios
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import serial
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.serialport import SerialPort
from twisted.python.failure import Failure

from gateway_server.errors import LineError
from gateway_server.session.line import Line
from gateway_server.transports.routes import SerialRoute

_BITS_PER_CHARACTER = 11
_MARGIN_SECONDS = 0.02
PSEUDO_FORMAT = "8N1"
"""A pseudo terminal passes octets of 8 bits; Linux refuses it any other format."""
_PSEUDO_TERMINALS = range(136, 144)
_REFUSED = (serial.SerialException, OSError, ValueError, termios.error)


class Settings(Protocol):
    """What a line changes of a pyserial port."""

    baudrate: int
    bytesize: int
    parity: str
    stopbits: float


class _Speaker(Protocol):
    def received(self, data: bytes) -> None: ...

    def line_lost(self, reason: str) -> None: ...


class _ExclusiveSerial(serial.Serial):
    """A port of ours alone: two programs on one port tear each other's answers apart."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{**settings, "exclusive": True})


class _ExclusivePort(SerialPort):
    _serialFactory = _ExclusiveSerial


class SerialLine:
    """The sending side of a serial port.

    It reckons when what was written has left at the speed of the line, because a change of speed must wait for that;
    what is written meanwhile waits too.
    """

    transport = "serial"

    def __init__(self, port: Any, settings: Settings, route: SerialRoute, clock: IReactorTime) -> None:
        self._port = port
        self._settings = settings
        self._clock = clock
        self._baud = route.baud
        self._format = route.format
        self._formless = _is_pseudo_terminal(route.port)
        self._busy_until = 0.0
        self._waiting: deque[bytes | tuple[int, str]] = deque()
        self._timer: IDelayedCall | None = None
        self._closed = False
        self.remote = route.port

    def write(self, data: bytes) -> None:
        """Sends bytes, behind a change of speed that still waits."""
        if self._waiting:
            self._waiting.append(data)
        else:
            self._send(data)

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """Speaks at another speed and format as soon as everything written has left."""
        if only_from and self._baud != only_from:
            return
        self._waiting.append((baud, format or self._format))
        if self._timer is None:
            self._go_on()

    def pause(self) -> None:
        """Lets the port's buffer fill."""
        self._port.pauseProducing()

    def resume(self) -> None:
        """Reads on."""
        self._port.resumeProducing()

    def close(self) -> None:
        """Lets what was written leave, then gives the port back."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self.gone()
        wait = self._busy_until - self._clock.seconds()
        self._timer = self._clock.callLater(max(wait, 0.0) + _MARGIN_SECONDS, self._port.loseConnection)

    def abort(self) -> None:
        """Gives the port back now."""
        self._closed = True
        self.gone()
        self._port.loseConnection()

    def gone(self) -> None:
        """Nothing waits for the port any more."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _send(self, data: bytes) -> None:
        if self._closed:
            return
        now = self._clock.seconds()
        self._busy_until = max(self._busy_until, now) + len(data) * _BITS_PER_CHARACTER / self._baud
        self._port.write(data)

    def _go_on(self) -> None:
        self._timer = None
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, bytes):
                self._send(self._waiting.popleft())  # type: ignore[arg-type]  # it is the first
                continue
            wait = self._busy_until - self._clock.seconds()
            if wait > 0:
                self._timer = self._clock.callLater(wait + _MARGIN_SECONDS, self._go_on)
                return
            self._waiting.popleft()
            try:
                self._apply(*first)
            except _REFUSED as refused:
                self._waiting.clear()
                self._closed = True
                self._port.connectionLost(Failure(LineError(f"it does not do {first[0]} {first[1]}: {refused}")))

    def _apply(self, baud: int, format: str) -> None:
        self._settings.baudrate = baud
        if format != self._format and not self._formless:
            apply_format(self._settings, format)
        self._baud, self._format = baud, format


def apply_format(settings: Settings, format: str) -> None:
    """Sets data bits, parity and stop bits, as ``7E1``."""
    settings.bytesize = int(format[0])
    settings.parity = format[1]
    settings.stopbits = int(format[2])


class SerialProtocol(StreamProtocol):
    """A local port: its bytes and its loss go to whoever ``meet`` says."""

    def __init__(self, route: SerialRoute, clock: IReactorTime, meet: Callable[[Line], _Speaker]) -> None:
        self._route = route
        self._clock = clock
        self._meet = meet
        self._line: SerialLine | None = None
        self._speaker: _Speaker | None = None

    def connectionMade(self) -> None:
        """The port is open."""
        port: Any = self.transport
        self._line = line = SerialLine(port, port._serial, self._route, self._clock)
        self._speaker = self._meet(line)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the meter."""
        if self._speaker is not None:
            self._speaker.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The port is gone: closed by us, unplugged, or the other end of a pseudo terminal was closed."""
        if self._line is not None:
            self._line.gone()
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            speaker.line_lost(f"the port {self._route.port} was closed: {reason.getErrorMessage()}")


def open_port(reactor: Any, route: SerialRoute, meet: Callable[[Line], _Speaker]) -> None:
    """Opens a local port. Raises `LineError` that says what to do when that fails."""
    protocol = SerialProtocol(route, reactor, meet)
    format = PSEUDO_FORMAT if _is_pseudo_terminal(route.port) else route.format
    open_exclusively: Any = _ExclusivePort  # Twisted's constructor has no types
    try:
        open_exclusively(
            protocol,
            route.port,
            reactor,
            baudrate=route.baud,
            bytesize=int(format[0]),
            parity=format[1],
            stopbits=int(format[2]),
        )
    except _REFUSED as failed:
        raise LineError(f"the port {route.port} cannot be opened: {said_of(failed, route.port)}") from None


def _is_pseudo_terminal(path: str) -> bool:
    """Whether a port is the end of a program's pipe (socat, ser2net, a simulator) and not of a wire."""
    try:
        return os.major(os.stat(path).st_rdev) in _PSEUDO_TERMINALS
    except OSError:
        return False


def said_of(failed: Exception, port: str) -> str:
    """Why a port cannot be opened, and what to do."""
    number = getattr(failed, "errno", None)
    if number == errno.ENOENT:
        return "there is none; is the cable plugged in? `ls /dev/ttyACM* /dev/ttyUSB*` shows those there are"
    if number == errno.EACCES:
        return "we may not; put the user into the group dialout and log in anew"
    if number == errno.EBUSY or "exclusively lock" in str(failed):
        return f"another program has it; `fuser {port}` shows which"
    return str(failed)
