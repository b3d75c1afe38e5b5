"""Which archives the models have, against the drivers' tables."""

from __future__ import annotations

import pytest

from gateway_server.testing.lis200.layouts import FAKE_MODELS, MODELS, interval_columns, layouts
from gateway_server.testing.lis200.quirks import Quirks


@pytest.mark.parametrize(
    ("model", "quirks", "cells"),
    [
        ("ek260", Quirks(), 18),
        ("ek270", Quirks(), 18),
        ("ek270", Quirks(twenty_cells=True), 20),
        ("ek280", Quirks(extra_columns=True), 20),
        ("tc210", Quirks(), 14),
        ("tc215", Quirks(), 14),
        ("ek270", Quirks(unknown_columns=True), 20),
    ],
)
def test_interval_row_has_the_models_number_of_cells(model: str, quirks: Quirks, cells: int) -> None:
    assert len(interval_columns(FAKE_MODELS[model], quirks)) == cells


def test_time_is_column_three_on_ek_and_two_on_tc() -> None:
    assert interval_columns(FAKE_MODELS["ek270"], Quirks())[2].name == "Time"
    assert interval_columns(FAKE_MODELS["tc210"], Quirks())[1].name == "Time"


def test_monthly_archives_have_the_cells_at_the_places_the_drivers_read() -> None:
    by_number = {layout.number: layout for layout in layouts(FAKE_MODELS["ek270"], Quirks())}
    assert len(by_number[1].columns) == 22
    assert len(by_number[2].columns) == 36
    places = [3, 6, 9, 12, 15, 16, 19, 22, 23, 26, 29, 30]
    assert [by_number[2].columns[place].key for place in places] == [
        "qbmax", "qbmin", "qmax", "qmin", "p", "pmax", "pmin", "t", "tmax", "tmin", "k", "c",
    ]  # fmt: skip


def test_archives_of_the_models() -> None:
    numbers = {model: [layout.number for layout in layouts(FAKE_MODELS[model], Quirks())] for model in MODELS}
    assert numbers["ek270"] == [1, 2, 3, 4, 5, 7]
    assert numbers["ek280"] == [1, 2, 3, 4, 5, 7, 9, 13]
    assert numbers["tc220"] == [3]


def test_column_names_are_unique_in_every_archive() -> None:
    for model in FAKE_MODELS.values():
        for layout in layouts(model, Quirks(unknown_columns=True, extra_columns=True, twenty_cells=True)):
            names = [column.name for column in layout.columns]
            assert len(names) == len(set(names))
            assert not any(set(name) & set("()/!") for name in names)


def test_russian_meter_names_its_units_in_russian() -> None:
    units = {column.unit for column in interval_columns(FAKE_MODELS["ek270"], Quirks(russian_units=True))}
    assert "м3" in units
    assert "m3" not in units
