"""The published schema and the parser know the same keys, and every profile there is is valid."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.schema import schema
from gateway_server.codec.registry import bundled_plugins
from tests.codec.meter_profile.profiles import profile_of

ROOT = Path(__file__).parent.parent.parent.parent
PROFILES = [
    path
    for folder in (bundled_plugins(), ROOT / "tests/plugins/profiles", ROOT / "benchmarks/plugins")
    for path in sorted(folder.glob("*.yaml"))
    if "reads: meter_profile" in path.read_text("utf-8")
]
VALIDATOR = jsonschema.Draft202012Validator(schema())

EVERYTHING = """
reads: meter_profile
framing:
  - {name: a, start: 68, length: {at: 1}, check: {rule: {width: 16, poly: 0x1021}}}
  - {name: b, start: 69, header: [{name: n, type: u8}], length: {field: n}}
  - {name: c, end: LF, coding: {escape: 10, xor: 1}}
variables: {v: {start: 1}}
messages:
  - name: m
    framing: c
    fields:
      - {name: f1, type: bcd, size: 2}
      - {name: f2, type: float, digits: 7}
      - {name: f3, type: double, places: 2}
      - {name: f4, type: number, size: "2"}
      - {name: f5, type: text, until: LF, or_end: yes}
      - {name: f6, type: time, since: unix}
      - {name: f7, type: time, bcd: YY MM DD}
      - {name: f8, type: time, binary: hh mm}
      - {name: f9, type: time, text: hhmm}
      - {name: f10, type: time, packed: {hour: 0-4, minute: 5-10}, size: 2}
      - {name: f11, type: bits, parts: [{name: x, bits: 0}]}
      - {name: f12, type: flags, words: {0: low}}
      - {name: f13, type: u16, check: sum16, covers: f12}
      - {group: g, count: f1, fields: [{name: y, type: u8}]}
      - {choose: f1, cases: [{is: 1, fields: [{name: z, type: u8}]}], otherwise: [{name: zz, type: u8}]}
    rows: {values: {value: f1, quantity: q}}
    events: {code: f1}
    identify: {serial: f1}
    refuses: {code: f1}
  - {name: s, from: gateway, framing: c}
answer:
  - listen: {on: [{message: m, reply: {send: s}}, {message: m, reply: s}], on_error: s}
read:
  - {send: s, receive: m}
  - {archive: daily, send: s, receive: m}
  - {while: v, do: [{set: {v: v}}]}
  - {pause: 1}
  - {drain: 1}
  - {baud: 9600}
"""

# Which part of the schema speaks of a table, by the last key of its place.
PLACES = {
    "": "profile",
    "framing": "framing",
    "length": "length",
    "coding": "escape",
    "check": "check",
    "rule": "rule",
    "header": "field",
    "packed": "packed",
    "parts": "bit",
    "messages": "message",
    "cases": "choice case",
    "rows": "rows",
    "values": "value",
    "events": "events",
    "identify": "identify",
    "refuses": "refuses",
    "listen": "listen",
    "on": "case",
    "reply": "reply",
}


def document(text: str) -> Any:
    """A profile as an editor's validator sees it: YAML 1.2 knows no `on` and `no` that are not words."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def said_by_the_schema() -> dict[str, set[str]]:
    whole = schema()
    defs = whole["$defs"]

    def keys(node: Any) -> set[str]:
        return set(node["properties"])

    field, group, choice = defs["part"]["anyOf"]
    listen, ask, archive, loop, set_, pause, drain, baud = defs["step"]["anyOf"]
    message, rows = defs["message"]["properties"], defs["rows"]["properties"]
    case = listen["properties"]["listen"]["properties"]["on"]["items"]
    return {
        "profile": keys(whole),
        "framing": keys(defs["framing"]),
        "length": keys(defs["framing"]["properties"]["length"]),
        "escape": keys(defs["framing"]["properties"]["coding"]["anyOf"][1]),
        "check": keys(defs["check"]),
        "rule": keys(defs["rule"]["anyOf"][1]),
        "field": keys(field),
        "group": keys(group),
        "choice": keys(choice),
        "choice case": keys(choice["properties"]["cases"]["items"]),
        "packed": keys(field["properties"]["packed"]),
        "bit": keys(field["properties"]["parts"]["items"]),
        "message": keys(defs["message"]),
        "rows": keys(defs["rows"]),
        "value": keys(rows["values"]["anyOf"][0]),
        "events": keys(defs["events"]),
        "identify": keys(message["identify"]),
        "refuses": keys(message["refuses"]),
        "variable": keys(whole["properties"]["variables"]["additionalProperties"]),
        "listen": keys(listen["properties"]["listen"]),
        "case": keys(case),
        "reply": keys(case["properties"]["reply"]["anyOf"][1]),
        "step": keys(listen)
        | keys(ask)
        | keys(archive)
        | keys(loop)
        | keys(set_)
        | keys(pause)
        | keys(drain)
        | keys(baud),
    }


def kind_of(said: Declaration) -> str:
    last = re.sub(r" \d+$", "", said._within.rpartition(": ")[2])
    if "variables: " in said._within and last not in PLACES:
        return "variable"
    if last in ("fields", "otherwise"):
        return "group" if "group" in said else "choice" if "choose" in said else "field"
    if last in ("answer", "read", "do"):
        return "step"
    return PLACES[last]


def test_schema_and_parser_know_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    end = Declaration.end

    def listen(said: Declaration) -> None:
        known[kind_of(said)].update(said._seen)
        end(said)

    monkeypatch.setattr(Declaration, "end", listen)
    profile_of(EVERYTHING)
    known["packed"] = set(said_by_the_schema()["packed"])  # whose keys are the words of TIME_PARTS themselves
    wanted = said_by_the_schema()
    for kind, keys in wanted.items():
        assert known[kind] == keys, kind
    assert set(known) == set(wanted)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_profile_there_is_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document(path.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reads: meter_profile", "reads: profile"),
        ("type: bcd", "type: bdc"),
        ("end: LF", "ends: LF"),
        ("name: m", "nom: m"),
    ],
)
def test_what_the_parser_refuses_by_its_word_the_schema_refuses(old: str, new: str) -> None:
    assert VALIDATOR.is_valid(document(EVERYTHING))
    assert not VALIDATOR.is_valid(document(EVERYTHING.replace(old, new, 1)))


def test_published_file_is_the_schema() -> None:
    published = (ROOT / "docs/meter-profile.schema.json").read_text("utf-8")
    assert json.loads(published) == schema(), "gateway-server workbench schema > docs/meter-profile.schema.json"
