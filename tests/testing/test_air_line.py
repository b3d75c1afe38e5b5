"""The way through the air."""

from __future__ import annotations

import random

import pytest
from twisted.internet.task import Clock

from gateway_server.testing.air_line import CSD, AirShape, OneWay
from gateway_server.testing.line_to_meter import run


def one_way(shape: AirShape = CSD) -> tuple[OneWay, Clock, list[tuple[float, bytes]]]:
    clock = Clock()
    came: list[tuple[float, bytes]] = []
    way = OneWay(clock, shape, lambda data: came.append((clock.seconds(), data)), random.Random(1))
    return way, clock, came


def test_octets_arrive_at_960_a_second_and_half_a_round_trip_late() -> None:
    way, clock, came = one_way()
    way.send(bytes(range(96)))
    run(clock, 10)
    assert b"".join(data for _, data in came) == bytes(range(96))
    assert came[0][0] == pytest.approx(0.3 + 24 / 960)
    assert came[-1][0] == pytest.approx(0.3 + 96 / 960)


def test_what_is_sent_while_the_line_is_busy_queues_behind() -> None:
    way, clock, came = one_way()
    way.send(bytes(960))
    run(clock, 0.5)
    way.send(b"x")
    run(clock, 10)
    at, data = came[-1]
    assert data == b"x"
    assert at == pytest.approx(0.3 + 961 / 960)


def test_repeated_frame_holds_up_all_behind_it_and_loses_nothing() -> None:
    way, clock, came = one_way(AirShape(repeated=0.5, repeat_s=2.0))
    way.send(bytes(240))
    run(clock, 60)
    assert sum(len(data) for _, data in came) == 240
    assert came[-1][0] > 2.3
    assert [at for at, _ in came] == sorted(at for at, _ in came)


def test_line_without_a_pace_is_late_only() -> None:
    way, clock, came = one_way(AirShape(bytes_per_second=0, round_trip_s=1))
    way.send(bytes(10_000))
    run(clock, 0.5)
    assert sum(len(data) for _, data in came) == 10_000


def test_end_of_the_line_comes_behind_the_last_octet() -> None:
    way, clock, came = one_way()
    way.send(bytes(960))
    way.then(lambda: came.append((clock.seconds(), b"end")))
    run(clock, 10)
    at, data = came[-1]
    assert data == b"end"
    assert at == pytest.approx(1.3)


def test_cut_line_delivers_nothing_more() -> None:
    way, clock, came = one_way()
    way.send(bytes(960))
    run(clock, 0.5)
    before = len(came)
    way.cut()
    run(clock, 10)
    assert len(came) == before
    assert clock.getDelayedCalls() == []
