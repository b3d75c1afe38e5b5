"""A dry run knows what it has told."""

from __future__ import annotations

from gateway_server.workbench.told import Told
from tests.store.samples import entry, hour


def test_what_was_told_before_is_taken_out_and_the_rest_stays() -> None:
    told = Told()
    told.add("41", [hour(1), hour(2)], [entry(1)])
    rows, events = [hour(2), hour(3)], [entry(1), entry(2)]
    assert told.take_out("41", rows, events) == [hour(2)]
    assert (rows, events) == ([hour(3)], [entry(2)])


def test_same_row_of_another_meter_or_with_other_values_is_another() -> None:
    told = Told()
    told.add("41", [hour(1, "5")], [])
    assert told.take_out("42", [hour(1, "5")], []) == []
    assert told.take_out("41", [hour(1, "6")], []) == []
