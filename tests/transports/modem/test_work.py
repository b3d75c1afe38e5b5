"""One piece of work at a time, with its timers."""

from __future__ import annotations

import logging

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gateway_server.errors import LineError
from gateway_server.transports.modem.work import Work


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.work = Work(self.clock, "m1")
        self.told: list[object] = []
        self.waiting: Deferred[int] = Deferred()

    async def wait(self) -> int:
        return await self.waiting

    def begin(self) -> None:
        self.work.do(self.wait(), self.told.append, lambda error: self.told.append(str(error)))


def test_result_is_told() -> None:
    scene = Scene()
    scene.begin()
    scene.waiting.callback(7)
    assert scene.told == [7]


def test_failure_is_told() -> None:
    scene = Scene()
    scene.begin()
    scene.waiting.errback(LineError("silent"))
    assert scene.told == ["silent"]


def test_what_is_dropped_tells_nothing_and_its_timers_never_ring() -> None:
    scene = Scene()
    scene.begin()
    scene.work.later(5, scene.told.append, "late")
    scene.work.drop()
    scene.clock.advance(10)
    assert scene.told == []
    scene.work.later(5, scene.told.append, "next")
    scene.clock.advance(5)
    assert scene.told == ["next"]


def test_mistake_of_ours_is_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.begin()
    with caplog.at_level(logging.ERROR):
        scene.waiting.errback(KeyError("oops"))
    assert scene.told == ["'oops'"]
    assert "KeyError" in caplog.text
