"""A meter at a terminal's far end is read by whoever opens the terminal."""

from __future__ import annotations

import os
from datetime import datetime

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.meter_lines import MeterClock
from gateway_server.testing.meter_pty import MeterOnPty

NOW = datetime(2024, 4, 3, 12, 5)


def test_meter_on_a_terminal_is_read_through_its_path() -> None:
    reactor = MemoryReactorClock()
    terminal = MeterOnPty(reactor, FakeMeter(days=1), MeterClock(reactor, NOW))
    end = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(end, b"/?!\r\n")
        (reader,) = reactor.getReaders()
        IReadDescriptor(reader, terminal).doRead()
        assert reactor.getWriters() == [terminal]
        terminal.doWrite()
        assert reactor.getWriters() == []
        assert os.read(end, 100) == b"/Els6EK270\r\n"
    finally:
        os.close(end)
        terminal.stop()
    assert reactor.getReaders() == []
