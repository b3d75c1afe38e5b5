"""Messages that are made up: they mean something, and the same entry means the same everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.form import Side
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
from gateway_server.model import NOWHERE
from gateway_server.testing.meter_profile.shapes import tellings
from gateway_server.testing.meter_profile.values import Entry, Inventor

NOW = datetime(2024, 4, 3, 12, 5)
AT = datetime(2024, 4, 3, 11)
PROFILES = Path(__file__).resolve().parents[2] / "plugins/profiles"
KINDS = """
reads: meter_profile
framing: {name: frame, start: AA, size: 12}
messages:
  - name: told
    fields:
      - {name: kind, type: u8, words: {1: pressure, 2: volume}}
      - {name: number, type: u16}
      - {name: at, type: time, since: unix}
      - {name: value, type: u32, missing: 0}
    rows:
      - {archive: a, at: at, order_number: number, if: kind == 1, values: [{value: value, quantity: pressure}]}
      - {archive: b, at: at, order_number: number, if: kind == 2, values: [{value: value, quantity: base_volume}]}
"""


def machine(text: str, folder: Path) -> Machine:
    place = folder / "kinds.yaml"
    place.write_text(text)
    return Machine(parse_profile(read_declaration(place)))


def read(made_by: Machine, name: str, data: bytes) -> Values:
    framer = made_by.compiled.framer(Side.METER)
    framer.feed(data)
    frame = framer.next_frame()
    assert frame is not None
    said = made_by.compiled.read(frame)
    assert said.name == name
    return said.values


def test_field_that_tells_kinds_apart_is_what_the_row_needs(tmp_path: Path) -> None:
    made_by = machine(KINDS, tmp_path)
    message = made_by.profile.message("told")
    inventor = Inventor(made_by, "20000001", 1)
    for told, kind in zip(tellings(message), (1, 2), strict=True):
        data = inventor.message(message, told, [Entry("x", 3, AT)], NOW, {})
        values = read(made_by, "told", data)
        assert (values["kind"], values["number"], values["at"]) == (kind, 3, AT)
        assert values["value"] is not None


def test_value_that_is_wanted_is_kept(tmp_path: Path) -> None:
    made_by = machine(KINDS, tmp_path)
    message = made_by.profile.message("told")
    inventor = Inventor(made_by, "20000001", 1)
    data = inventor.message(message, tellings(message)[1], [Entry("x", 3, AT)], NOW, {"kind": 2})
    assert read(made_by, "told", data)["kind"] == 2
    with pytest.raises(CodecError, match="the message told cannot be made up"):
        inventor.message(message, tellings(message)[1], [Entry("x", 3, AT)], NOW, {"kind": 1})


def test_counter_of_another_number_is_higher_and_of_the_same_is_the_same() -> None:
    made_by = Machine(parse_profile(read_declaration(PROFILES / "dlt645.yaml")))
    message = made_by.profile.message("answer")
    told = tellings(message)[0]
    inventor = Inventor(made_by, "161", 1)

    def energy(number: int) -> object:
        return read(made_by, "answer", inventor.message(message, told, [Entry("e", number, AT)], NOW, {}))["energy"]

    assert energy(1) == energy(1)
    assert str(energy(2)) > str(energy(1))


NESTED = """
reads: meter_profile
framing: {name: frame, start: AA, header: [{name: size, type: u8}], length: {field: size}}
messages:
  - name: told
    fields:
      - group: days
        repeat: to_end
        fields:
          - {name: date, type: time, bcd: YY MM DD}
          - {name: count, type: u8}
          - {group: hours, count: count, fields: [{name: time, type: time, bcd: hh mm}, {name: volume, type: u16}]}
    rows: {each: days.hours, archive: a, at: [date, time], values: {value: volume, quantity: base_volume}}
