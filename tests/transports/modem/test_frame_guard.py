"""Calls that bring nothing are ended, calls that bring frames are not."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock

from gateway_server.testing.line_to_meter import run
from gateway_server.transports.modem.frame_guard import FrameGuard


class Guarded:
    def __init__(self) -> None:
        self.clock = Clock()
        self.frame_ms = self.octets = 0
        self.ends: list[str] = []
        FrameGuard(
            60.0,
            lambda: (self.frame_ms, self.octets),
            self._later,
            self.ends.append,
        )

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self.clock.callLater(seconds, work)


def test_call_without_a_byte_is_ended_once_after_its_limit() -> None:
    call = Guarded()
    run(call.clock, 59)
    assert call.ends == []
    run(call.clock, 100)
    assert call.ends == ["not one byte came for 60 s: hung up, every second is paid for"]


def test_call_that_brings_bytes_and_no_frame_is_ended_too() -> None:
    call = Guarded()
    call.octets = 700
    run(call.clock, 61)
    assert call.ends == ["700 bytes came and no valid frame for 60 s: hung up, every second is paid for"]


def test_call_that_brings_frames_goes_on() -> None:
    call = Guarded()
    for _ in range(10):
        run(call.clock, 40)
        call.frame_ms += 40_000
    assert call.ends == []
