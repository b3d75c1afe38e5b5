"""What stands in an archive's columns: as the device describes it, and where it does not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from plugins.lis200 import layouts
from plugins.lis200.layouts import Role

EK_ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
TC_ROW = (
    "(13484)(2014-05-28,11:00:00)(4945.2514)(4945.2514)(4955.0000)(4955.0000)(28.16)(104.3250)(1.0017)(0)(0)(0)"
    "(0x8104)(CRC Ok)"
)
NAMES = [
    *("GONo", "AONo", "Time", "Vb", "VbT", "V", "VT", "p.MP", "T.MP", "K.MP", "C.MP"),
    *("St.2", "St.4", "St.7", "St.6", "St.Sy", "Event", "Check"),
]


def cells(row: str) -> list[str]:
    return row[1:-1].split(")(")


def quantities(layout: layouts.Layout | None) -> list[str]:
    assert layout is not None
    return [column.quantity for column in layout.columns]


def test_the_captured_ek270_row_fits_the_layout_of_18_cells() -> None:
    layout = layouts.fitting("interval", cells(EK_ROW))
    assert layout is not None
    assert [cell.name for cell in layout.cells] == NAMES
    assert layout.time_position == 3
    assert layout.has_archive_order
    assert [(column.quantity, column.unit) for column in layout.columns] == [
        ("base_volume", "m3"),
        ("base_volume_total", "m3"),
        ("actual_volume", "m3"),
        ("actual_volume_total", "m3"),
        ("pressure_mean", "bar"),
        ("temperature_mean", "°C"),
        ("compressibility_mean", ""),
        ("conversion_factor_mean", ""),
    ]
    assert [column.cumulative for column in layout.columns] == [True] * 4 + [False] * 4


def test_the_captured_tc_row_has_its_time_second_and_pressure_in_kilopascal() -> None:
    layout = layouts.fitting("interval", cells(TC_ROW))
    assert layout is not None
    assert layout.time_position == 2
    assert not layout.has_archive_order
    assert layout.order == 0
    units = {column.quantity: column.unit for column in layout.columns}
    assert units["pressure_mean"] == "kPa"
    assert units["temperature_mean"] == "°C"


def test_a_row_of_20_cells_with_its_event_at_19_has_dp_and_t2() -> None:
    twenty = cells(EK_ROW)
    twenty[11:11] = ["5.5", "9.8"]
    assert quantities(layouts.fitting("interval", twenty))[8:] == ["pressure_difference", "temperature_2"]


def test_a_row_of_20_cells_with_its_event_at_17_has_the_users_own_columns_behind() -> None:
    layout = layouts.fitting("interval", [*cells(EK_ROW), "1.5", "2.5"])
    assert quantities(layout)[8:] == ["column 19", "column 20"]
    assert layout is not None
    assert layout.event == 16


def test_a_layout_nobody_knows_is_read_by_what_is_certain_in_it() -> None:
    layout = layouts.fitting("extended", ["1", "2", "2014-05-02,10:00:00", "5.5", "0x8104", "CRC Ok"])
    assert layout is not None
    assert [cell.role for cell in layout.cells] == [
        Role.GLOBAL_ORDER, Role.ORDER, Role.TIME, Role.VALUE, Role.EVENT, Role.CHECK,
    ]  # fmt: skip
    assert quantities(layout) == ["column 4"]


def test_without_a_time_among_the_first_three_cells_it_is_no_row() -> None:
    assert layouts.fitting("interval", ["1", "2", "3", "2014-05-02,10:00:00"]) is None
    assert layouts.fitting("interval", []) is None


def test_both_monthly_archives_have_a_fixed_layout() -> None:
    one = ["1", "2", "2014-05-01,10:00:00", *["1.0"] * 18, "CRC Ok"]
    two = ["1", "2", "2014-05-01,10:00:00", *["1.0"] * 32, "CRC Ok"]
    assert quantities(layouts.fitting("monthly", one))[:4] == [
        "base_volume",
        "base_volume_total",
        "base_volume_period_max",
        "base_volume_period_max_time",
    ]
    found = quantities(layouts.fitting("monthly2", two))
    assert {"pressure_mean", "pressure_max", "temperature_min", "compressibility_mean"} <= set(found)
    assert not any("flow" in name for name in found)  # the sources disagree which flow comes first


@pytest.mark.parametrize(
    "names",
    [
        ["GONo", "AONo", "Time", "Addr", "Old", "New", "St.SL", "St.CL", "Check"],
        ["GONo", "AONo", "Time", "Adr.", "Alter Wert", "Neuer Wert", "St.SL", "St.CL", "Check"],
        ["GONo", "AONo", "Zeit", "??", "x", "y", "St.SL", "St.CL", "CRC"],
    ],
)
def test_a_change_log_has_one_set_of_quantities_whatever_its_columns_are_called(names: list[str]) -> None:
    layout = layouts.learnt("changes", names, [], [])
    assert layout is not None
    assert quantities(layout)[:3] == ["changed_address", "old_value", "new_value"]
    assert [column.name for column in layout.columns[:3]] == names[3:6]
    assert quantities(layout)[-1] == "changed_object"
    row = layout.in_words(("0007:0311", Decimal("1.01325"), Decimal("12.9000")))
    assert row == ("7:311", Decimal("1.01325"), Decimal("12.9000"), "p.F pressure, substitute")


def test_change_log_columns_are_found_by_name_in_any_order() -> None:
    layout = layouts.learnt("changes", ["AONo", "Time", "New value", "User", "Address", "Old value", "Check"], [], [])
    assert layout is not None
    assert quantities(layout) == ["new_value", "User", "changed_address", "old_value", "changed_object"]


def test_a_change_log_keeps_address_old_and_new_value() -> None:
    layout = layouts.fitting("changes", ["9", "3", "2024-03-01,10:00:00", "0007:0311", "1.0", "1.1", "0", "CRC Ok"])
    assert quantities(layout)[:3] == ["changed_address", "old_value", "new_value"]


def test_a_layout_is_learnt_from_names_units_and_sources() -> None:
    layout = layouts.learnt(
        "interval",
        NAMES,
        ["", "", "", "m3", "m3", "m3", "m3", "bar", "{C", "", "", "", "", "", "", "", "", ""],
        ["", "", "0001:0400", "0002:0300", "0002:0302", "0004:0300", "0004:0302", "0007:0310", "0006:0310_1"],
    )
    assert layout is not None
    assert layout.learnt
    assert layout.columns[1].source == "2:302"
    assert layout.columns[1].obis == "7-0:13.2.0"
    assert layout.columns[5].unit == "°C"
    assert [name for _, name in layout.statuses] == ["St.2", "St.4", "St.7", "St.6", "St.Sy"]


def test_german_names_are_understood_by_their_sources() -> None:
    layout = layouts.learnt(
        "interval", ["GONr", "AONr", "Zeit", "VnG", "VbG"], [], ["", "", "0001:0400", "0002:0302", "0004:0302"]
    )
    assert quantities(layout) == ["base_volume_total", "actual_volume_total"]
    assert layout is not None
    assert layout.columns[0].name == "VnG"


def test_columns_nobody_has_heard_of_keep_the_devices_name() -> None:
    layout = layouts.learnt("interval", ["Time", "Xyz.1", ""], ["", "foo", ""], ["", "0099:0F0F", ""])
    assert layout is not None
    assert [(column.quantity, column.unit, column.source) for column in layout.columns] == [
        ("Xyz.1", "foo", "99:F0F"),
        ("column 3", "", ""),
    ]


def test_a_name_we_do_not_know_over_a_measured_source_is_not_taken_for_the_measured_value() -> None:
    layout = layouts.learnt("interval", ["Time", "p.Xx"], ["", "bar"], ["", "0007:0310"])
    assert quantities(layout) == ["p.Xx"]


def test_a_description_without_any_time_is_not_enough() -> None:
    assert layouts.learnt("interval", ["a", "b"], [], []) is None
    assert layouts.learnt("interval", [], [], []) is None


def test_a_layout_survives_being_remembered() -> None:
    text = layouts.to_text(NAMES, ["м3"] * len(NAMES), [])
    again = layouts.from_text("interval", text)
    assert again is not None
    assert [cell.name for cell in again.cells] == NAMES
    assert again.columns[0].unit == "m3"


@pytest.mark.parametrize("text", ["", "x", "[1,2]", "{}", "[[],[],[]]"])
def test_a_spoilt_memory_is_no_layout(text: str) -> None:
    assert layouts.from_text("interval", text) is None


def test_two_statuses_of_one_name_are_kept_apart() -> None:
    layout = layouts.learnt("monthly", ["Time", "Vb", "St.2", "V", "St.2"], [], [])
    assert layout is not None
    assert layout.status(["", "", "7", "", "1 14"]) == "St.2=7 St.2@5=1,14"
