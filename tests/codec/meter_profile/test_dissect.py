"""The auditor's view of a frame."""

from __future__ import annotations

from gateway_server.codec.codec import NOISE, SENT, Field, Frame
from gateway_server.codec.meter_profile.dissect import path_text
from tests.codec.meter_profile.profiles import codec_of, framed, with_fields

GIVEN_AWAY = "would give a secret away"

CODEC = codec_of(
    """
    reads: meter_profile
    framing:
      name: frame
      start: "7E"
      end: "7E"
      coding: hdlc
      header: [{name: kind, type: u8, words: {1: told}}]
      check: {rule: sum8, separator: "'*'"}
    messages:
      - name: told
        when: {kind: 1}
        fields:
          - {name: count, type: u8}
          - {group: row, count: count, fields: [{name: v, type: u8, about: litres}]}
      - {name: open, from: gateway, when: {kind: 2}, fields: [{name: code, type: text, secret: yes}]}
    """
)


def names(fields: object) -> list[tuple[str, int, int, str, str]]:
    assert isinstance(fields, list)
    return [(one.name, one.start, one.end, one.value, one.meaning) for one in fields]


def test_fields_have_their_places_on_the_wire_not_in_the_plain_bytes() -> None:
    wire = CODEC.machine.compiled.encode("told", {"row": [{"v": 0x7E}, {"v": 5}]})
    assert wire == bytes.fromhex("7E 01 02 7D 5E 05 2A 86 7E")
    assert names(CODEC.dissect(Frame("frame", wire))) == [
        ("start", 0, 1, "7E", "frame: told"),
        ("kind", 1, 2, "1", "told"),
        ("count", 2, 3, "2", ""),
        ("row[0].v", 3, 5, "126", "litres"),
        ("row[1].v", 5, 6, "5", "litres"),
        ("separator", 6, 7, "", ""),
        ("check", 7, 8, "86", "sum8"),
        ("end", 8, 9, "7E", ""),
    ]


