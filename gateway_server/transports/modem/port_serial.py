"""A modem on a local port: DTR hangs up and DCD tells of the carrier, where the port has such lines."""

from __future__ import annotations

from typing import Any

import serial
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.serialport import SerialPort
from twisted.python.failure import Failure

from gateway_server.errors import LineError
from gateway_server.transports.modem.port import PortUser
from gateway_server.transports.serial import said_of

POLL_SECONDS = 0.25


class _QuietSerial(serial.Serial):
    """A port of ours alone, opened with DTR up at once: a pulse on it resets some modems and hangs up others."""

    def __init__(self, port: str, **settings: Any) -> None:
        super().__init__(None, **{**settings, "exclusive": True})
        self.dtr = True
        self.rts = True
        self.port = port
        self.open()


class _QuietPort(SerialPort):
    _serialFactory: Any = _QuietSerial


class SerialModemPort(StreamProtocol):
    """The port, and who uses it."""

    def __init__(self, user: PortUser, where: str, clock: IReactorTime) -> None:
        self._user: PortUser | None = user
        self._where = where
        self._clock = clock
        self._poll: IDelayedCall | None = None
        self._dcd: bool | None = None

    @property
    def dcd(self) -> bool | None:
        """As it is now; None on a port without modem lines, such as a pseudo terminal."""
        port = self._serial
        try:
            return None if port is None else bool(port.cd)
        except (OSError, serial.SerialException):
            return None

    def write(self, data: bytes) -> None:
        """Sends bytes to the modem."""
        if self.transport is not None:
            self.transport.write(data)

    def set_speed(self, speed: int) -> None:
        """Speaks at another speed from now on."""
        port = self._serial
        if port is None or port.baudrate == speed:
            return
        try:
            port.baudrate = speed
        except (OSError, ValueError, serial.SerialException) as failed:
            self._lost(f"{self._where} cannot be set to {speed} baud: {failed}")

    def set_dtr(self, up: bool) -> None:  # the level of a line
        """Raises or drops DTR; a port without it stays as it is."""
        port = self._serial
        if port is not None:
            try:
                port.dtr = up
            except (OSError, serial.SerialException):
                return

    def pause(self) -> None:
        """Lets the port's buffer fill."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resume(self) -> None:
        """Reads on."""
        transport: Any = self.transport
        transport.resumeProducing()

    def close(self) -> None:
        """Gives the port back."""
        self._user = None
        self._stop_polling()
        if self.transport is not None:
            self.transport.loseConnection()

    @property
    def _serial(self) -> Any:
        return getattr(self.transport, "_serial", None)

    # what Twisted says

    def connectionMade(self) -> None:
        """The port is open."""
        self._dcd = self.dcd
        if self._dcd is not None:
            self._poll = self._clock.callLater(POLL_SECONDS, self._look)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the modem."""
        if self._user is not None:
            self._user.port_received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Unplugged, or the other end of a pseudo terminal was closed."""
        self._lost(f"{self._where} was unplugged or closed: {reason.getErrorMessage()}")

    def _look(self) -> None:
        self._poll = None
        now = self.dcd
        if self._user is None or now is None:
            return
        self._poll = self._clock.callLater(POLL_SECONDS, self._look)
        if now != self._dcd:
            self._dcd = now
            self._user.carrier(now)

    def _lost(self, why: str) -> None:
        self._stop_polling()
        user, self._user = self._user, None
        if user is not None:
            user.port_lost(why)

    def _stop_polling(self) -> None:
        poll, self._poll = self._poll, None
        if poll is not None and poll.active():
            poll.cancel()


def open_serial_port(reactor: Any, port: str, speed: int, user: PortUser) -> SerialModemPort:
    """Opens a local port. Raises `LineError` that says what to do when that fails."""
    protocol = SerialModemPort(user, port, reactor)
    open_quietly: Any = _QuietPort  # Twisted's constructor has no types
    try:
        open_quietly(protocol, port, reactor, baudrate=speed)
    except (serial.SerialException, OSError, ValueError) as failed:
        raise LineError(f"the port {port} cannot be opened: {said_of(failed, port)}") from None
    return protocol
