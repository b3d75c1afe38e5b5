"""Reading archives against a simulated meter: what it holds is what is found, with every fault in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import LineLost
from gateway_server.model import ArchiveRange, KnownMeter, LastRow, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import (
    Acknowledge,
    Block,
    Command,
    Identification,
    Message,
    OptionSelect,
    Refusal,
    Repeat,
    Request,
    encode,
)
from tests.plugins.lis200.visit import ScriptedMeter, Visit, visit

SERIAL = "41203377"
INTERVAL = KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("interval",)))
PAID = replace(INTERVAL, airtime=True)


def held(meter: FakeMeter, number: int = 3) -> list[dict[str, Any]]:
    archives: Any = meter.holds()["archives"]
    rows: list[dict[str, Any]] = archives[str(number)]["rows"]
    return rows


def found(told: Visit, name: str = "interval") -> list[tuple[int | None, str]]:
    return [(row.order_number, f"{row.measured_at:%Y-%m-%d,%H:%M:%S}") for row in told.archive(name)]


def order_and_time(meter: FakeMeter, number: int = 3) -> list[tuple[int, str]]:
    return [(row["order_number"], row["time"]) for row in held(meter, number)]


@pytest.mark.parametrize("model", ["ek260", "ek270", "ek280", "tc210", "tc215", "tc220"])
@pytest.mark.parametrize("quirks", [Quirks(), Quirks(no_layout=True)])
def test_a_month_of_hours_is_exactly_what_the_meter_holds(model: str, quirks: Quirks) -> None:
    meter = FakeMeter(model, days=31, quirks=quirks)
    told = visit(meter, INTERVAL)
    assert told.outcome is None
    assert found(told) == order_and_time(meter)
    for row, wanted in zip(told.archive("interval"), held(meter), strict=True):
        printed = [str(value) for value in row.values]
        cells = wanted["cells"]
        at = cells.index(wanted["time"]) + 1
        assert printed == cells[at : at + len(printed)]
        assert row.event == wanted["event"]


def test_a_layout_is_asked_once_and_then_remembered() -> None:
    meter = FakeMeter(days=2)
    first = visit(meter, INTERVAL)
    again = visit(meter, replace(INTERVAL, memory=first.memory))
    assert first.memory["layout:2.05:3"].startswith('[["GONo"')
    assert len([data for data in first.sent if b":V.2" in data]) == 1
    assert not [data for data in again.sent if b":V.2" in data]
    assert again.archive("interval")[0].columns == first.archive("interval")[0].columns


def test_the_next_session_goes_on_with_the_last_stored_row() -> None:
    meter = FakeMeter(days=5)
    first = visit(meter, INTERVAL)
    known = replace(INTERVAL, last=first.last(), memory=first.memory)
    later = visit(meter, known, start=datetime(2024, 4, 3, 17, 5))
    assert found(later)[0] == found(first)[-1]
    assert len(found(later)) == 6
    assert sorted(set(found(first) + found(later))) == order_and_time(meter)


def test_a_session_that_broke_off_is_continued_without_a_gap() -> None:
    meter = FakeMeter(days=10, quirks=Quirks(hang_up_in_block=4))
    first = visit(meter, INTERVAL)
    assert isinstance(first.outcome, LineLost)
    assert len(first.archive("interval")) == 30
    meter.hung_up()
    second = visit(meter, replace(INTERVAL, last=first.last(), memory=first.memory))
    assert sorted(set(found(first) + found(second))) == order_and_time(meter)


def test_everything_the_meter_was_acknowledged_had_been_stored_before() -> None:
    meter = FakeMeter(days=10, quirks=Quirks(no_carrier_in_block=5))
    told = visit(meter, INTERVAL)
    assert isinstance(told.outcome, LineLost)
    assert "NO CARRIER" in str(told.outcome)
    stored = {(3, row.order_number) for row in told.archive("interval")}
    assert meter.acknowledged
    assert meter.acknowledged <= stored


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(bad_bcc_every=2),
        Quirks(truncate_block=3),
        Quirks(lose_every=4),
        Quirks(error_in_read=109),
        Quirks(error_in_read=110),
        Quirks(second_master=True, noise_before=True, noise_after=True),
        Quirks(order_gap=True, autumn_hour=True, extra_rows=True),
        Quirks(endless_block=2),
    ],
    ids=lambda quirks: ", ".join(name for name in Quirks.__slots__ if getattr(quirks, name) != getattr(Quirks(), name)),
)
def test_what_goes_wrong_on_the_way_costs_no_row(quirks: Quirks) -> None:
    meter = FakeMeter(days=12, quirks=quirks)
    told = visit(meter, INTERVAL)
    assert told.outcome is None
    assert sorted(set(found(told))) == order_and_time(meter)


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


def test_an_archive_that_always_arrives_damaged_does_not_keep_live_values_away() -> None:
    order = ReadOrder(frozenset({"archive", "current"}), ("interval", "daily"))
    told = visit(FakeMeter(days=3, quirks=Quirks(bad_bcc_always=True)), KnownMeter(SERIAL, order))
    assert isinstance(told.outcome, Partly)
    assert told.outcome.reason.startswith("interval: a block arrived damaged")
    assert told.outcome.reason.count("interval") == 1
    assert told.outcome.reason.endswith("; and 1 more in the session's notes")
    assert any(note.startswith("daily: a block arrived damaged") for note in told.notes)
    assert "base_volume" in {row.columns[0].quantity for row in told.archive("current")}


def test_an_empty_archive_is_no_fault() -> None:
    told = visit(FakeMeter(days=3, quirks=Quirks(empty_archive=3)), INTERVAL)
    assert told.outcome is None
    assert told.archive("interval") == []


def test_a_range_asked_for_by_the_operator_is_kept_to() -> None:
    order = ReadOrder(frozenset({"archive"}), ("interval",), datetime(2024, 4, 1, 3), datetime(2024, 4, 1, 6))
    told = visit(FakeMeter(days=10), KnownMeter(SERIAL, order, last={"interval": LastRow(1, datetime(2024, 4, 2))}))
    assert [time[-8:] for _, time in found(told)] == ["03:00:00", "04:00:00", "05:00:00", "06:00:00"]


def test_on_a_tc_the_time_is_asked_for_in_its_second_column() -> None:
    for quirks in (Quirks(), Quirks(no_layout=True)):
        last = {"interval": LastRow(None, datetime(2024, 4, 3, 9))}
        told = visit(FakeMeter("tc215", days=3, quirks=quirks), replace(INTERVAL, last=last))
        assert encode(Command("R3", "3:V.0(2;2024-04-03,09:00:00;;10)")) in told.sent
        assert len(told.archive("interval")) == 4


def test_a_tc215_with_a_daily_period_gives_a_daily_archive() -> None:
    told = visit(FakeMeter("tc215", days=9, quirks=Quirks(daily_period=True)), KnownMeter(SERIAL))
    assert told.archive("interval") == []
    assert len(told.archive("daily")) > 5


def test_after_the_clock_was_set_back_reading_goes_on_by_order_number() -> None:
    meter = FakeMeter(days=5)
    rows = order_and_time(meter)
    last = {"interval": LastRow(rows[-4][0], datetime(2025, 1, 1))}
    told = visit(meter, replace(INTERVAL, last=last))
    assert found(told) == rows[-4:]
    assert any("order number" in note for note in told.notes)


def test_a_last_row_without_a_believable_time_is_found_by_its_order_number() -> None:
    meter = FakeMeter(days=5)
    rows = order_and_time(meter)
    told = visit(meter, replace(INTERVAL, last={"interval": LastRow(rows[-3][0], None)}))
    assert found(told) == rows[-3:]


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


def test_events_go_on_behind_the_last_stored_one() -> None:
    meter = FakeMeter(days=20)
    known = KnownMeter(SERIAL, ReadOrder(frozenset({"events"}), ("events",)))
    first = visit(meter, known)
    again = visit(meter, replace(known, last=first.last()))
    assert len(first.events) > 20
    assert 1 <= len(again.events) <= 2
    assert {event.order_number for event in again.events} <= {event.order_number for event in first.events}


def test_a_column_the_device_does_not_have_is_a_trouble_and_no_absent_archive() -> None:
    meter = scripted(Refusal("0101"))
    meter.replies[Command("R3", "3:V.0(2;;;10)")] = [Refusal("0101")]
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}))))
    assert isinstance(told.outcome, Partly)
    assert "#0101" in told.outcome.reason
    assert "archive3" not in told.memory.get("absent:2.05", "").split()


def test_a_ring_that_has_run_over_the_last_stored_row_is_read_from_its_start_and_the_loss_noted() -> None:
    meter = FakeMeter(days=5)
    rows = order_and_time(meter)
    last = {"interval": LastRow(rows[0][0] - 50, datetime(2024, 1, 1))}
    told = visit(meter, replace(INTERVAL, last=last))
    assert found(told) == rows
    assert any("no longer in the device" in note for note in told.notes)


def test_a_cleared_archive_is_read_as_a_whole() -> None:
    meter = FakeMeter(days=5)
    last = {"interval": LastRow(90_000, datetime(2024, 4, 3, 13))}
    told = visit(meter, replace(INTERVAL, last=last))
    assert found(told) == order_and_time(meter)


# what the simulator does not do

EK_ROW = "({0})({1})(2014-05-02,{2:02}:00:00)(1.5)(1.5)(1)(1)(1.2)(1.0)(0.9)(1.5)(0)(0)(0)(0)(0)(0x8104)(CRC Ok)"
RESUMED = Command("R3", "3:V.0(3;2014-05-02,01:00:00;;5)")


def scripted(*archive: Message, resumed: list[Message | bytes] | None = None, **extra: Message) -> ScriptedMeter:
    answers: dict[Message, list[Message | bytes]] = {
        Request(): [Identification("Els", "6", "EK270")],
        OptionSelect("6"): [Command("P0", "(1234567)")],
        Command("R1", "1:181.0(1)"): [Block("1:181.0(EK270)")],
        Command("R1", "2:190.0(1)"): [Block("2:190.0(2.05)")],
        Command("R1", "1:180.0(1)"): [Block(f"1:180.0({SERIAL})")],
        Command("R1", "1:400.0(1)"): [Block("1:400.0(2014-05-03,00:00:00)")],
        Command("R1", "3:V.2(1)"): [Refusal("0004")],
        Command("R1", "3:V.4(1)"): [Refusal("0004")],
        Command("R3", "3:V.0(3;;;10)"): list(archive),
    }
    if resumed is not None:
        answers[RESUMED] = resumed
    return ScriptedMeter(answers)


def row(number: int, hour: int) -> str:
    return EK_ROW.format(100 + number, number, hour)


def test_a_value_position_the_device_does_not_have_is_asked_at_the_other_column() -> None:
    meter = scripted(Refusal("0101"))
    meter.replies[Command("R3", "3:V.0(2;;;10)")] = [Block(row(1, 1))]
    assert len(visit(meter, INTERVAL).archive("interval")) == 1


def test_an_archive_that_is_not_there_is_noted_and_remembered_unless_it_was_asked_for_by_name() -> None:
    meter = scripted(Refusal("0100"))
    asked = visit(meter, INTERVAL)
    assert isinstance(asked.outcome, Partly)
    casual = visit(FakeMeter("ek280"), KnownMeter(SERIAL))
    assert casual.outcome is None
    meter.replies[Command("R1", "3:V.2(1)")] = [Refusal("0100")]
    free = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}))))
    assert "archive3" in free.memory["absent:2.05"].split()


@pytest.mark.parametrize(
    "said", [[Refusal("0020")], [], [b"\x02(1)(5)(2014\x03\x00"]], ids=["refused", "silent", "damaged"]
)
def test_rows_passed_over_that_cannot_be_had_make_the_session_partial_and_stay_wanted(
    said: list[Message | bytes],
) -> None:
    meter = scripted()
    meter.replies[Command("R3", "3:V.0(3;2014-05-02,09:00:00;;10)")] = [Block("\r\n".join([row(9, 9), row(10, 10)]))]
    for size in (10, 5, 2, 1):
        meter.replies[Command("R3", f"3:V.0(2;5;8;{size})")] = said
    last = {"interval": LastRow(4, datetime(2014, 5, 2, 9))}
    told = visit(meter, replace(INTERVAL, last=last))
    assert [row.order_number for row in told.archive("interval")] == [9, 10]
    assert isinstance(told.outcome, Partly)
    assert "rows 5 to 8 behind the last stored one are still to come" in told.outcome.reason
    assert told.memory["fill:interval"] == "5-8"
    for size in (10, 5, 2, 1):
        meter.replies[Command("R3", f"3:V.0(2;5;8;{size})")] = [Block("\r\n".join([row(5, 5), row(7, 7), row(8, 8)]))]
    again = visit(meter, replace(INTERVAL, last=last, memory=told.memory))
    assert [row.order_number for row in again.archive("interval")] == [9, 10, 5, 7, 8]
    assert again.memory["fill:interval"] == ""


def test_rows_passed_over_that_have_no_column_to_ask_by_are_given_up() -> None:
    meter = scripted()
    meter.replies[Command("R3", "3:V.0(3;2014-05-02,09:00:00;;10)")] = [Block(row(9, 9))]
    meter.replies[Command("R3", "3:V.0(2;5;8;10)")] = [Refusal("0101")]
    meter.replies[Command("R3", "3:V.0(3;5;8;10)")] = [Refusal("0101")]
    told = visit(meter, replace(INTERVAL, last={"interval": LastRow(4, datetime(2014, 5, 2, 9))}))
    assert told.outcome is None
    assert told.memory["fill:interval"] == ""
    assert any("cannot be asked for by order number (#0101)" in note for note in told.notes)


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
        return row(number, 0).replace("2014-05-02,00:00:00", f"{moment:%Y-%m-%d,%H:%M:%S}")

    whole = Block("\r\n".join(at(number) for number in range(744)))
    meter = scripted(whole)
    meter.replies[Repeat()] = [whole]
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == list(range(744))
    assert told.outcome is None


def test_a_row_damaged_in_the_device_is_left_out_and_said() -> None:
    meter = scripted(Block(row(1, 1), last=False), resumed=[Refusal("0110")])
    meter.replies[Acknowledge()] = [Refusal("0110")]
    for size in (2, 1):
        meter.replies[Command("R3", f"3:V.0(3;2014-05-02,01:00:00;;{size})")] = [Refusal("0110")]
    meter.replies[Command("R3", "3:V.0(2;3;;1)")] = [Block("\r\n".join([row(3, 3), row(4, 4)]))]
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == [1, 3, 4]
    assert isinstance(told.outcome, Partly)
    assert "one row is damaged in the device" in told.outcome.reason


def test_a_row_damaged_in_the_device_costs_one_row_and_no_more_where_rows_are_a_quarter_of_an_hour_apart() -> None:
    def at(number: int) -> str:
        moment = datetime(2014, 5, 2) + timedelta(minutes=15 * number)
        return row(number, 0).replace("2014-05-02,00:00:00", f"{moment:%Y-%m-%d,%H:%M:%S}")

    until = datetime(2014, 5, 2, 3)
    whole = ArchiveRange("interval", datetime(2014, 5, 2), until)
    meter = scripted()
    asked = "3:V.0(3;2014-05-02,{};2014-05-02,03:00:00;{})"
    first = Block("\r\n".join(at(number) for number in range(4)), last=False)
    meter.replies[Command("R3", asked.format("00:00:00", 10))] = [first]
    meter.replies[Acknowledge()] = [Refusal("0110")]
    for size in (5, 2, 1):
        meter.replies[Command("R3", asked.format("00:45:00", size))] = [Refusal("0110")]
    behind = Block("\r\n".join(at(number) for number in range(5, 13)))
    meter.replies[Command("R3", asked.format("01:00:01", 1))] = [behind]
    told = visit(meter, replace(INTERVAL, order=replace(INTERVAL.order, ranges=(whole,))))
    assert [row.order_number for row in told.archive("interval")] == [*range(4), *range(5, 13)]
    assert told.memory["period"] == "15"


def test_paid_line_to_a_meter_with_quarters_of_an_hour_needs_no_identity_once_its_period_is_known() -> None:
    meter = FakeMeter(days=2, quirks=Quirks(period_minutes=15))
    first = visit(meter, PAID)
    assert first.memory["period"] == "15"
    later = visit(meter, replace(PAID, last=first.last(), memory=first.memory), start=datetime(2024, 4, 3, 15, 5))
    assert len(found(later)) == 13
    assert encode(Command("R1", "1:180.0(1)")) not in later.sent
    assert not any("do not go on" in note for note in later.notes)


def test_a_device_that_gives_everything_at_once_is_read_as_well() -> None:
    body = "\r\n".join(row(number, number) for number in range(1, 20))
    told = visit(scripted(Block(body)), INTERVAL)
    assert len(told.archive("interval")) == 19
    assert b"\x06" not in told.sent


def test_a_block_without_its_end_is_resumed_behind_the_last_good_row() -> None:
    first = Block("\r\n".join([row(0, 0), row(1, 1)]), last=False)
    meter = scripted(first, resumed=[Block("\r\n".join([row(1, 1), row(2, 2)]))])
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == [0, 1, 2]
    assert RESUMED in meter.heard


def between(meter: FakeMeter, since: datetime, until: datetime) -> list[tuple[int, str]]:
    low, high = f"{since:%Y-%m-%d,%H:%M:%S}", f"{until:%Y-%m-%d,%H:%M:%S}"
    return [row for row in order_and_time(meter) if low <= row[1] <= high]


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