def test_frame_that_fits_two_messages_shows_only_what_both_of_them_say() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        framing: {name: frame, header: [{name: length, type: u8}], length: {field: length}}
        messages:
          - {name: push, fields: [{name: kind, type: u8}, {name: volume, type: u16}], refuses: {code: kind}}
          - {name: short, fields: [{name: kind, type: u8}, {name: high, type: u8}, {name: low, type: u8}]}
          - {name: log_in, from: gateway, fields: [{name: kind, type: u8}, {name: code, type: bytes, secret: yes}]}
          - {name: set_up, from: gateway, fields: [{name: kind, type: u8}, {name: value, type: u16}]}
        """
    )
    frame = Frame("frame", bytes.fromhex("03 01 02 03"))
    assert names(codec.dissect(frame)) == [
        ("length", 0, 1, "3", "push or short"),
        ("kind", 1, 2, "1", ""),
        ("unknown", 2, 4, "", ""),
    ]
    sent = codec.dissect(Frame(SENT, frame.data))
    assert [(one.name, one.start, one.end, one.secret) for one in sent] == [
        ("length", 0, 1, False),
        ("unknown", 1, 4, True),
    ]


def test_secret_field_of_ours_is_marked_and_has_no_value() -> None:
    wire = CODEC.machine.compiled.encode("open", {"code": "1234"})
    secret = [one for one in CODEC.dissect(Frame(SENT, wire)) if one.secret]
    assert secret == [Field("code", 2, 6, secret=True), Field("check", 7, 8, "", GIVEN_AWAY, secret=True)]


TOLD_PASSWORD = codec_of(
    """
    reads: meter_profile
    framing: {name: frame, start: STX, end: ETX, header: [{name: kind, type: u8}], check: sum8}
    messages:
      - name: settings
        when: {kind: 0x31}
        fields:
          - {name: interval, type: text, size: 2}
          - {name: password, type: number, size: 4, secret: yes}
          - {name: sum, type: u8, check: sum8, covers: interval}
          - {name: left_over, type: text, size: 1}
      - {name: other, when: {kind: 0x32}, fields: [{name: all, type: text}]}
    """
)


def seen(frame: Frame) -> bytes:
    """What a frame shows, with asterisks where it is secret."""
    data = bytearray(frame.data)
    for one in TOLD_PASSWORD.dissect(frame):
        if one.secret:
            assert (one.value, one.meaning) in (("", ""), ("", GIVEN_AWAY))
            data[one.start : one.end] = b"*" * (one.end - one.start)
    return bytes(data)


def test_secret_that_the_meter_tells_is_hidden_with_the_checks_that_would_give_it_away() -> None:
    wire = TOLD_PASSWORD.machine.compiled.encode("settings", {"interval": "60", "password": 1234, "left_over": "x"})
    assert seen(Frame("frame", wire)) == b"\x02160*****x*\x03"


def test_secret_in_a_frame_that_cannot_be_read_is_hidden_with_all_that_may_be_one() -> None:
    assert seen(Frame("frame", b"\x02160123Xyxz\x03")) == b"\x021*********\x03"
    assert seen(Frame("frame", b"\x0216012\x03")) == b"\x021****\x03"
    # The check is wrong, so even the kind may be: it may hold a password. A shorter one than any header has may, too.
    assert seen(Frame("frame", b"\x0231234z\x03", 0, "the check sum8 does not match")) == b"\x02******\x03"
    assert seen(Frame("frame", b"\x02\x03", 0, "it is too short")) == b"\x02*"


def test_noise_from_where_a_frame_with_a_secret_may_begin_is_hidden() -> None:
    assert seen(Frame(NOISE, b"NO CARRIER")) == b"NO CARRIER"
    assert seen(Frame(NOISE, b"AT\x0216012")) == b"AT******"


def test_frame_that_is_certainly_another_message_is_shown() -> None:
    wire = TOLD_PASSWORD.machine.compiled.encode("other", {"all": "1234"})
    assert seen(Frame("frame", wire)) == wire
    assert seen(Frame("frame", b"\x0231234z\x03")) == b"\x0231234z\x03"


def test_damaged_frame_shows_its_fault_beside_the_check() -> None:
    fields = CODEC.dissect(Frame("frame", bytes.fromhex("7E 01 00 2A 99 7E"), 0, "the check is wrong"))
    assert [one.meaning for one in fields if one.name == "check"] == ["the check is wrong"]


def test_what_fits_no_message_is_named_as_far_as_it_can_be_and_then_unknown() -> None:
    fields = CODEC.dissect(Frame("frame", bytes.fromhex("7E 01 02 05 2A 32 7E")))
    assert [one.name for one in fields] == ["start", "kind", "count", "row[0].v", "separator", "check", "end"]
    fields = with_fields("{name: a, type: u8}").dissect(Frame("frame", bytes.fromhex("02 01 02")))
    assert [(one.name, one.start, one.end) for one in fields] == [("length", 0, 1), ("a", 1, 2), ("unknown", 2, 3)]


def test_noise_and_frames_of_nobody_are_one_field() -> None:
    assert names(CODEC.dissect(Frame(NOISE, b"abc"))) == [("noise", 0, 3, "", "")]
    assert names(CODEC.dissect(Frame("other", b"abc"))) == [("unknown", 0, 3, "", "")]


def test_check_behind_the_end_has_its_place() -> None:
    codec = framed("start: STX\nend: ETX\ncheck: {rule: xor8, place: after_end}")
    fields = codec.dissect(Frame("frame", b"\x02A\x03B"))
    assert [(one.name, one.start, one.end) for one in fields] == [
        ("start", 0, 1),
        ("body", 1, 2),
        ("end", 2, 3),
        ("check", 3, 4),
    ]


def test_name_within_groups() -> None:
    assert path_text(("rows", 3, "volume")) == "rows[3].volume"
    assert path_text(("a",)) == "a"
