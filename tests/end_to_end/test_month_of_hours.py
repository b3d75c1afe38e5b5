"""A month of hourly rows, read through codec, session and store, against what the simulated meter says it holds.

The meter shares no code with the codec. Every quirk is switched on in turn, and all that can stand together at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway_server.model import Outcome, ReadOrder
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks, names
from tests.end_to_end.reading import HOURS, NOW, SERIAL, Reader, differences, held, utc_ms

READ_AT_ONCE = {
    "none": Quirks(),
    "echo_prefix": Quirks(echo_prefix=True),
    "bcc_is_etx": Quirks(bcc_is_etx=True),
    "crlf_after_last_row": Quirks(crlf_after_last_row=True),
    "largest_block": Quirks(largest_block=3),
    "russian_units": Quirks(russian_units=True),
    "reply_delay_s": Quirks(reply_delay_s=1.5),
    "slow": Quirks(slow=True),
    "split": Quirks(split=7),
    "seven_e1": Quirks(seven_e1=True),
    "asleep": Quirks(asleep=True),
    "period_minutes": Quirks(period_minutes=15),
    "no_names": Quirks(no_names=True),
    "misses_first": Quirks(misses_first=True),
    "idle_fallback_s": Quirks(idle_fallback_s=5),
    "lock_values": Quirks(lock_values=True),
    "lock_all": Quirks(lock_all=True),
    "lock_way_b": Quirks(lock_values=True, lock_way_b=True),
    "noise_events": Quirks(noise_events=True, lock_values=True),
    "noise_before": Quirks(noise_before=True),
    "noise_after": Quirks(noise_after=True),
    "second_master": Quirks(second_master=True),
    "lose_every": Quirks(lose_every=40),
    "bad_bcc_every": Quirks(bad_bcc_every=2),
    "truncate_block": Quirks(truncate_block=5),
    "rubbish": Quirks(rubbish=True),
    "clock_offset_s": Quirks(clock_offset_s=-3 * 365 * 86400),
    "clock_drift_s": Quirks(clock_drift_s=3600),
    "no_layout": Quirks(no_layout=True),
    "twenty_cells": Quirks(twenty_cells=True),
    "unknown_columns": Quirks(unknown_columns=True),
    "extra_rows": Quirks(extra_rows=True),
    "order_gap": Quirks(order_gap=True),
    "counter_back": Quirks(counter_back=True),
    "check_failed": Quirks(check_failed=True),
    "error_in_read": Quirks(error_in_read=109),
    "empty_archive": Quirks(empty_archive=3),
}
READ_IN_TWO_SESSIONS = {
    "hang_up_in_block": Quirks(hang_up_in_block=40),
    "no_carrier_in_block": Quirks(no_carrier_in_block=40),
}
NOT_READ = {
    "never_answers": (Quirks(never_answers=True), Outcome.SILENT),
    "other_serial": (Quirks(other_serial="99887766"), Outcome.UNKNOWN_METER),
    "bad_bcc_always": (Quirks(bad_bcc_always=True), Outcome.PARTIAL),
}
ELSEWHERE = {"endless_block", "autumn_hour", "bus_address", "extra_columns", "daily_period"}
"""Quirks that have a test of their own below."""

EVERYTHING = Quirks(
    echo_prefix=True,
    bcc_is_etx=True,
    crlf_after_last_row=True,
    reply_delay_s=0.2,
    split=50,
    asleep=True,
    misses_first=True,
    lock_values=True,
    lock_all=True,
    lock_way_b=True,
    noise_events=True,
    noise_before=True,
    noise_after=True,
    second_master=True,
    lose_every=97,
    bad_bcc_every=5,
    truncate_block=11,
    rubbish=True,
    hang_up_in_block=17,
    no_carrier_in_block=31,
    clock_offset_s=80_000,
    clock_drift_s=60,
    unknown_columns=True,
    extra_rows=True,
    order_gap=True,
    counter_back=True,
    check_failed=True,
    error_in_read=109,
)


def month(quirks: Quirks, model: str = "ek270", now: datetime = NOW) -> FakeMeter:
    return FakeMeter(model, SERIAL, 3, quirks, now, days=31)


def codes(reader: Reader) -> list[tuple[str, int, int | None]]:
    found = reader.store.events(Filter())
    return sorted(((one.code, one.measured_at_ms, one.order_number) for one in found), key=lambda one: one[2] or 0)


def test_every_quirk_is_tried() -> None:
    assert set(names()) == ({*READ_AT_ONCE} - {"none"}) | {*READ_IN_TWO_SESSIONS} | {*NOT_READ} | ELSEWHERE


@pytest.mark.parametrize("quirk", READ_AT_ONCE)
def test_month_is_stored_exactly_as_the_meter_holds_it(quirk: str) -> None:
    reader = Reader(month(READ_AT_ONCE[quirk]))
    assert reader.read_until_done(HOURS) == ["read"]
    assert (
        len(held(reader.meter, 3)) == {"order_gap": 741, "empty_archive": 0, "period_minutes": 2976}.get(quirk, 744)
        or quirk == "extra_rows"
    )
    assert differences(reader, "interval", 3) == []
    assert reader.meter.writes == []


@pytest.mark.parametrize("quirk", READ_IN_TWO_SESSIONS)
def test_broken_session_keeps_what_it_got_and_the_next_goes_on_behind(quirk: str) -> None:
    reader = Reader(month(READ_IN_TWO_SESSIONS[quirk]))
    assert reader.read(HOURS) is Outcome.PARTIAL
    assert len(reader.rows("interval")) == 390
    assert reader.read(HOURS) is Outcome.READ
    assert differences(reader, "interval", 3) == []
    second = [session for session in reader.store.sessions(Filter()) if session.outcome is Outcome.READ]
    assert second[0].readings <= (744 - 390 + 1) * 8 + 2, "the second session asked for what was missing only"


@pytest.mark.parametrize("quirk", NOT_READ)
def test_meter_that_cannot_be_read_has_its_outcome_and_leaves_nothing(quirk: str) -> None:
    quirks, outcome = NOT_READ[quirk]
    reader = Reader(month(quirks))
    assert reader.read(HOURS) is outcome
    assert reader.rows("interval") == []
    assert reader.endings[0].detail


def test_block_that_never_ends_is_given_up_and_the_rest_is_read() -> None:
    reader = Reader(month(Quirks(endless_block=9)))
    outcomes = reader.read_until_done(HOURS)
    assert outcomes[-1] == "read"
    assert differences(reader, "interval", 3) == []


def test_doubled_autumn_hour_is_stored_twice() -> None:
    now = datetime(2024, 11, 3, 12, 5)
    reader = Reader(month(Quirks(autumn_hour=True), now=now), now=now)
    assert reader.read_until_done(HOURS) == ["read"]
    assert differences(reader, "interval", 3) == []
    times = [stored.row.measured_at_ms for stored in reader.rows("interval")]
    assert times.count(utc_ms("2024-10-27,02:00:00")) == 2


def test_all_quirks_together_still_give_the_exact_month() -> None:
    reader = Reader(month(replace(EVERYTHING, russian_units=True, twenty_cells=True)))
    assert reader.read_until_done(HOURS, sessions=6)[-1] == "read"
    assert len(reader.rows("interval")) > 740
    assert differences(reader, "interval", 3) == []
    assert reader.meter.writes == []


def test_all_quirks_of_an_ek280_together_over_seven_bits() -> None:
    reader = Reader(month(replace(EVERYTHING, seven_e1=True, extra_columns=True), "ek280"))
    assert reader.read_until_done(HOURS, sessions=6)[-1] == "read"
    assert len(reader.rows("interval")) > 740
    assert differences(reader, "interval", 3) == []


def test_meter_on_a_bus_answers_to_its_own_address_only() -> None:
    reader = Reader(month(Quirks(bus_address="7")))
    reader.store.put_meter(MeterRecord(SERIAL, address="8"))
    assert reader.read(HOURS) is Outcome.SILENT
    reader.store.put_meter(MeterRecord(SERIAL, address="7"))
    assert reader.read(HOURS) is Outcome.READ
    assert differences(reader, "interval", 3) == []


def test_daily_rows_of_a_tc215_are_daily() -> None:
    reader = Reader(month(Quirks(daily_period=True), "tc215"))
    assert reader.read_until_done(ReadOrder(frozenset({"archive"}))) == ["read"]
    assert len(reader.rows("daily")) == 31
    assert differences(reader, "daily", 3) == []
    assert reader.rows("interval") == []


@pytest.mark.parametrize("model", ["ek260", "ek270", "ek280", "tc210", "tc215", "tc220"])
def test_all_a_meter_has_is_stored_exactly(model: str) -> None:
    meter = FakeMeter(model, SERIAL, 5, Quirks(extra_rows=True), NOW, days=62)
    reader = Reader(meter)
    assert reader.read_until_done(ReadOrder()) == ["read"]
    archives = {"interval": 3} if model.startswith("tc") else {"interval": 3, "daily": 7, "monthly": 1, "monthly2": 2}
    if model == "ek280":
        archives["extended"] = 13
    for archive, number in archives.items():
        assert held(meter, number)
        assert differences(reader, archive, number) == [], archive
    if not model.startswith("tc"):
        events = [(row["event"], utc_ms(row["time"]), row["order_number"]) for row in held(meter, 4)]
        assert codes(reader) == events
        changes = [(stored.row.order_number, stored.row.values[:3]) for stored in reader.rows("changes")]
        spelled = {"0007:0311": "7:311", "0005:0311": "5:311", "0001:0400": "1:400"}
        wanted = [(row["order_number"], tuple(row["cells"][3:6])) for row in held(meter, 5)]
        assert changes == [(number, (spelled[address], *values)) for number, (address, *values) in wanted]


@pytest.mark.parametrize("model", ["ek270", "tc220"])
def test_live_values_are_the_meters_own(model: str) -> None:
    meter = FakeMeter(model, SERIAL, 5, Quirks(), NOW, days=2)
    reader = Reader(meter)
    assert reader.read_until_done(ReadOrder(frozenset({"current"}))) == ["read"]
    values: Any = meter.holds()["values"]
    by_name = {what["name"].replace(".", ""): what["value"] for what in values.values()}
    readings = {one.name: one.value for one in reader.store.readings(Filter(archives=("current",)))}
    measured = [name for name in readings if name in by_name]
    assert len(measured) >= 6
    for name in measured:
        assert readings[name] == by_name[name], name


def test_flow_that_a_meter_keeps_at_another_address_is_read_there_in_every_session() -> None:
    reader = Reader(FakeMeter("tc220", SERIAL, 5, Quirks(), NOW, days=1))
    for _ in range(2):
        assert reader.read(ReadOrder(frozenset({"current"}))) is Outcome.READ
    flows = list(reader.store.readings(Filter(quantities=("actual_flow",))))
    assert [one.session for one in flows] == [1, 2]


def test_next_days_session_asks_for_the_new_rows_only() -> None:
    reader = Reader(month(Quirks()))
    assert reader.read(HOURS) is Outcome.READ
    reader.clock.advance(timedelta(days=1).total_seconds())
    assert reader.read(HOURS) is Outcome.READ
    assert len(reader.rows("interval")) == 768
    assert differences(reader, "interval", 3) == []
    newest = max(reader.store.sessions(Filter()), key=lambda session: session.id)
    assert newest.readings <= 25 * 8 + 2


def test_readout_that_is_repeated_changes_nothing() -> None:
    reader = Reader(month(Quirks()))
    reader.read(HOURS)
    before = reader.rows("interval")
    again = ReadOrder(frozenset({"archive"}), ("interval",), since=datetime(2024, 3, 1))
    assert reader.read(again) is Outcome.READ
    assert reader.rows("interval") == before
