"""Local ports of modems: a real pseudo terminal, and modem lines that a test moves."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from typing import Any

import pytest
import serial
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from gateway_server.errors import LineError
from gateway_server.transports.modem.port_serial import POLL_SECONDS, SerialModemPort, _QuietSerial, open_serial_port


class User:
    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: list[str] = []
        self.carriers: list[bool] = []

    def port_received(self, data: bytes) -> None:
        self.heard += data

    def port_lost(self, why: str) -> None:
        self.lost.append(why)

    def carrier(self, up: bool) -> None:  # the port's signature
        self.carriers.append(up)


class Wired:
    """A pyserial object with modem lines."""

    def __init__(self, *, lines: bool = True) -> None:
        self._lines = lines
        self.baudrate = 9600
        self.level = False
        self.dtr_was: list[bool] = []

    @property
    def cd(self) -> bool:
        if not self._lines:
            raise OSError(25, "Inappropriate ioctl for device")
        return self.level

    @property
    def dtr(self) -> bool:
        return self.dtr_was[-1]

    @dtr.setter
    def dtr(self, up: bool) -> None:
        if not self._lines:
            raise OSError(25, "Inappropriate ioctl for device")
        self.dtr_was.append(up)


class Transport:
    def __init__(self, wired: Wired) -> None:
        self._serial = wired
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def loseConnection(self) -> None:
        self.closed = True

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


def made(*, lines: bool = True) -> tuple[SerialModemPort, User, Wired, Transport, Clock]:
    clock, user, wired = Clock(), User(), Wired(lines=lines)
    port, transport = SerialModemPort(user, "/dev/ttyUSB0", clock), Transport(wired)
    connected: Any = port  # Twisted's method has no types
    connected.makeConnection(transport)
    return port, user, wired, transport, clock


def test_carrier_is_polled_and_told_when_it_changes() -> None:
    port, user, wired, _, clock = made()
    wired.level = True
    clock.advance(POLL_SECONDS)
    wired.level = False
    clock.advance(POLL_SECONDS)
    clock.advance(POLL_SECONDS)
    assert user.carriers == [True, False]
    port.close()
    assert clock.getDelayedCalls() == []


def test_port_without_lines_tells_nothing_and_bears_every_order() -> None:
    port, user, _, transport, clock = made(lines=False)
    assert port.dcd is None
    port.set_dtr(False)
    port.write(b"AT\r")
    clock.advance(10)
    assert transport.written == [b"AT\r"]
    assert user.carriers == []
    assert clock.getDelayedCalls() == []


def test_speed_and_dtr_reach_the_port() -> None:
    port, _, wired, _, _ = made()
    port.set_speed(19200)
    port.set_dtr(False)
    port.set_dtr(True)
    assert (wired.baudrate, wired.dtr_was) == (19200, [False, True])


def test_unplugged_port_is_lost_once_and_one_we_closed_is_not() -> None:
    port, user, _, _, clock = made()
    port.connectionLost()
    port.connectionLost()
    assert len(user.lost) == 1
    assert "/dev/ttyUSB0 was unplugged or closed" in user.lost[0]
    assert clock.getDelayedCalls() == []
    port, user, _, transport, _ = made()
    port.close()
    port.connectionLost()
    assert transport.closed
    assert user.lost == []


def test_port_that_is_not_there_says_what_to_do() -> None:
    user: Any = User()
    with pytest.raises(LineError, match="is the cable plugged in"):
        open_serial_port(MemoryReactorClock(), "/dev/ttyNONE7", 9600, user)


@pytest.fixture
def terminal() -> Iterator[str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_port_is_ours_alone(terminal: str) -> None:
    first = _QuietSerial(terminal, baudrate=9600)
    with pytest.raises(serial.SerialException):
        _QuietSerial(terminal, baudrate=9600)
    first.close()
