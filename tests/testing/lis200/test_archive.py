"""Ranges of an archive as a device gives them."""

from __future__ import annotations

import pytest

from gateway_server.testing.lis200.archive import FakeArchive, Refusal
from gateway_server.testing.lis200.layouts import CHECK, EVENT, ORDER, TC_ROW, FakeLayout


def logbook(depth: int = 100, rows: int = 10) -> FakeArchive:
    archive = FakeArchive(FakeLayout(4, "events", (*ORDER, EVENT, CHECK), depth), 95)
    for hour in range(rows):
        archive.append(1000 + 3 * hour, {"time": f"2024-03-01,{hour:02d}:00:00", "event": "0x3002"})
    return archive


def orders(rows: list[tuple[str, ...]]) -> list[int]:
    return [int(row[1]) for row in rows]


def test_empty_limits_mean_oldest_and_newest() -> None:
    assert orders(logbook().select("", "", "")) == list(range(95, 105))
    assert orders(logbook().select("3", "", "2024-03-01,01:00:00")) == [95, 96]
    assert orders(logbook().select("3", "2024-03-01,08:00:00", "")) == [103, 104]


def test_limits_are_inclusive_in_whatever_column_is_asked() -> None:
    assert orders(logbook().select("3", "2024-03-01,02:00:00", "2024-03-01,03:30:00")) == [97, 98]
    assert orders(logbook().select("1", "1003", "1006")) == [96, 97]
    assert orders(logbook().select("2", "99", "101")) == [99, 100, 101], "order numbers compare as numbers"


@pytest.mark.parametrize(
    ("position", "lower", "upper", "code"),
    [
        ("3", "2024-03-02,00:00:00", "", 104),
        ("3", "", "2024-02-29,23:00:00", 105),
        ("3", "2024-03-01,02:10:00", "2024-03-01,02:20:00", 104),
        ("6", "", "", 101),
        ("x", "", "", 200),
    ],
)
def test_range_without_rows_is_refused_with_the_devices_code(position: str, lower: str, upper: str, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        logbook().select(position, lower, upper)
    assert refused.value.code == code


def test_empty_archive_is_refused_as_empty() -> None:
    with pytest.raises(Refusal) as refused:
        logbook(rows=0).select("", "", "")
    assert refused.value.code == 103


def test_ring_loses_its_oldest_rows_and_keeps_its_numbers() -> None:
    assert orders(logbook(depth=4).select("", "", "")) == [101, 102, 103, 104]


def test_skipped_order_numbers_leave_a_gap() -> None:
    archive = logbook(rows=2)
    archive.skip(3)
    archive.append(2000, {"time": "2024-03-01,12:00:00"})
    assert orders(archive.select("", "", "")) == [95, 96, 100]


def test_layout_is_told_by_v2_v3_v4() -> None:
    archive = logbook()
    assert archive.attribute("2") == "(GONo)(AONo)(Time)(Event)(Check)"
    assert archive.attribute("3") == "()()()()()"
    assert archive.attribute("4") == "(0001:0FF0)(0001:0FF1)(0001:0400)(0001:0FFE)(0001:0FFC)"
    assert archive.attribute("8") is None


def test_what_it_holds_is_told_exactly() -> None:
    row = logbook(rows=1).holds()["rows"]
    assert row == [
        {
            "order_number": 95,
            "time": "2024-03-01,00:00:00",
            "event": "0x3002",
            "check": "CRC Ok",
            "values": {},
            "cells": ["1000", "95", "2024-03-01,00:00:00", "0x3002", "CRC Ok"],
        }
    ]


def test_tc_rows_are_numbered_by_their_global_number_alone() -> None:
    archive = FakeArchive(FakeLayout(3, "interval", TC_ROW, 10), 1)
    archive.append(13484, {"time": "2014-05-28,11:00:00", "vb": "4945.2514"})
    rows = archive.holds()["rows"]
    assert isinstance(rows, list)
    assert rows[0]["order_number"] == 13484
    assert rows[0]["values"]["Vb"] == "4945.2514"
