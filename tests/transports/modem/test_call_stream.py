"""A call's bytes: passed on at once, the modem's last words kept out."""

from __future__ import annotations

from twisted.internet.task import Clock

from gateway_server.transports.modem.call_stream import CallStream
from gateway_server.transports.modem.carrier import HOLD_SECONDS


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.passed: list[bytes] = []
        self.lost: list[bytes] = []
        self.stream = CallStream(self.clock, self.passed.append, self.lost.append)


def test_data_is_passed_on_at_once() -> None:
    scene = Scene()
    scene.stream.feed(b"/Els6EK270\r\n")
    assert scene.passed == [b"/Els6EK270\r\n"]
    assert scene.clock.getDelayedCalls() == []


def test_last_words_end_the_call_when_nothing_follows() -> None:
    scene = Scene()
    scene.stream.feed(b"x\r\nNO CARRIER\r\n")
    assert scene.lost == []
    scene.clock.advance(HOLD_SECONDS)
    assert (scene.passed, scene.lost) == ([b"x"], [b"\r\nNO CARRIER\r\n"])


def test_words_that_data_follow_were_data() -> None:
    scene = Scene()
    scene.stream.feed(b"x\r\nNO CARRIER\r\n")
    scene.clock.advance(1)
    scene.stream.feed(b"y")
    scene.clock.advance(10)
    assert (b"".join(scene.passed), scene.lost) == (b"x\r\nNO CARRIER\r\ny", [])


def test_half_of_the_words_is_data_when_the_time_is_over() -> None:
    scene = Scene()
    scene.stream.feed(b"\r\nNO C")
    scene.clock.advance(HOLD_SECONDS)
    assert (b"".join(scene.passed), scene.lost) == (b"\r\nNO C", [])


def test_call_that_we_end_waits_for_nothing() -> None:
    scene = Scene()
    scene.stream.feed(b"\r\nNO CARRIER\r\n")
    assert scene.stream.end() == b"\r\nNO CARRIER\r\n"
    scene.clock.advance(10)
    assert (scene.passed, scene.lost) == ([], [])
    assert scene.clock.getDelayedCalls() == []
