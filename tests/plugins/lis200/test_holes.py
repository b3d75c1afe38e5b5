"""What an archive is known to lack, from one session to the next."""

from __future__ import annotations

from gateway_server.codec.dialogue import Remember
from gateway_server.model import KnownMeter
from plugins.lis200.conversation import Conversation, Talk
from plugins.lis200.holes import MOST, Hole, Holes


def holes(text: str = "", behind: int | None = None) -> Holes:
    return Holes(Conversation(KnownMeter("41203377", memory={"fill:interval": text})), "interval", behind)


def remembered(talk: Talk) -> list[str]:
    said = []
    for wish in talk:
        assert isinstance(wish, Remember)
        assert wish.name == "fill:interval"
        said.append(wish.value)
    return said


def test_first_row_that_is_not_the_one_behind_the_last_stored_tells_of_a_hole_once() -> None:
    open_ones = holes(behind=100)
    assert remembered(open_ones.noticed(105)) == ["101-104"]
    assert remembered(open_ones.noticed(300)) == []
    assert list(open_ones) == [Hole(101, 104)]


def test_last_stored_row_or_the_one_behind_it_tells_of_none() -> None:
    for first in (99, 100, 101, None):
        assert remembered(holes(behind=100).noticed(first)) == []
    assert remembered(holes().noticed(500)) == []


def test_hole_gets_smaller_with_every_row_and_is_forgotten_with_the_last() -> None:
    open_ones = holes("5-9 20-20")
    assert remembered(open_ones.filled(Hole(5, 9), 3)) == []
    assert remembered(open_ones.filled(Hole(5, 9), 6)) == ["7-9 20-20"]
    assert remembered(open_ones.filled(Hole(7, 9), 9)) == ["20-20"]
    assert remembered(open_ones.filled(Hole(20, 20))) == [""]


def test_what_is_no_hole_in_the_memory_is_passed_over() -> None:
    assert list(holes("5-9 9-5 x 7 1-2-3 12-12")) == [Hole(5, 9), Hole(12, 12)]


def test_hole_that_is_known_is_not_noticed_again() -> None:
    assert remembered(holes("5-9", behind=6).noticed(9)) == []


def test_many_holes_become_one() -> None:
    open_ones = holes(" ".join(f"{at}-{at + 1}" for at in range(10, 10 * MOST + 10, 10)), behind=200)
    assert remembered(open_ones.noticed(300)) == ["10-299"]
