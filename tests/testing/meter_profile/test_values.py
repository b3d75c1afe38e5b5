"""Messages that are made up: they mean something, and the same entry means the same everywhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.meter_profile.form import Side
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
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
