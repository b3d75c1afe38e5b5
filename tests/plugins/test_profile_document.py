"""docs/profile.md does what it says: the first profile reads its dump, and every example of the reference is one."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.errors import OperatorError
from gateway_server.model import KnownMeter
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.readings import told
from gateway_server.workbench.replay import replay
from tests.plugins.first_profile import blocks, reference, saved_in, tutorial

# What stands around an example of the reference, so that it is a whole profile: names that it speaks of.
FRAMING = "framing: {name: frame, start: 68, header: [{name: control, type: u8}], end: 16}\n"
TOLD = """messages:
  - name: told
    fields:
      - {name: ident, type: u32}
      - {name: maker, type: u8, words: {1: ACW}}
      - {name: kind, type: u8, words: {3: gas}}
      - {name: firmware, type: u8}
      - {name: reason, type: u8, words: {1: not now}}
      - group: entries
        count: "1"
        fields:
          - {name: code, type: u8, words: {1: opened}}
          - {name: time, type: time, since: unix}
          - {name: number, type: u32}
      - group: rows
        repeat: to_end
        fields:
          - {name: time, type: time, since: unix}
          - {name: number, type: u32}
          - {name: state, type: flags, words: {0: low}}
          - {name: volume, type: u32}
          - {name: unit, type: u8}
"""
SPOKEN = """messages:
  - {name: hello, when: {control: 1}, fields: [{name: serial, type: text}], identify: {serial: serial}}
  - {name: opened, when: {control: 2}}
  - {name: current, when: {control: 3}, fields: [{name: volume, type: u32}],
     rows: {values: {value: volume, quantity: base_volume}}}
  - name: rows
    when: {control: 4}
    fields:
      - {name: following, type: u32}
      - {group: rows, repeat: to_end, fields: [{name: number, type: u32}, {name: volume, type: u32}]}
    rows: {each: rows, archive: interval, order_number: number, values: {value: volume, quantity: base_volume}}
  - {name: sign_on, from: gateway, when: {control: 11}}
  - {name: open, from: gateway, when: {control: 12}, fields: [{name: code, type: text}]}
  - {name: ask_current, from: gateway, when: {control: 13}, fields: [{name: address, type: u8}]}
  - {name: ask_rows, from: gateway, when: {control: 14}, fields: [{name: first, type: u32}]}
  - {name: sign_off, from: gateway, when: {control: 15}}
"""
HEARD = "messages:\n  - {name: any, framing: frame, fields: [{name: all, type: bytes}]}\n"


def codec_of(text: str, folder: Path) -> ProfileCodec:
    place = folder / "example.yaml"
    place.write_text(f"reads: meter_profile\n{text}", "utf-8")
    return make_codec(parse_profile(read_declaration(place)))


def whole(example: str) -> str:
    """An example with what must stand around it."""
    key = example.partition(":")[0]
    if key == "framing":
        return example + HEARD
    if key == "check":
        check = "    " + example.replace("\n", "\n    ")
        return "framing:\n  - name: frame\n    start: 68\n    end: 16\n" + check + "\n" + HEARD
    if key == "messages":
        return FRAMING + example
    if key == "fields":
        return FRAMING + "messages:\n  - name: told\n    " + example.replace("\n", "\n    ")
    if key == "variables":
        return FRAMING + SPOKEN + example.replace("key}", "text(station)}")
    return FRAMING + TOLD + "    " + example.replace("\n", "\n    ")


def test_first_profile_reads_what_the_document_says(tmp_path: Path) -> None:
    profile, dump = saved_in(tmp_path)
    codec = make_codec(parse_profile(read_declaration(profile)))
    capture = read_capture(dump.read_text("utf-8"))
    found = [
        line
        for one in replay(codec, capture.entries, ZoneInfo("UTC"), meter=KnownMeter(capture.header.meter))
        for line in told(one.serial, one.rows, one.events)
    ]
    (table,) = blocks(tutorial(), "readings")
    wanted = [
        (archive, int(number), at, quantity, value, unit)
        for row in table.splitlines()
        for archive, number, at, *cells in [row.split()]
        for quantity, value, unit in zip(cells[::3], cells[1::3], cells[2::3], strict=True)
    ]
    keys = ("archive", "order_number", "measured_at", "quantity", "value", "unit")
    assert [tuple(one[key] for key in keys) for one in found] == wanted
    assert {one["meter"] for one in found} == {"70004711"}


def test_mistake_of_the_document_is_told_with_the_line_it_says(tmp_path: Path) -> None:
    profile, _ = saved_in(tmp_path)
    profile.write_text(profile.read_text("utf-8").replace("scale: 0.01", "scal: 0.01", 1), "utf-8")
    said = re.search(r"write `scal: 0\.01` and it says `(.*?)`", tutorial())
    assert said is not None
    with pytest.raises(OperatorError) as found:
        parse_profile(read_declaration(profile))
    assert str(found.value).startswith(said[1].partition("there are")[0].strip("; "))


@pytest.mark.parametrize("example", blocks(reference(), "yaml"), ids=lambda text: text.partition(":")[0])
def test_example_of_the_reference_is_a_profile(tmp_path: Path, example: str) -> None:
    codec_of(whole(example), tmp_path)


def test_rows_of_groups_within_groups_are_those_that_the_document_shows(tmp_path: Path) -> None:
    (example,) = [one for one in blocks(reference(), "yaml") if "each: channels.hours" in one]
    dump = re.search(r"Of `([0-9A-F ]+)` that makes", reference())
    assert dump is not None
    codec = codec_of(whole(example), tmp_path)
    framer = codec.framer()
    framer.feed(bytes.fromhex(dump[1]))
    frame = framer.next_frame()
    assert frame is not None
    (found,) = codec.interpreter().received(frame)
    assert isinstance(found, Findings)
    told = [
        (row.measured_at.isoformat(), row.columns[0].quantity, str(row.values[0]))
        for row in found.rows
        if row.measured_at is not None
    ]
    (table,) = blocks(reference(), "rows")
    assert told == [tuple(line.split()) for line in table.splitlines()]


@pytest.mark.parametrize("example", re.findall(r"\| `(\{type: .*?\})` \|", reference()))
def test_example_of_a_type_is_a_field(tmp_path: Path, example: str) -> None:
    field = example.replace("{type:", "{name: it, type:")
    codec_of(f"{FRAMING}messages:\n  - name: told\n    fields: [{field}]\n", tmp_path)
