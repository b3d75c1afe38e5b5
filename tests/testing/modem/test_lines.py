"""Modems on terminals and behind raw serial servers."""

from __future__ import annotations

import os
import termios
from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.modem.lines import ModemOnPty, ModemServer, listen_raw
from tests.testing.dialling import NUMBER, Desk
from tests.testing.memory import through


def asked(terminal: ModemOnPty, desk: Desk, end: int, data: bytes) -> bytes:
    os.write(end, data)
    terminal.doRead()
    desk.wait(1)
    terminal.doWrite()
    return os.read(end, 1000)


def opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


def test_modem_on_a_terminal_answers_through_its_path() -> None:
    desk, reactor = Desk(), MemoryReactorClock()
    terminal = ModemOnPty(reactor, desk.modem, None, desk.clock)
    end = opened(terminal.path)
    try:
        assert asked(terminal, desk, end, b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
        assert reactor.getWriters() == []
    finally:
        os.close(end)
        terminal.stop()
    assert reactor.getReaders() == []


def test_terminals_speed_is_what_its_user_has_set() -> None:
    desk, reactor = Desk(), MemoryReactorClock()
    terminal = ModemOnPty(reactor, desk.modem, None, desk.clock)
    end = opened(terminal.path)
    try:
        settings = termios.tcgetattr(end)
        settings[4] = settings[5] = termios.B19200
        termios.tcsetattr(end, termios.TCSANOW, settings)
        assert terminal.speed == 19200
    finally:
        os.close(end)
        terminal.stop()
    assert terminal.speed == 0


def test_unplugged_terminal_is_gone_and_comes_back_under_its_name(tmp_path: Path) -> None:
    desk, reactor = Desk(), MemoryReactorClock()
    link = tmp_path / "modem1"
    terminal = ModemOnPty(reactor, desk.modem, link, desk.clock)
    assert terminal.path == str(link)
    end = opened(str(link))
    try:
        terminal.unplug(10)
        assert terminal.fileno() == -1
        assert not link.is_symlink(), "the number of the terminal may be another program's by now"
        desk.wait(5)
        with pytest.raises(OSError, match="Input/output error"):
            os.write(end, b"AT\r")
        assert reactor.getReaders() == []
        desk.wait(6)
    finally:
        os.close(end)
    end = opened(str(link))
    try:
        assert asked(terminal, desk, end, b"AT\r") == b"AT\r\r\nOK\r\n"
    finally:
        os.close(end)
        terminal.stop()
    assert not link.is_symlink()


def test_terminal_stopped_while_it_is_unplugged_does_not_come_back() -> None:
    desk, reactor = Desk(), MemoryReactorClock()
    terminal = ModemOnPty(reactor, desk.modem, None, desk.clock)
    terminal.unplug(10)
    terminal.stop()
    desk.wait(20)
    assert reactor.getReaders() == []


def test_raw_serial_server_carries_octets_and_tells_a_second_user_to_go() -> None:
    desk = Desk()
    server = ModemServer(desk.clock, desk.modem)
    first, line = through(server.buildProtocol(None))
    first.dataReceived(b"ATE0\r")
    desk.wait(1)
    assert line.take() == b"ATE0\r\r\nOK\r\n"
    second, other = through(server.buildProtocol(None))
    assert other.take() == b"Port already in use\r\n"
    assert other.closed
    second.dataReceived(b"AT\r")
    second.connectionLost()  # type: ignore[call-arg]  # it has a default
    first.dataReceived(b"AT\r")
    desk.wait(1)
    assert line.take() == b"\r\nOK\r\n", "the second user has done no harm"


def test_user_who_leaves_hangs_up_nothing_and_the_next_one_is_on_line_with_the_meter() -> None:
    desk = Desk()
    server = ModemServer(desk.clock, desk.modem)
    first, _ = through(server.buildProtocol(None))
    first.dataReceived(b"ATE0\r")
    first.dataReceived(f"ATD{NUMBER}\r".encode("ascii"))
    desk.wait(30)
    first.connectionLost()  # type: ignore[call-arg]  # it has a default
    assert desk.modem.off_hook
    second, line = through(server.buildProtocol(None))
    second.dataReceived(b"ATZ\r")
    desk.wait(2)
    assert line.take() == b"ATZ\r"
    assert bytes(desk.parrot.heard) == b"ATZ\r"


def test_serial_server_whose_modem_is_unplugged_throws_its_user_out_and_refuses_the_next() -> None:
    desk = Desk()
    server = ModemServer(desk.clock, desk.modem)
    first, line = through(server.buildProtocol(None))
    server.unplug(10)
    assert line.aborted
    first.connectionLost()  # type: ignore[call-arg]  # it has a default
    assert server.buildProtocol(None) is None
    desk.wait(10)
    assert server.buildProtocol(None) is not None


def test_raw_server_listens_where_it_is_told() -> None:
    reactor = MemoryReactorClock()
    listen_raw(reactor, Desk().modem, reactor, "127.0.0.1", 7203)
    port, factory, _, interface = reactor.tcpServers[0]
    assert (port, interface) == (7203, "127.0.0.1")
    assert isinstance(factory, ModemServer)
