"""Local ports: speeds, formats, and when they may change."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from gateway_server.errors import LineError
from gateway_server.transports.routes import SerialRoute
from gateway_server.transports.serial import SerialLine, apply_format, open_port


@dataclass
class Settings:
    baudrate: int = 300
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1


@dataclass
class Port:
    """What is written, with the speed at which it would leave."""

    settings: Settings
    written: list[tuple[int, bytes]] = field(default_factory=list)
    reading: bool = True
    open: bool = True
    lost: str = ""

    def write(self, data: bytes) -> None:
        self.written.append((self.settings.baudrate, data))

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def loseConnection(self) -> None:
        self.open = False

    def connectionLost(self, reason: Failure) -> None:
        self.open = False
        self.lost = reason.getErrorMessage()


def made(baud: int = 300) -> tuple[SerialLine, Port, Clock]:
    clock = Clock()
    settings = Settings(baud, 7, "E")
    port = Port(settings)
    return SerialLine(port, settings, SerialRoute("/dev/ttyUSB0", baud, "7E1"), clock), port, clock


def test_speed_changes_when_what_was_written_has_left() -> None:
    line, port, clock = made(300)
    line.write(b"\x06051\r\n")  # six characters at 300 baud take 0.22 s
    line.change(9600, "")
    line.write(b"\x01B0\x03q")
    clock.advance(0.2)
    assert port.written == [(300, b"\x06051\r\n")]
    clock.advance(0.05)
    assert port.written == [(300, b"\x06051\r\n"), (9600, b"\x01B0\x03q")]
    assert (port.settings.bytesize, port.settings.parity) == (7, "E")


def test_line_of_a_fixed_speed_does_not_follow_a_change_meant_for_optical_heads() -> None:
    line, port, _ = made(19200)
    line.change(9600, "", only_from=300)
    assert port.settings.baudrate == 19200
    line, port, _ = made(300)
    line.change(9600, "", only_from=300)
    assert port.settings.baudrate == 9600


def test_speed_changes_at_once_on_a_quiet_line_and_twice_in_order() -> None:
    line, port, clock = made()
    line.change(9600, "8N1")
    assert (port.settings.baudrate, port.settings.bytesize, port.settings.parity) == (9600, 8, "N")
    line.write(b"x" * 100)
    line.change(300, "7E1")
    line.write(b"y")
    line.change(19200, "8N1")
    line.write(b"z")
    clock.pump([0.05] * 20)
    assert [baud for baud, _ in port.written] == [9600, 300, 19200]


def test_last_words_leave_before_the_port_is_given_back() -> None:
    line, port, clock = made(300)
    line.write(b"\x01B0\x03q")
    line.close()
    line.close()
    clock.advance(0.15)
    assert port.open
    clock.advance(0.1)
    assert not port.open


def test_port_that_is_gone_leaves_no_timer() -> None:
    line, port, clock = made()
    line.write(b"x" * 50)
    line.change(9600, "8N1")
    line.gone()
    assert clock.getDelayedCalls() == []
    line.abort()
    assert not port.open


def test_reading_can_wait() -> None:
    line, port, _ = made()
    line.pause()
    assert not port.reading
    line.resume()
    assert port.reading


def test_format_is_applied_letter_by_letter() -> None:
    settings = Settings()
    apply_format(settings, "8E2")
    assert (settings.bytesize, settings.parity, settings.stopbits) == (8, "E", 2)


def test_port_that_is_not_there_is_told_with_where_to_look() -> None:
    with pytest.raises(LineError, match="cannot be opened: there is none; is the cable plugged in"):
        open_port(None, SerialRoute("/dev/ttyNONE7"), lambda line: None)  # type: ignore[arg-type, return-value]


class StubbornSettings(Settings):
    """A converter that knows one format."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "parity" and value != "N":
            raise ValueError(f"parity {value} is not supported")
        super().__setattr__(name, value)


def test_port_that_cannot_do_a_format_loses_the_line_and_says_so() -> None:
    settings = StubbornSettings(300)
    port = Port(settings)
    line = SerialLine(port, settings, SerialRoute("/dev/ttyUSB0", 300, "8N1"), Clock())
    line.change(9600, "7E1")
    line.write(b"never leaves")
    assert port.lost == "it does not do 9600 7E1: parity E is not supported"
    assert port.written == []


@pytest.fixture
def terminal() -> Iterator[str]:
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_pseudo_terminal_is_opened_in_a_format_it_does_not_have_again_and_again(terminal: str) -> None:
    route = SerialRoute(terminal, 300, "7E1")
    for _ in range(3):
        lines: list[SerialLine] = []
        reactor = MemoryReactorClock()
        open_port(reactor, route, lines.append)  # type: ignore[arg-type]  # nobody speaks
        (line,) = lines
        line.change(9600, "8N1")
        line.change(19200, "7E2")
        (port,) = reactor.readers
        port.connectionLost(Failure(LineError("closed")))
