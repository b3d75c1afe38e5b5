"""A line between a session and a simulated meter, without a wire."""

from __future__ import annotations

from datetime import datetime

from twisted.internet.task import Clock

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.line_to_meter import LineToMeter, run
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import MeterClock

NOW = datetime(2024, 4, 3, 12, 5)


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[float, bytes]] = []
        self.lost = False
        self.clock = Clock()

    def received(self, data: bytes) -> None:
        self.heard.append((self.clock.seconds(), data))

    def line_lost(self) -> None:
        self.lost = True


def line_to(quirks: Quirks) -> tuple[LineToMeter, Listener]:
    listener = Listener()
    meter = FakeMeter("ek270", "41203377", 1, quirks, NOW, days=1)
    line = LineToMeter(meter, listener.clock, MeterClock(listener.clock, NOW))
    line.connect(listener)
    return line, listener


def test_answer_comes_behind_the_call_that_asked_and_at_its_own_time() -> None:
    line, listener = line_to(Quirks(reply_delay_s=1.5))
    line.write(b"/?!\r\n")
    assert listener.heard == []
    run(listener.clock, 10)
    assert listener.heard == [(1.5, b"/Els6EK270\r\n")]
    assert listener.clock.seconds() == 10


def test_far_end_that_hangs_up_is_a_lost_line() -> None:
    line, listener = line_to(Quirks(hang_up_in_block=1))
    for data in (b"/?!\r\n", b"\x06061\r\n", b"\x01R3\x023:V.0(;;;10)\x03\x1a"):
        line.write(data)
        run(listener.clock, 1)
    assert listener.lost
    line.write(b"\x06")
    run(listener.clock, 1)
    assert len(listener.heard) == 3


def test_line_that_was_closed_says_no_more() -> None:
    line, listener = line_to(Quirks(reply_delay_s=1))
    line.write(b"/?!\r\n")
    line.close()
    run(listener.clock, 5)
    assert listener.heard == []
    assert not listener.lost, "who closes a line is not told that it is lost"
