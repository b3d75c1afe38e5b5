"""Rows without a question: which archive they are of."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway_server.model import DAILY, INTERVAL, KnownMeter, LastRow, Span
from plugins.lis200 import models
from plugins.lis200.sections import UPLOADED, Section

PROFILE = models.PROFILES["EK270"]
NOON = datetime(2026, 3, 14, 12)


def section(*rows: str, head: str = "") -> Section:
    """Rows from cells in words."""
    made = Section()
    if head:
        assert made.head(head.split())
    for at, row in enumerate(rows):
        made.add(row.split(), Span(at * 100, at * 100 + 90))
    return made


def row(order: int, time: str, event: str = "0x8104") -> str:
    return f"{order + 18000} {order} 2026-03-{time} 1 2 3 4 5 6 7 8 0 0 0 0 0 {event} CRC"


@pytest.mark.parametrize(
    ("last", "archive"),
    [
        ({INTERVAL: LastRow(640, NOON)}, INTERVAL),
        ({DAILY: LastRow(640, NOON)}, UPLOADED),
        ({INTERVAL: LastRow(640, NOON), DAILY: LastRow(64, NOON)}, INTERVAL),
        ({INTERVAL: LastRow(600, NOON), DAILY: LastRow(630, NOON)}, UPLOADED),
        ({INTERVAL: LastRow(None, NOON)}, UPLOADED),
        ({"monthly": LastRow(640, NOON)}, UPLOADED),
        ({}, UPLOADED),
    ],
)
def test_lone_row_belongs_where_one_row_an_hour_or_a_day_leads_to_it(last: dict[str, LastRow], archive: str) -> None:
    found = section(row(643, "14,15:00:00")).read(PROFILE, KnownMeter("41203377", last=last))
    assert [one.archive for one in found.rows] == [archive]


def test_lone_row_that_fits_two_archives_is_not_guessed_into_one() -> None:
    last = {INTERVAL: LastRow(640, NOON), DAILY: LastRow(643, datetime(2026, 3, 14, 15))}
    found = section(row(643, "14,15:00:00")).read(PROFILE, KnownMeter("41203377", last=last))
    assert [one.archive for one in found.rows] == [UPLOADED]


def test_extra_rows_do_not_make_a_daily_archive_an_hourly_one() -> None:
    found = section(
        row(1, "14,10:00:00", "0x8103"), row(2, "14,17:12:03", "0x8203"), row(3, "15,10:00:00", "0x8103")
    ).read(PROFILE, None)
    assert [one.archive for one in found.rows] == [DAILY] * 3


def test_number_of_the_archive_counts_more_than_the_distance_of_rows() -> None:
    hourly = section(row(1, "14,10:00:00"), row(2, "14,11:00:00"))
    hourly.number = 7
    found = hourly.read(PROFILE, None)
    assert [one.archive for one in found.rows] == [DAILY] * 2
    assert found.notes == []


def test_head_without_a_time_is_none() -> None:
    assert not Section().head(["Vb", "VbT"])
    named = section(head="GONo AONo Time Vb Check")
    assert not named.head(["1", "2"])
    assert named.head(["", "", "", "m3", ""])
    assert named.head(["", "", "1:400", "2:300", ""])
    assert not named.head(["a", "b", "c", "d", "e"])


def test_nothing_gives_nothing() -> None:
    assert Section().read(PROFILE, None).rows == []
