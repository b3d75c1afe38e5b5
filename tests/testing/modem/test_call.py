"""Calls, apart from the modem that makes them."""

from __future__ import annotations

import random

import pytest
from twisted.internet.task import Clock

from gateway_server.testing.air_line import CSD
from gateway_server.testing.line_to_meter import run
from gateway_server.testing.modem.call import CallRecord, FakeCall
from gateway_server.testing.modem.faults import call_faults
from gateway_server.testing.modem.phone_book import Subscriber
from gateway_server.testing.modem.results import Result
from tests.testing.dialling import NUMBER, Parrot

BOTH = frozenset({"7", "71"})


class Owner:
    """Notes what its call tells it."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def call_failed(self, result: Result, cause: int) -> None:
        self.told.append((result, cause))

    def call_answered(self, result: Result) -> None:
        self.told.append(result)

    def call_heard(self, data: bytes) -> None:
        self.told.append(data)

    def call_lost(self, *, with_a_word: bool) -> None:
        self.told.append(("lost", with_a_word))

    def call_hangs(self) -> None:
        self.told.append("hangs")

    def unplugged(self, seconds: float) -> None:
        self.told.append(("unplugged", seconds))


class Scene:
    def __init__(self, *faults: str, release_s: float = 0.0) -> None:
        self.clock, self.owner, self.parrot = Clock(), Owner(), Parrot()
        self.subscriber = Subscriber(NUMBER, self.parrot, release_s=release_s)
        self.record = CallRecord(NUMBER, 0.0)
        self.call = FakeCall(
            self.owner, self.clock, self.subscriber, self.record, call_faults(faults), CSD, random.Random(1)
        )

    def dial(self) -> list[object]:
        self.call.dial(20.0, "7", BOTH, 60.0)
        run(self.clock, 30)
        return self.owner.told


def test_call_holds_its_subscriber_from_the_dial_to_its_end() -> None:
    scene = Scene()
    scene.call.dial(20.0, "7", BOTH, 60.0)
    occupied = [scene.subscriber.occupied]
    assert not scene.call.connected
    run(scene.clock, 30)
    assert scene.owner.told == [Result.CONNECT_9600]
    scene.call.end("hung up")
    occupied.append(scene.subscriber.occupied)
    assert occupied == [True, False]
    assert scene.subscriber.calls == 1
    assert (scene.record.connected, scene.record.ended, scene.record.result) == (20.0, 30.0, "hung up")
    assert scene.record.online_s == 10.0


def test_far_end_hears_of_the_hang_up_behind_all_that_was_sent() -> None:
    scene = Scene()
    scene.dial()
    scene.call.send(bytes(960))
    scene.call.end()
    run(scene.clock, 1.2)
    assert scene.parrot.lost_times == 0
    run(scene.clock, 0.2)
    assert scene.parrot.lost_times == 1


def test_what_is_on_its_way_when_one_hangs_up_never_comes() -> None:
    scene = Scene()
    scene.dial()
    scene.parrot.deliver(b"late")
    scene.call.end()
    run(scene.clock, 10)
    assert scene.owner.told == [Result.CONNECT_9600]


def test_call_that_is_ended_before_it_gets_through_never_does() -> None:
    scene = Scene()
    scene.call.dial(20.0, "7", BOTH, 60.0)
    run(scene.clock, 5)
    scene.call.end("aborted")
    run(scene.clock, 60)
    assert scene.owner.told == []
    assert not scene.subscriber.occupied
    assert scene.record.online_s == 0


def test_subscriber_stays_busy_for_a_while_behind_a_call_that_got_through() -> None:
    scene = Scene(release_s=5)
    scene.dial()
    scene.call.end()
    occupied = [scene.subscriber.occupied]
    run(scene.clock, 5)
    assert [*occupied, scene.subscriber.occupied] == [True, False]


@pytest.mark.parametrize("point", ["dialling", "connected", "online"])
def test_call_may_be_its_modems_undoing(point: str) -> None:
    assert Scene(f"hangs={point}").dial()[-1] == "hangs"


def test_cable_is_pulled_once() -> None:
    scene = Scene("unplugged_after=10", "unplugged_s=3")
    scene.dial()
    scene.parrot.deliver(bytes(100))
    run(scene.clock, 10)
    assert scene.owner.told.count(("unplugged", 3.0)) == 1
