"""Which device is spoken to, and how."""

from __future__ import annotations

import pytest

from plugins.lis200 import models


@pytest.mark.parametrize(
    ("said", "model"),
    [
        (("EK270", ""), "EK270"),
        (("\\2EK280", ""), "EK280"),
        (("\\2EK260", "EK280"), "EK280"),
        (("TC220", "TC220"), "TC220"),
        (("x", "Corrector TC215 v1"), "TC215"),
        (("EK290", ""), "EK290"),
        (("XY1", ""), ""),
    ],
)
def test_a_model_is_known_by_its_name_and_the_type_text_counts_more(said: tuple[str, str], model: str) -> None:
    assert models.profile_of(*said).model == model


def test_a_tc_has_one_archive_with_its_time_in_the_second_column() -> None:
    profile = models.profile_of("TC210")
    assert profile.archives == (("interval", 3),)
    assert profile.time_position == 2
    assert profile.default_codes == ("0",)


def test_an_ek_has_its_archives_in_the_order_of_obligation() -> None:
    names = [name for name, _ in models.profile_of("EK270").archives]
    assert names == ["interval", "daily", "monthly", "monthly2", "events", "changes"]


def test_only_an_ek280_has_calibration_log_extended_archive_and_lock_five() -> None:
    profile = models.profile_of("EK280")
    assert profile.number_of("calibration") == 9
    assert profile.number_of("extended") == 13
    assert profile.locks == (4, 3, 5)
    assert models.profile_of("EK270").number_of("extended") is None
    assert models.profile_of("EK270").locks == (4, 3)


def test_a_tc215_with_a_daily_period_keeps_days_in_archive_three() -> None:
    profile = models.daily_only(models.profile_of("TC215"))
    assert profile.archives == (("daily", 3),)


def test_an_archive_without_a_name_is_called_by_its_number() -> None:
    assert models.profile_of("TC210").archive_of(8) == "archive8"
