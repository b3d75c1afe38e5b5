"""How whole a meter is, as `meter show` says it."""

from __future__ import annotations

from gateway_server.model import Column
from gateway_server.store.plan_records import Span
from gateway_server.store.records import MeterRecord, RowToSave, SessionOpening
from tests.cli.desk import NOW_MS, Desk

HOUR = 3_600_000
TOP = NOW_MS - NOW_MS % HOUR
COLUMNS = (Column("volume_base_total", "m3", cumulative=True),)


def with_holes(desk: Desk) -> None:
    """A hundred hours up to now, three of which are missing, two for ever."""
    with desk.store() as store:
        store.put_meter(MeterRecord("7", codec="lis200", routes=("tcp:10.0.0.7:4001",)))
        key = store.open_session(SessionOpening("tcp", "10.0.0.7:4001", NOW_MS, serial="7"))
        rows = [
            RowToSave(COLUMNS, (str(100 - ago),), "interval", TOP - ago * HOUR, NOW_MS, 100 - ago)
            for ago in range(1, 101)
            if ago not in (30, 40, 41)
        ]
        store.save(key, "7", rows)
        store.note_asked("7", "interval", [Span(TOP - 41 * HOUR, TOP - 40 * HOUR)], NOW_MS, none_there=True)


def test_percentage_holes_and_the_age_of_the_oldest_are_in_the_document(desk: Desk) -> None:
    with_holes(desk)
    (part,) = desk.run("meter", "show", "7", "--json").json["completeness"]
    assert (part["archive"], part["percent"], part["expected"], part["stored"]) == ("interval", "97.00", 100, 97)
    assert (part["period_s"], part["period_learnt"], part["missing"]) == (3600, True, 1)
    assert part["oldest_missing_age_s"] == (NOW_MS - TOP) // 1000 + 30 * 3600
    (hole,) = part["holes"]
    assert (hole["from"], hole["rows"]) == (part["oldest_missing"], 1)
    assert [hole["rows"] for hole in part["lost"]] == [2]


def test_terminal_shows_the_newest_holes_and_what_the_device_no_longer_has(desk: Desk) -> None:
    with_holes(desk)
    out = desk.run("meter", "show", "7").out
    line = next(line for line in out.splitlines() if line.startswith("interval") and "%" in line)
    assert "97.00 %" in line
    assert "2 rows the device no longer has" in line


def test_meter_without_a_row_says_that_its_period_is_assumed(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord("8", routes=("tcp:10.0.0.8:4001",)))
    assert "0.00 % (period assumed)" in desk.run("meter", "show", "8").out