"""


def test_rows_of_groups_within_groups_stand_in_the_elements_whose_fields_they_share(tmp_path: Path) -> None:
    made_by = machine(NESTED, tmp_path)
    message = made_by.profile.message("told")
    entries = [Entry("a", 3 + hour, datetime(2024, 4, 3, 22) + timedelta(hours=hour)) for hour in range(4)]
    data = Inventor(made_by, "1", 1).message(message, tellings(message)[0], entries, NOW, {})
    days = read(made_by, "told", data)["days"]
    assert [(day["date"], [hour["time"].hour for hour in day["hours"]]) for day in days] == [
        (date(2024, 4, 3), [22, 23]),
        (date(2024, 4, 4), [0, 1]),
    ]
    found = made_by.meanings["told"].found(read(made_by, "told", data), NOWHERE)
    assert isinstance(found[0], Findings)
    assert [row.measured_at for row in found[0].rows] == [entry.at for entry in entries]


def test_values_are_likely_for_what_is_measured_and_within_what_the_profile_states(tmp_path: Path) -> None:
    fields = """
reads: meter_profile
framing: {name: frame, start: AA, size: 16}
messages:
  - name: told
    fields:
      - {name: number, type: u8}
      - {name: t, type: i16, scale: 0.1}
      - {name: p, type: u16}
      - {name: v, type: u32, scale: 0.01}
      - {name: code, type: u8}
      - {name: own, type: u16, scale: 0.5}
      - {name: kelvin, type: u16}
      - {name: left_over, type: u8}
    rows:
      order_number: number
      values:
        - {value: t, quantity: temperature}
        - {value: p * pow10(code - 3), quantity: pressure, if: code == 1}
        - {value: v, quantity: base_volume_total}
        - {value: own, quantity: humidity, simulated: -20 to 30.5}
        - {value: kelvin / 10 - 273, quantity: temperature_2}
"""
    made_by = machine(fields.replace("kelvin / 10", "kelvin * 0.1"), tmp_path)
    message = made_by.profile.message("told")
    inventor = Inventor(made_by, "1", 1)
    told: dict[str, list[Decimal]] = {}
    for number in range(1, 50):
        data = inventor.message(message, tellings(message)[0], [Entry("a", number, AT)], NOW, {})
        (found,) = made_by.meanings["told"].found(read(made_by, "told", data), NOWHERE)
        assert isinstance(found, Findings)
        (row,) = found.rows
        for column, value in zip(row.columns, row.values, strict=True):
            assert isinstance(value, Decimal)
            told.setdefault(column.quantity, []).append(value)
    bounds: dict[str, tuple[Decimal | int, Decimal | int]] = {
        "temperature": (4, 24),
        "pressure": (3, 6),
        "base_volume_total": (40_000, 370_000),
        "humidity": (0, Decimal("30.5")),  # the field has no sign
        "temperature_2": (3, 25),
    }
    assert told.keys() == bounds.keys()
    for quantity, (low, high) in bounds.items():
        assert low <= min(told[quantity]) <= max(told[quantity]) <= high, quantity
    assert told["base_volume_total"] == sorted(told["base_volume_total"])


def test_row_of_tags_is_told_by_the_tags_that_hold_it() -> None:
    made_by = Machine(parse_profile(read_declaration(PROFILES / "galileosky.yaml")))
    message = made_by.profile.message("records")
    entries = [Entry("track", 3, AT), Entry("track", 4, AT + timedelta(hours=1))]
    data = Inventor(made_by, "868345032066573", 1).message(message, tellings(message)[0], entries, NOW, {})
    values = read(made_by, "records", data)
    identity = made_by.meanings["records"].identity(values)
    assert identity is not None
    assert identity.serial == "868345032066573"
    findings = made_by.meanings["records"].findings(values, NOWHERE)
    assert isinstance(findings, Findings)
    assert [(row.order_number, row.measured_at) for row in findings.rows] == [
        (3, AT.replace(tzinfo=UTC)),
        (4, (AT + timedelta(hours=1)).replace(tzinfo=UTC)),
    ]
    assert all(len(row.values) == 6 for row in findings.rows)
