"""Status lists in words (lis200.md 2.7)."""

from __future__ import annotations

import pytest

from plugins.lis200 import status


def test_a_list_is_numbers_separated_by_spaces() -> None:
    assert status.numbers("1 5 16") == (1, 5, 16)
    assert status.numbers("0") == ()
    assert status.numbers("CRC Ok") is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [(1, "alarm"), (2, "alarm"), (3, "warning"), (8, "warning"), (9, "report"), (14, "report"), (15, "information")],
)
def test_the_number_tells_how_serious_a_message_is(number: int, kind: str) -> None:
    assert status.severity(number) == kind


def test_a_status_is_said_in_words() -> None:
    assert status.in_words("St.4", "6 14", "EK270") == "6 warning: Qm warning limits, 14 report: customer lock open"
    assert status.in_words("St.7", "0") == ""


@pytest.mark.parametrize(
    ("name", "same"), [("St.Sy", "St.Sy"), ("StSy", "St.Sy"), ("St.2", "St.2"), ("St. 07", "St.7"), ("Stat", "Stat")]
)
def test_names_of_a_status_are_one_in_all_spellings(name: str, same: str) -> None:
    assert status.canonical(name) == same


def test_models_differ_in_what_a_message_means() -> None:
    assert status.meaning("St.5", 16, "EK270") == ""
    assert status.meaning("St.5", 16, "EK280") == "call window 5 active"
    assert status.meaning("St.Sy", 16, "DL210") == "daylight saving time"


def test_an_unknown_text_leaves_the_number() -> None:
    assert status.in_words("St.Sy", "12", "EK270") == "12 report"
