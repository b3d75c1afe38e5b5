"""Three pluses between two silences."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway_server.testing.line_to_meter import run
from gateway_server.testing.modem.escape import EscapeWatch

PLUS = 43


class Watched:
    def __init__(self) -> None:
        self.clock = Clock()
        self.escapes: list[float] = []
        self.watch = EscapeWatch(self.clock, lambda: self.escapes.append(self.clock.seconds()))

    def sent(self, *steps: tuple[float, bytes], escape: int = PLUS) -> list[float]:
        for pause, data in steps:
            run(self.clock, pause)
            self.watch.sent(data, escape, 1.0)
        run(self.clock, 10)
        return self.escapes


def test_pluses_between_silences_escape_when_the_second_is_over() -> None:
    assert Watched().sent((2.0, b"+++")) == [3.0]


def test_pluses_may_come_one_by_one() -> None:
    assert Watched().sent((1.0, b"+"), (0.3, b"+"), (0.3, b"+")) == [pytest.approx(2.6)]


def test_without_a_silence_before_it_nothing_escapes() -> None:
    assert Watched().sent((2.0, b"data"), (0.5, b"+++")) == []


def test_without_a_silence_behind_it_nothing_escapes() -> None:
    assert Watched().sent((2.0, b"+++"), (0.9, b"ATH\r")) == []


def test_pluses_within_data_and_four_of_them_are_data() -> None:
    assert Watched().sent((2.0, b"a+++")) == []
    assert Watched().sent((2.0, b"++++")) == []
    assert Watched().sent((2.0, b"+++"), (0.1, b"+")) == []


def test_escape_character_above_127_switches_it_off() -> None:
    assert Watched().sent((2.0, b"\x80\x80\x80"), escape=128) == []


def test_line_that_has_ended_escapes_no_more() -> None:
    watched = Watched()
    watched.clock.advance(2)
    watched.watch.sent(b"+++", PLUS, 1.0)
    watched.watch.stop()
    watched.clock.advance(10)
    assert watched.escapes == []


def test_silence_counts_from_connect() -> None:
    watched = Watched()
    watched.clock.advance(20)
    watched.watch.begin()
    assert watched.sent((0.5, b"+++")) == []
