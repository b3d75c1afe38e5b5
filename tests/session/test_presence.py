"""One live line per meter."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from gateway_server.session.presence import Presence


class Line:
    def __init__(self) -> None:
        self.superseded_by = ""

    def superseded(self, by: str) -> None:
        self.superseded_by = by


def test_newcomer_wins_and_the_late_end_of_the_old_line_changes_nothing() -> None:
    presence = Presence(Clock())
    old, new = Line(), Line()
    presence.bind("1", old, "a:1")
    presence.bind("1", new, "a:2")
    assert old.superseded_by == "a:2"
    presence.unbind("1", old)
    assert presence.line_to("1") is new
    presence.unbind("1", new)
    assert presence.line_to("1") is None
    assert len(presence) == 0


def test_line_bound_twice_is_not_its_own_newcomer() -> None:
    presence = Presence(Clock())
    line = Line()
    presence.bind("1", line, "a:1")
    presence.bind("1", line, "a:1")
    assert line.superseded_by == ""
    assert list(presence) == ["1"]


def test_whoever_waits_for_a_meter_hears_that_it_came() -> None:
    came: list[str] = []
    presence = Presence(Clock(), came=came.append)
    presence.bind("1", Line(), "a:1")
    presence.bind("2", Line(), "a:2")
    assert came == ["1", "2"]


def test_lines_that_swap_too_often_raise_one_alarm(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    presence = Presence(clock, swaps_per_minute=3)
    swapping = []
    for n in range(6):
        swapping.append(presence.bind("1", Line(), f"a:{n}"))
        clock.advance(5)
    assert swapping == [False, False, False, False, True, True]
    assert caplog.text.count("two devices") == 1


def test_meter_with_bad_coverage_raises_none(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    presence = Presence(clock, swaps_per_minute=3)
    for n in range(20):
        assert not presence.bind("1", Line(), f"a:{n}")
        clock.advance(25)
    assert caplog.text == ""
