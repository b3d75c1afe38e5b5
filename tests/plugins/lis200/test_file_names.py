"""Names of files that ComFTP uploads: expected values from lis200.md 3.1 and the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugins.lis200.file_names import comftp_name

MIDNIGHT_MS = 1_773_522_300_000  # 2026-03-14T21:05:00Z


@pytest.mark.parametrize(
    ("name", "hints", "offset"),
    [
        ("EK41203377202603142105000900.abl", ("41203377", "EK41203377"), 180),
        ("41203377202603142105000780.xml", ("41203377",), 60),
        ("41203377202603142105000720", ("41203377",), 0),
        ("st_0000041203377_202603142105000900.TXT", ("0000041203377", "st_0000041203377"), 180),
        ("Kotelnaja202603142105000900.abl", ("Kotelnaja",), 180),
        ("202603142105000900.abl", (), 180),
        ("EK41203377" + "2603142105" + ".abl", ("41203377", "EK41203377"), None),
        ("412033772603142105.abl", ("41203377",), None),
    ],
)
def test_name_says_who_when_and_in_which_zone(name: str, hints: tuple[str, ...], offset: int | None) -> None:
    found = comftp_name(name)
    assert found is not None
    assert (found.hints, found.offset) == (hints, offset)
    assert found.made_at_ms == MIDNIGHT_MS == datetime(2026, 3, 14, 21, 5, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    "name",
    ["", "DATA.TXT", "report_2026-03-14.csv", "41203377.abl", "EK412033772026131421050009000.abl", "2613142105.abl"],
)
def test_other_names_say_nothing(name: str) -> None:
    assert comftp_name(name) is None


def test_offset_that_no_zone_has_makes_the_number_no_stamp() -> None:
    assert comftp_name("EK41203377202603142105009999.abl") is None
