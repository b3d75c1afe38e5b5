"""Where the parts of a profile come from."""

from __future__ import annotations

from gateway_server.codec.meter_profile.form import Origin
from gateway_server.codec.meter_profile.sources import sources
from tests.codec.meter_profile.profiles import profile_of

PROFILE = """
reads: meter_profile
framing: {name: line, end: LF, source: capture a.capture, check: {rule: sum8, source: guess}}
messages:
  - name: told
    source: manual 4.2
    fields:
      - {name: a, type: u8}
      - {group: g, source: guess nobody knows, fields: [{name: b, type: u8}]}
      - {choose: a, cases: [{is: 1, fields: [{name: c, type: u8, source: capture}]}]}
    rows: {values: {value: a, quantity: pressure}}
  - {name: ask, from: gateway}
read:
  - {send: ask, receive: told, source: capture}
"""


def test_part_is_as_sure_as_what_it_stands_in_unless_it_says_otherwise() -> None:
    found = {one.what: one.source.origin for one in sources(profile_of(PROFILE))}
    assert found == {
        "framing line": Origin.CAPTURE,
        "framing line: check": Origin.GUESS,
        "message told": Origin.MANUAL,
        "message told: a": Origin.MANUAL,
        "message told: g": Origin.GUESS,
        "message told: g: b": Origin.GUESS,
        "message told: a: c": Origin.CAPTURE,
        "message told: rows 1": Origin.MANUAL,
        "message told: rows 1: a": Origin.MANUAL,
        "message ask": Origin.UNSTATED,
        "read 1": Origin.CAPTURE,
    }
