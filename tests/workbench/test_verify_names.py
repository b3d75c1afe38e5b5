"""Names that are none of ours."""

from __future__ import annotations

from gateway_server.workbench.verify_names import check_names
from tests.codec.meter_profile.profiles import profile_of


def told(row: str) -> list[str]:
    """What is remarked about a profile with this row."""
    profile = profile_of(
        "reads: meter_profile\nframing: {name: line, end: LF, characters: text}\nmessages:\n"
        f"  - {{name: told, fields: [{{name: v, type: text}}], rows: {{{row}}}}}\n"
    )
    checks = list(check_names(profile))
    assert all(check.ok and check.remark for check in checks)
    return [check.detail for check in checks]


def test_names_that_everybody_uses_are_not_remarked() -> None:
    assert told("archive: interval, values: {value: v, quantity: temperature}") == []
    assert told("values: {value: v, quantity: pressure, unit: bar}") == []
    assert told("values: {value: v, quantity: energy, unit: kWh}") == []


def test_misspelt_quantity_and_what_it_may_mean() -> None:
    (text,) = told("values: {value: v, quantity: temprature}")
    assert text == "quantity temprature is none of ours; near: temperature, temperature_2, temperature_mean"
    assert told("values: {value: v, quantity: hdop}") == ["quantity hdop is none of ours"]


def test_archive_of_another_name() -> None:
    assert told("archive: hourly, values: {value: v, quantity: pressure}") == [
        "archive hourly is none of ours; near: interval"
    ]
    assert told("archive: intervall, values: {value: v, quantity: pressure}") == [
        "archive intervall is none of ours; near: interval"
    ]
    assert told("archive: gas, values: {value: v, quantity: pressure}") == [
        "archive gas is none of ours; there are: current, interval, daily, monthly"
    ]


def test_unit_of_another_name_is_remarked_once() -> None:
    row = "values: [{value: v, quantity: temperature, unit: C}, {value: v, quantity: temperature, unit: C}]"
    assert told(row) == ["unit C of temperature is none of ours; ours is °C"]
