"""Rows that an archive is known to lack: passed over by the time, or asked for as ranges, newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import LineLost
from gateway_server.model import ArchiveRange, KnownMeter, LastRow, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import Block, Command, Message, Refusal
from tests.plugins.lis200.archives import INTERVAL, SERIAL, between, ek_row, found, held, order_and_time, scripted
from tests.plugins.lis200.visit import visit


def passed_over(meter: FakeMeter, rows: int) -> KnownMeter:
    """Known by a last row that lies so many rows before the one its time now leads to: the clock was set."""
    held_rows = held(meter)
    at = datetime.strptime(held_rows[-5]["time"], "%Y-%m-%d,%H:%M:%S")
    return replace(INTERVAL, last={"interval": LastRow(held_rows[-5 - rows]["order_number"], at)})


def test_rows_that_the_time_passes_over_are_fetched_behind_the_newer_ones() -> None:
    meter = FakeMeter(days=10)
    told = visit(meter, passed_over(meter, 35))
    rows = order_and_time(meter)
    assert found(told) == [*rows[-5:], *rows[-39:-5]]
    assert told.outcome is None
    assert told.memory["fill:interval"] == ""
    assert not any("missing" in note for note in told.notes)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 6])
def test_rows_passed_over_are_fetched_by_the_next_session_when_this_one_breaks_off(block: int) -> None:
    meter = FakeMeter(days=10, quirks=Quirks(hang_up_in_block=block))
    known = replace(passed_over(meter, 35), memory={"block": "3"})
    first = visit(meter, known)
    assert isinstance(first.outcome, LineLost)
    meter.hung_up()
    second = visit(meter, replace(known, last={**known.last, **first.last()}, memory={**known.memory, **first.memory}))
    assert second.outcome is None
    assert sorted(set(found(first) + found(second))) == order_and_time(meter)[-39:]
    third = visit(meter, replace(known, last=second.last(), memory={**first.memory, **second.memory}))
    assert len(found(third)) == 1


def test_rows_passed_over_that_the_device_has_lost_are_noted_and_not_asked_for_again() -> None:
    meter = FakeMeter(days=10)
    rows = order_and_time(meter)
    newest = {"interval": LastRow(rows[-1][0], datetime(2024, 4, 3, 12))}
    told = visit(meter, replace(INTERVAL, last=newest, memory={"fill:interval": "1-3 nonsense 9-7"}))
    assert told.outcome is None
    assert told.memory["fill:interval"] == ""
    assert any("rows 1 to 3 behind the last stored one are no longer in the device" in note for note in told.notes)


def test_rows_of_a_range_leave_the_open_holes_alone() -> None:
    meter = FakeMeter(days=10)
    order = ReadOrder(frozenset({"archive"}), ("interval",), datetime(2024, 4, 2), datetime(2024, 4, 3))
    told = visit(meter, KnownMeter(SERIAL, order, memory={"fill:interval": "1-3"}))
    assert "fill:interval" not in told.memory


@pytest.mark.parametrize(
    "said", [[Refusal("0020")], [], [b"\x02(1)(5)(2014\x03\x00"]], ids=["refused", "silent", "damaged"]
)
def test_rows_passed_over_that_cannot_be_had_make_the_session_partial_and_stay_wanted(
    said: list[Message | bytes],
) -> None:
    meter = scripted()
    meter.replies[Command("R3", "3:V.0(3;2014-05-02,09:00:00;;10)")] = [
        Block("\r\n".join([ek_row(9, 9), ek_row(10, 10)]))
    ]
    for size in (10, 5, 2, 1):
        meter.replies[Command("R3", f"3:V.0(2;5;8;{size})")] = said
    last = {"interval": LastRow(4, datetime(2014, 5, 2, 9))}
    told = visit(meter, replace(INTERVAL, last=last))
    assert [row.order_number for row in told.archive("interval")] == [9, 10]
    assert isinstance(told.outcome, Partly)
    assert "rows 5 to 8 behind the last stored one are still to come" in told.outcome.reason
    assert told.memory["fill:interval"] == "5-8"
    for size in (10, 5, 2, 1):
        meter.replies[Command("R3", f"3:V.0(2;5;8;{size})")] = [
            Block("\r\n".join([ek_row(5, 5), ek_row(7, 7), ek_row(8, 8)]))
        ]
    again = visit(meter, replace(INTERVAL, last=last, memory=told.memory))
    assert [row.order_number for row in again.archive("interval")] == [9, 10, 5, 7, 8]
    assert again.memory["fill:interval"] == ""


def test_rows_passed_over_that_have_no_column_to_ask_by_are_given_up() -> None:
    meter = scripted()
    meter.replies[Command("R3", "3:V.0(3;2014-05-02,09:00:00;;10)")] = [Block(ek_row(9, 9))]
    meter.replies[Command("R3", "3:V.0(2;5;8;10)")] = [Refusal("0101")]
    meter.replies[Command("R3", "3:V.0(3;5;8;10)")] = [Refusal("0101")]
    told = visit(meter, replace(INTERVAL, last={"interval": LastRow(4, datetime(2014, 5, 2, 9))}))
    assert told.outcome is None
    assert told.memory["fill:interval"] == ""
    assert any("cannot be asked for by order number (#0101)" in note for note in told.notes)


@pytest.mark.parametrize("model", ["ek260", "ek270", "ek280", "tc210", "tc220"])
@pytest.mark.parametrize("quirks", [Quirks(), Quirks(bad_bcc_every=2), Quirks(lose_every=4), Quirks(no_layout=True)])
def test_exactly_the_holes_are_fetched_the_newest_first(model: str, quirks: Quirks) -> None:
    meter = FakeMeter(model, days=10, quirks=quirks)
    new = ArchiveRange("interval", datetime(2024, 4, 2, 11), datetime(2024, 4, 3, 12))
    old = ArchiveRange("interval", datetime(2024, 3, 28, 3), datetime(2024, 3, 28, 5))
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("interval",), ranges=(new, old))))
    assert told.outcome is None
    wanted = between(meter, *new[1:]) + between(meter, *old[1:])
    assert list(dict.fromkeys(found(told))) == wanted
    assert len(wanted) >= 29
    assert not [row for row in told.archive("interval") if "counter_back" in row.quality]


def test_hole_that_the_device_has_overwritten_is_told_and_the_next_one_read() -> None:
    meter = FakeMeter(days=5)
    new = ArchiveRange("interval", datetime(2024, 4, 3, 10), datetime(2024, 4, 3, 12))
    gone = ArchiveRange("interval", datetime(2023, 1, 1, 0), datetime(2023, 1, 1, 5))
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("interval",), ranges=(gone, new))))
    assert told.outcome is None
    assert found(told) == between(meter, *new[1:])
    assert any("the device has no rows from 2023-01-01,00:00:00" in note for note in told.notes)
