"""What all sessions of a profile share."""

from __future__ import annotations

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.form import ReadArchive, Side
from gateway_server.model import Identify
from tests.codec.meter_profile.profiles import codec_of, with_fields

MACHINE = codec_of(
    """
    reads: meter_profile
    manufacturer: GasBox
    model: "200"
    framing: {name: frame, start: STX, end: ETX, coding: hex, header: [{name: kind, type: u8}]}
    messages:
      - {name: told, when: {kind: 1}, fields: [{name: a, type: u8}, {name: b, type: u8}]}
      - {name: rows, when: {kind: 3}, rows: {utc: yes, values: {value: kind, quantity: pressure}}}
      - {name: no, when: {kind: 2}, refuses: {code: kind}}
      - {name: ask, from: gateway, when: {kind: 4}, fields: [{name: code, type: text, secret: yes}]}
      - {name: more, from: gateway, when: {kind: 5}}
    read:
      - {send: ask, with: {code: "'12'"}, receive: told}
      - {while: "0", do: [{send: more, receive: [told, rows]}]}
      - {archive: daily, by: time, send: more, receive: rows}
    """
).machine


def test_answers_to_a_question_are_those_of_the_dialogues_and_refusals() -> None:
    assert MACHINE.answers_to("ask") == frozenset({"told", "no"})
    assert MACHINE.answers_to("more") == frozenset({"told", "rows", "no"})
    assert MACHINE.answers_to("told") is None
    assert MACHINE.awaited(("told",)) == {"told", "no"}
    assert MACHINE.kinds_of(frozenset({"told", "no"})) == {"frame"}


def test_secret_field_is_hidden_where_it_stands_on_the_wire() -> None:
    send = MACHINE.send("ask", {"code": "12"}, {})
    assert send.data == b"\x02043132\x03"
    assert send.shown == b"\x0204****\x03"
    assert MACHINE.send("more", {}, {}).shown is None


def test_damaged_frame_shows_what_the_longest_reading_shows() -> None:
    assert MACHINE.loosely(Frame("frame", b"\x02010203\x03")) == {"kind": 1, "a": 2, "b": 3}
    assert MACHINE.loosely(Frame("other", b"x")) == {}


def test_meter_whose_protocol_does_not_say_who_it_is_has_the_profiles_maker() -> None:
    assert MACHINE.identity_of("7") == Identify("7", "GasBox", "200")


def test_archive_in_utc_is_known_by_its_answers() -> None:
    (archive,) = [step for step in MACHINE.profile.read or () if isinstance(step, ReadArchive)]
    assert MACHINE.speaks_utc(archive)


def test_reply_may_use_what_any_of_the_tags_told() -> None:
    codec = with_fields(
        """
- group: tags
  repeat: to_end
  fields:
    - {name: tag, type: u8}
    - {choose: tag, cases: [{is: 1, fields: [{name: number, type: u8}]}, {is: 2, fields: [{name: volume, type: u8}]}]}
"""
    )
    said = codec.machine.compiled.read(Frame("frame", bytes.fromhex("08 0105 0207 0106 0208")))
    told = codec.machine.told_by(said)
    assert (told["number"], told["volume"]) == (6, 8)
    only = codec.machine.compiled.read(Frame("frame", bytes.fromhex("02 0207")))
    assert "number" not in codec.machine.told_by(only)


def test_masked_frame_is_known_by_its_header_and_a_damaged_one_is_none() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        framing: {name: frame, start: AA, header: [{name: kind, type: u8}], size: 5, check: {rule: sum16}}
        messages:
          - {name: enter, from: both, when: {kind: 1}, fields: [{name: code, type: bcd, size: 1, secret: yes}]}
          - {name: leave, from: both, when: {kind: 2}, fields: [{name: reason, type: u8}]}
        """
    )
    masked = codec.machine.masked
    assert masked(Frame("frame", b"\xaa\x01***", 0, "the check is wrong"), Side.METER) == "enter"
    assert masked(Frame("frame", b"\xaa\x01***", 0, "the check is wrong"), Side.GATEWAY) == "enter"
    assert masked(Frame("frame", b"\xaa\x02***", 0, "the check is wrong"), Side.METER) == ""
    assert masked(Frame("frame", b"\xaa\x01\x17\x00\x19", 0, "the check is wrong"), Side.METER) == ""
