"""The blocks in which an archive comes: how large they are asked for, damaged, without an end, on paid lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import LineLost
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import Block, Command, Refusal, Repeat, encode
from tests.plugins.lis200.archives import INTERVAL, PAID, RESUMED, ek_row, found, order_and_time, scripted
from tests.plugins.lis200.visit import Visit, visit


def test_a_damaged_block_is_asked_for_again_with_nak() -> None:
    told = visit(FakeMeter(days=5, quirks=Quirks(bad_bcc_every=3)), INTERVAL)
    assert b"\x15" in told.sent
    assert any("asking for the block again" in note for note in told.notes)


def test_blocks_get_smaller_on_a_bad_line_and_grow_again_on_a_good_one() -> None:
    bad = visit(FakeMeter(days=5, quirks=Quirks(error_in_read=109)), INTERVAL)
    assert bad.memory["block"] == "5"
    good = visit(FakeMeter(days=5), replace(INTERVAL, memory=bad.memory))
    assert encode(Command("R3", "3:V.0(3;;;5)")) in good.sent
    assert good.memory["block"] == "10"


class Babbling:
    """A meter whose second block never ends, whatever it is told."""

    def __init__(self, seconds: float, step: float) -> None:
        self._meter = FakeMeter(days=5)
        self._left, self._step = int(seconds / step), step

    def tick(self, now: datetime) -> None:
        self._meter.tick(now)

    def received(self, data: bytes) -> list[Reply]:
        if data != b"\x06":
            return self._meter.received(data)
        row = b"(18484)(640)(2014-05-02,10:00:00)(882066.6309)\r\n"
        return [Reply(0.0, b"\x02" + row), *([Reply(self._step, row)] * self._left)]


@pytest.mark.parametrize("step", [0.01, 0.05, 4.0])
def test_a_block_that_never_ends_does_not_hold_the_session(step: float) -> None:
    told = visit(Babbling(3600, step), INTERVAL)
    assert len(told.archive("interval")) == 10
    assert isinstance(told.outcome, Partly)
    assert told.seconds < 900
    if step < 1:
        assert told.seconds < 200
        assert any("a block that does not end, cut off after" in note for note in told.notes)


def test_a_block_that_does_not_end_until_the_meter_is_asked_costs_seconds_and_no_row() -> None:
    meter = FakeMeter(days=5, quirks=Quirks(endless_block=2))
    told = visit(meter, INTERVAL)
    assert found(told) == order_and_time(meter)
    assert told.outcome is None
    assert told.seconds < 10


def test_a_month_of_hours_in_one_block_is_heard_out_although_ten_rows_were_asked() -> None:
    def at(number: int) -> str:
        moment = datetime(2014, 5, 1) + timedelta(hours=number)
        return ek_row(number, 0).replace("2014-05-02,00:00:00", f"{moment:%Y-%m-%d,%H:%M:%S}")

    whole = Block("\r\n".join(at(number) for number in range(744)))
    meter = scripted(whole)
    meter.replies[Repeat()] = [whole]
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == list(range(744))
    assert told.outcome is None


def test_a_device_that_gives_everything_at_once_is_read_as_well() -> None:
    body = "\r\n".join(ek_row(number, number) for number in range(1, 20))
    told = visit(scripted(Block(body)), INTERVAL)
    assert len(told.archive("interval")) == 19
    assert b"\x06" not in told.sent


def test_a_block_without_its_end_is_resumed_behind_the_last_good_row() -> None:
    first = Block("\r\n".join([ek_row(0, 0), ek_row(1, 1)]), last=False)
    meter = scripted(first, resumed=[Block("\r\n".join([ek_row(1, 1), ek_row(2, 2)]))])
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == [0, 1, 2]
    assert RESUMED in meter.heard


def blocks_asked(told: Visit) -> list[str]:
    return [data.decode("latin-1") for data in told.sent if data.startswith(b"\x01R3")]


def test_over_a_paid_line_blocks_are_as_large_as_it_may_lose() -> None:
    told = visit(FakeMeter(days=31, quirks=Quirks(largest_block=999)), PAID)
    assert blocks_asked(told)[0][8:].startswith("0(3;;;250)")
    assert told.sent.count(b"\x06") == 2  # 744 rows in three blocks, of which the last is not acknowledged
    assert "airtime_block" not in told.memory
    assert "block" not in told.memory


def test_device_that_bears_no_large_block_gets_small_ones_from_then_on() -> None:
    class Small(FakeMeter):
        """Refuses blocks of more than ten rows."""

        def received(self, data: bytes) -> list[Any]:
            if b"R3" in data and b";250)" in data:
                return [Reply(0.0, encode(Refusal("0013")))]
            return super().received(data)

    first = visit(Small(days=3), PAID)
    assert first.outcome is None
    assert [asked.rpartition(";")[2][:-2] for asked in blocks_asked(first)] == ["250)", "10)"]
    assert first.memory["airtime_block"] == "10"
    again = visit(Small(days=3), replace(PAID, memory=first.memory))
    assert [asked.rpartition(";")[2][:-2] for asked in blocks_asked(again)] == ["10)"]


def test_device_that_is_silent_to_a_large_block_gets_small_ones_at_once() -> None:
    class Deaf(FakeMeter):
        """Hears nothing of blocks of more than ten rows."""

        def received(self, data: bytes) -> list[Any]:
            return [] if b"R3" in data and b";250)" in data else super().received(data)

    told = visit(Deaf(days=3), PAID)
    assert told.outcome is None
    assert [asked.rpartition(";")[2][:-2] for asked in blocks_asked(told)] == ["250)", "10)"]


def test_blocks_of_a_paid_line_grow_again_when_it_is_clean() -> None:
    told = visit(FakeMeter(days=5), replace(PAID, memory={"airtime_block": "40"}))
    assert told.memory["airtime_block"] == "80"


def test_line_that_does_not_last_for_one_block_is_asked_for_a_smaller_one_by_the_next_call() -> None:
    memory: dict[str, str] = {}
    sizes = []
    for _ in range(4):
        meter = FakeMeter(days=31, quirks=Quirks(largest_block=999, hang_up_in_block=1))
        told = visit(meter, replace(PAID, memory=memory))
        assert isinstance(told.outcome, LineLost)
        memory = {**memory, **told.memory}
        sizes.append(memory["airtime_block"])
    assert sizes == ["50", "10", "5", "2"]


def test_line_lost_behind_a_block_that_came_keeps_its_block_size() -> None:
    told = visit(FakeMeter(days=31, quirks=Quirks(largest_block=999, hang_up_in_block=2)), PAID)
    assert isinstance(told.outcome, LineLost)
    assert len(told.archive("interval")) == 250
    assert "airtime_block" not in told.memory
