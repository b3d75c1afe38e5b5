"""Reading archives against a simulated meter: what it holds is what is found, with every fault in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import LineLost
from gateway_server.model import ArchiveRange, KnownMeter, LastRow, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import Acknowledge, Block, Command, Refusal, encode
from tests.plugins.lis200.archives import INTERVAL, PAID, SERIAL, ek_row, found, held, order_and_time, scripted
from tests.plugins.lis200.visit import visit


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


def test_a_value_position_the_device_does_not_have_is_asked_at_the_other_column() -> None:
    meter = scripted(Refusal("0101"))
    meter.replies[Command("R3", "3:V.0(2;;;10)")] = [Block(ek_row(1, 1))]
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


def test_a_row_damaged_in_the_device_is_left_out_and_said() -> None:
    meter = scripted(Block(ek_row(1, 1), last=False), resumed=[Refusal("0110")])
    meter.replies[Acknowledge()] = [Refusal("0110")]
    for size in (2, 1):
        meter.replies[Command("R3", f"3:V.0(3;2014-05-02,01:00:00;;{size})")] = [Refusal("0110")]
    meter.replies[Command("R3", "3:V.0(2;3;;1)")] = [Block("\r\n".join([ek_row(3, 3), ek_row(4, 4)]))]
    told = visit(meter, INTERVAL)
    assert [row.order_number for row in told.archive("interval")] == [1, 3, 4]
    assert isinstance(told.outcome, Partly)
    assert "one row is damaged in the device" in told.outcome.reason


def test_a_row_damaged_in_the_device_costs_one_row_and_no_more_where_rows_are_a_quarter_of_an_hour_apart() -> None:
    def at(number: int) -> str:
        moment = datetime(2014, 5, 2) + timedelta(minutes=15 * number)
        return ek_row(number, 0).replace("2014-05-02,00:00:00", f"{moment:%Y-%m-%d,%H:%M:%S}")

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
