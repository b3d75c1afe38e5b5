"""A wrong profile is refused with its line, its key and what is allowed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.codec.declaration import declaration_of
from gateway_server.codec.meter_profile.form import Origin, Parity, Side
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of

GOOD = """\
reads: meter_profile
name: box
version: 7
source: manual GasBox 2.1
manufacturer: GasBox
model: "200"
parity: even
byte_order: little
framing:
  - {name: frame, start: 68, header: [{name: length, type: u8}, {name: kind, type: u8}], length: {field: length}}
  - {name: beat, from: meter, start: 00, size: 1}
variables:
  station: {from: address, start: 1}
messages:
  - name: hello
    when: {kind: 1}
    fields:
      - {name: serial, type: text, size: 8}
    identify: {serial: serial}
  - name: ask
    from: gateway
    when: {kind: 2}
    fields:
      - {name: where, type: u8, value: station}
answer:
  - listen: {on: [{message: hello, reply: ask}]}
read:
  - {send: ask, receive: hello}
"""


def refused(text: str) -> str:
    """Why a profile is refused."""
    with pytest.raises(OperatorError) as found:
        parse_profile(declaration_of(text.encode(), Path("box.yaml")))
    return str(found.value)


def test_profile_says_who_it_is_for_and_where_it_comes_from() -> None:
    profile = profile_of(GOOD)
    assert (profile.name, profile.version, profile.manufacturer, profile.model) == ("box", "7", "GasBox", "200")
    assert (profile.source.origin, profile.source.where) == (Origin.MANUAL, "GasBox 2.1")
    assert profile.parity is Parity.EVEN
    assert [one.name for one in profile.framings] == ["frame", "beat"]
    assert profile.framing("beat").side is Side.METER
    assert [one.name for one in profile.messages] == ["hello", "ask"]
    assert profile.message("ask").side is Side.GATEWAY
    assert profile.answer is not None
    assert profile.read is not None


def test_without_name_and_version_they_are_the_files() -> None:
    profile = profile_of(GOOD.replace("name: box\nversion: 7\n", ""), "gasbox")
    assert profile.name == "gasbox"
    assert len(profile.version) == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("parity: even", "parity: evn", 7, "parity is 'evn'; it is one of: none, even, odd, ignored"),
        ("byte_order: little", "byteorder: little", 8, "byteorder there is no such key; there are: "),
        ("source: manual", "source: rumour", 4, "source begins with 'rumour'; it begins with one of: capture, manual"),
        ("{kind: 1}", "{sort: 1}", 16, "messages 1: when: sort is no field of the header; there are: kind, length"),
        ("{kind: 1}", "{kind: x}", 16, "messages 1: when: kind is 'x'; it is a number such as 3 or 0x1F"),
        ("name: ask", "name: hello", 20, "messages 2: name is 'hello', which another message has already"),
        ("name: beat", "name: frame", 11, "framing 2: name is 'frame', which another has already"),
        ("name: beat", "name: noise", 11, "framing 2: name is 'noise'"),
        ("from: gateway", "from: modem", 21, "messages 2: from is 'modem'; it is one of: meter, gateway, both"),
        ("serial: serial}", "serial: number}", 19, "serial uses 'number', which is not known here; known are: kind"),
        ("size: 8}", "size: 8, size: 9}", 18, "size stands here twice"),
        ("messages:", "messages: []\nmore:", 14, "messages is a list of tables"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_is_allowed(old: str, new: str, line: int, why: str) -> None:
    said = refused(GOOD.replace(old, new, 1))
    assert said.startswith(f"line {line}: "), said
    assert why in said


def test_profile_without_framing_or_messages_is_refused() -> None:
    assert "framing is missing" in refused("reads: meter_profile\nmessages: [{name: a}]\n")
    assert "messages is missing" in refused("reads: meter_profile\nframing: {name: a, end: LF}\n")
    only_ours = "reads: meter_profile\nframing: {name: a, end: LF, from: gateway}\nmessages: [{name: a}]\n"
    assert "has none in which the meter speaks" in refused(only_ours)
    assert "has none that the meter says" in refused(
        "reads: meter_profile\nframing: {name: a, end: LF}\nmessages: [{name: a, from: gateway}]\n"
    )
    wrong_side = "framing: [{name: a, end: LF}, {name: b, end: LF, from: gateway}]\n"
    said = refused(f"reads: meter_profile\n{wrong_side}messages: [{{name: m, framing: b, from: meter}}]\n")
    assert "in the framing b only the gateway speaks" in said


def test_number_of_framings_and_messages_is_bounded() -> None:
    many = "".join(f"  - {{name: m{number}}}\n" for number in range(201))
    assert "200 is the most" in refused(f"reads: meter_profile\nframing: {{name: a, end: LF}}\nmessages:\n{many}")
    many = "".join(f"  - {{name: f{number}, end: LF}}\n" for number in range(21))
    assert "20 is the most" in refused(f"reads: meter_profile\nframing:\n{many}messages: [{{name: a}}]\n")
