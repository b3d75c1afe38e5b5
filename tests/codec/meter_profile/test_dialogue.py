"""Conversations that a profile leads, played against a meter that the test speaks for."""

from __future__ import annotations

import struct
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.dialogue import MOST_NOISE
from gateway_server.codec.registry import load_codecs
from gateway_server.model import KnownMeter, LastRow, Outcome, ReadOrder
from gateway_server.session.plan import Role
from gateway_server.testing.play import Play, play
from tests.codec.meter_profile.profiles import codec_of
from tests.session.conversations import Scene

REFERENCE = load_codecs().get("reference-push")
assert isinstance(REFERENCE, ProfileCodec)


def crc(data: bytes) -> int:
    """CRC-16/MODBUS, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def frame(kind: int, body: bytes = b"") -> bytes:
    """A frame of the reference push protocol."""
    covered = struct.pack(">HB", len(body), kind) + body
    return b"\xaa\x55" + covered + struct.pack("<H", crc(covered))


HELLO = frame(1, b"41203377    1.02")
MINUTE = int((datetime(2026, 8, 22, 7) - datetime(1970, 1, 1)).total_seconds())


def row(number: int) -> bytes:
    """An hour of the reference meter."""
    at = MINUTE + 3600 * number
    volumes = (1_000_000 + number).to_bytes(5, "big") * 2
    return struct.pack(">II", number, at) + volumes + struct.pack(">HhB", 4250, -325, 0)


def hours(*numbers: int, kind: int = 2) -> bytes:
    """Rows of its archive."""
    return frame(kind, bytes([len(numbers)]) + b"".join(map(row, numbers)))


def asks(first: int) -> bytes:
    """The question for rows."""
    return frame(0x12, struct.pack(">IB", first, 20))


def order_numbers(talk: Play) -> list[int | None]:
    return [one.order_number for one in talk.rows]


# meters that speak first


def test_rows_are_stored_before_the_meter_hears_that_they_are() -> None:
    (
        play(REFERENCE)
        .receives(HELLO)
        .identifies("41203377")
        .receives(hours(7))
        .saves_row({"base_volume_total": "1000.007", "actual_volume_total": "1000.007"}, order_number=7)
        .sends(frame(0x81, struct.pack(">I", 7)))
        .hangs_up()
        .ends(Outcome.READ)
    )


def test_damaged_frame_is_answered_as_the_profile_says_and_nothing_of_it_is_kept() -> None:
    damaged = bytearray(hours(7))
    damaged[20] ^= 1
    talk = play(REFERENCE).receives(HELLO).receives(bytes(damaged)).sends(frame(0x82)).receives(hours(7))
    talk.saves_row({"base_volume_total": "1000.007"}).sends(frame(0x81, struct.pack(">I", 7))).hangs_up().ends()
    assert order_numbers(talk) == [7]
    assert "the check CRC-16/MODBUS is" in talk.story


def test_meter_that_says_nothing_at_all_is_silent() -> None:
    play(REFERENCE).stays_silent().ends(Outcome.SILENT)


def test_rows_before_the_meter_has_said_who_it_is_are_not_kept() -> None:
    talk = play(REFERENCE).receives(hours(7)).sends(frame(0x82))
    assert talk.rows == []
    assert "readings came before the meter said who it is" in talk.story


def test_second_serial_number_in_one_session_is_an_error_and_its_rows_are_not_mixed_in() -> None:
    talk = play(REFERENCE).receives(HELLO).receives(frame(1, b"99999999    1.02")).sends(frame(0x82))
    assert "it is from meter 99999999, but this session is with 41203377" in talk.story


def test_check_that_never_matches_ends_the_session_after_three_frames() -> None:
    damaged = HELLO[:-1] + bytes([HELLO[-1] ^ 1])
    talk = play(REFERENCE)
    for _ in range(3):
        talk.receives(damaged).sends(frame(0x82))
    talk.ends(Outcome.GARBLED, "none of the first 3 frames could be read")


def test_meter_that_was_understood_before_may_send_twenty_damaged_frames() -> None:
    damaged = HELLO[:-1] + bytes([HELLO[-1] ^ 1])
    talk = play(REFERENCE).receives(HELLO)
    for _ in range(20):
        talk.receives(damaged).sends(frame(0x82))
    talk.ends(Outcome.GARBLED, "none of the last 20 frames could be read")


def test_stream_that_holds_no_frame_of_the_profile_is_given_up_so_that_another_may_try() -> None:
    play(REFERENCE).receives(b"\x00" * 600).ends(Outcome.GARBLED, "no frame of reference-push in the first 600 bytes")


def test_meter_that_was_understood_and_then_sends_only_noise_is_given_up() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN, REFERENCE)
    session.received(HELLO)
    for _ in range(MOST_NOISE // 1024):
        session.received(bytes(1024))
        scene.clock.advance(0)
    assert not session.over
    session.received(HELLO + bytes(MOST_NOISE))
    scene.clock.advance(0)
    assert not session.over
    session.received(b"\x00")
    scene.clock.advance(0)
    assert scene.ending.outcome is Outcome.GARBLED
    assert "more than 65536 bytes came that are no frame of reference-push" in scene.ending.detail


ECHO = """
reads: meter_profile
framing: {name: frame, start: STX, header: [{name: length, type: u8}], length: {field: length}, check: sum8}
messages:
  - {name: push, fields: [{name: kind, type: u8, is: 1}, {name: serial, type: number, size: "4"}, {name: seq, type: u8}]
    , identify: {serial: serial}, rows: {values: {value: seq, quantity: pressure}}}
  - name: short
    fields: [{name: kind2, type: u8, is: 1}, {name: rest, type: bytes, size: "4"}, {name: last, type: u8}]
  - {name: ack, from: gateway, fields: [{name: code, type: u8, is: 6}, {name: seq, type: u8}]}
  - {name: nak, from: gateway, fields: [{name: code, type: u8, is: 21}, {name: seq, type: u8}]}
answer:
  - listen: {on: [{message: push, reply: {send: ack, with: {seq: seq}}}], on_error: {send: nak, with: {seq: seq}}}
"""


def test_frame_that_matches_two_messages_is_read_as_none_and_the_log_says_so() -> None:
    talk = play(codec_of(ECHO)).receives(bytes.fromhex("02 07 01 31323334 05 D7"))
    talk.sends(bytes.fromhex("02 03 15 05 1D"))
    assert talk.rows == []
    assert "the frame frame matches two messages, push and short: none of them is read" in talk.story


def test_acknowledgement_with_a_field_that_the_damaged_frame_lacks_is_not_sent_and_the_log_says_so() -> None:
    talk = play(codec_of(ECHO)).receives(bytes.fromhex("02 03 01 31 00")).hangs_up()
    talk.ends(Outcome.LINE_LOST)
    assert "nak is not sent: there is no seq here" in talk.story


PUSHED = """
reads: meter_profile
framing: {name: frame, start: STX, header: [{name: length, type: u8}], length: {field: length}, check: sum8}
messages:
  - {name: hello, fields: [{name: kind, type: u8, is: 1}, {name: serial, type: text, size: 4}]
    , identify: {serial: serial}}
  - name: hour
    fields: [{name: kind, type: u8, is: 2}, {name: number, type: u8}, {name: volume, type: u16, scale: 0.01}]
    rows: {archive: interval, order_number: NUMBER, values: {value: volume, quantity: base_volume_total}}
  - {name: stored, from: gateway, fields: [{name: kind, type: u8, is: 6}, {name: number, type: u8}]}
answer:
  - listen: {on: [{message: hello}, {message: hour, reply: {send: stored, with: {number: SAID}}}]}
"""


def pushed(body: str) -> bytes:
    """A frame of the profile above."""
    data = bytes.fromhex(body)
    whole = bytes([len(data) + 1]) + data
    return b"\x02" + whole + bytes([sum(whole) & 0xFF])


def pushing(number: str, said: str) -> Play:
    """A meter of that profile has said who it is."""
    text = PUSHED.replace("NUMBER", number).replace("SAID", said)
    return play(codec_of(text)).receives(pushed("01 34 37 31 31")).identifies("4711")


def test_session_whose_rows_were_stored_but_could_not_be_acknowledged_is_partial_and_says_why() -> None:
    talk = pushing("number", "volume")
    for number in (1, 2):
        talk.receives(pushed(f"02 {number:02X} 30 39")).saves_row({"base_volume_total": "123.45"}, order_number=number)
    talk.hangs_up().ends(
        Outcome.PARTIAL, "2 replies were not sent; the first: stored: number: 123.45 is no whole number"
    )


def test_session_of_which_no_row_could_be_kept_is_garbled_and_says_why() -> None:
    talk = pushing("volume * 1", "number").receives(pushed("02 01 30 39")).receives(pushed("02 02 30 3A"))
    talk.hangs_up().ends(
        Outcome.GARBLED, "2 messages were not kept; the first: volume * 1 is 123.45, which is no order number"
    )
    assert talk.rows == []


def test_session_that_kept_some_rows_and_not_others_is_partial() -> None:
    talk = (
        pushing("volume * 1", "number")
        .receives(pushed("02 01 00 64"))
        .saves_row({"base_volume_total": "1.00"}, order_number=1)
    )
    talk.sends(pushed("06 01")).receives(pushed("02 02 30 3A")).hangs_up()
    talk.ends(Outcome.PARTIAL, "1 message was not kept; the first: volume * 1 is 123.46, which is no order number")


def test_message_that_is_kept_when_it_comes_again_leaves_the_session_whole() -> None:
    codec = codec_of(PUSHED.replace("NUMBER", "number").replace("SAID", "number"))
    hour = pushed("02 01 30 39")
    talk = play(codec).receives(hour).receives(pushed("01 34 37 31 31")).identifies("4711").receives(hour)
    talk.saves_row({"base_volume_total": "123.45"}).sends(pushed("06 01")).hangs_up().ends(Outcome.READ)


def test_session_that_ends_with_damaged_frames_is_partial() -> None:
    hour = pushed("02 01 30 39")
    talk = pushing("number", "number").receives(hour).saves_row({"base_volume_total": "123.45"}).sends(pushed("06 01"))
    talk.receives(hour[:-1] + b"\x00").hangs_up()
    talk.ends(Outcome.PARTIAL, "1 frame was damaged at the end, and nothing whole came behind")


# meters that are asked


def known(order: ReadOrder, last: dict[str, LastRow] | None = None) -> KnownMeter:
    return KnownMeter("41203377", order, last=last or {})


def test_live_values_and_the_whole_archive_are_read() -> None:
    current = frame(0x90, struct.pack(">I", MINUTE) + (5).to_bytes(5, "big") * 2 + struct.pack(">Hh", 4250, -325))
    talk = (
        play(REFERENCE, expected=known(ReadOrder()))
        .sends(frame(0x11))
        .receives(HELLO)
        .identifies("41203377")
        .sends(frame(0x10))
        .receives(current)
        .saves_row({"pressure": "4.250", "temperature": "-3.25", "base_volume_total": "0.005"})
        .sends(asks(0))
        .receives(hours(1, 2, kind=0x92))
        .saves_row({"base_volume_total": "1000.001"})
        .saves_row({"base_volume_total": "1000.002"})
        .sends(asks(3))
        .receives(hours(kind=0x92))
    )
    talk.ends(Outcome.READ)
    assert order_numbers(talk) == [None, 1, 2]


def test_archive_goes_on_behind_the_last_stored_row() -> None:
    (
        play(REFERENCE, expected=known(ReadOrder(frozenset({"archive"})), {"interval": LastRow(41, None)}))
        .sends(frame(0x11))
        .receives(HELLO)
        .sends(asks(42))
        .receives(hours(kind=0x92))
        .ends(Outcome.READ)
    )


def test_archive_that_was_not_ordered_is_not_read() -> None:
    talk = play(REFERENCE, expected=known(ReadOrder(frozenset({"archive"}), archives=("daily",))))
    talk.sends(frame(0x11)).receives(HELLO).ends(Outcome.READ)


def test_silent_meter_is_asked_again_and_a_damaged_answer_too() -> None:
    (
        play(REFERENCE, expected=known(ReadOrder(frozenset())))
        .sends(frame(0x11))
        .stays_silent()
        .sends(frame(0x11))
        .receives(HELLO[:-1] + b"\x00")
        .sends(frame(0x11))
        .receives(HELLO)
        .ends(Outcome.READ)
    )


def test_refusal_ends_the_session_with_the_meters_own_code() -> None:
    talk = play(REFERENCE, expected=known(ReadOrder(frozenset({"current"})))).sends(frame(0x11)).receives(HELLO)
    talk.sends(frame(0x10)).receives(frame(0xEE, b"\x02")).ends(Outcome.REFUSED, "2, not now")


def test_archive_that_repeats_itself_is_given_up() -> None:
    talk = play(REFERENCE, expected=known(ReadOrder(frozenset({"archive"})), {"interval": LastRow(6, None)}))
    talk.sends(frame(0x11)).receives(HELLO).sends(asks(7)).receives(hours(6, kind=0x92))
    talk.saves_row({"base_volume_total": "1000.006"}).ends(Outcome.PARTIAL, "it does not go on behind 7")


LOCKED = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
variables:
  code: {from: access_code, start: ""}
  address: {from: address, start: 1}
  turn: {from: memory, start: 0}
messages:
  - {name: open, from: gateway, fields: [{name: word, type: text, is: "P "},
      {name: where, type: number, digits: 3, value: address}, {name: password, type: text, value: code, secret: yes}]}
  - {name: opened, fields: [{name: answer, type: text, is: OK}]}
  - {name: closed, fields: [{name: answer, type: text, is: NO}], refuses: {code: answer}}
  - {name: next, from: gateway, fields: [{name: word, type: text, is: "N "}, {name: at, type: text, size: "1"}]}
  - {name: row, fields: [{name: key, type: text, is: "R "}, {name: value, type: number, until: SP},
      {name: time, type: time, text: "YYMMDDhh"}, {name: sp, type: text, is: " "}, {name: cursor, type: text}],
      rows: {archive: daily, at: time, values: {value: value, quantity: pressure}}}
  - {name: last, fields: [{name: key, type: text, is: "E"}]}
read:
  - {send: open, receive: opened, timeout: 5, retries: 0, set: {turn: turn + 1}}
  - {archive: daily, by: cursor, send: next, with: {at: begin}, first: "'A'", receive: [row, last], next: cursor}
"""


def test_password_is_sent_and_hidden_and_an_archive_is_read_by_cursor() -> None:
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), access_code="4:1234", address="12")
    talk = (
        play(codec_of(LOCKED), expected=meter)
        .sends(b"P 0121234\n", shown=b"P 012****\n")
        .receives(b"OK\n")
        .sends(b"N A\n")
        .receives(b"R 4.25 26082207 B\n")
        .identifies("7")
        .saves_row({"pressure": "4.25"}, archive="daily")
        .sends(b"N B\n")
        .receives(b"E\n")
    )
    talk.ends(Outcome.READ)
    assert talk.rows[0].measured_at == datetime(2026, 8, 22, 7)
    refused = play(codec_of(LOCKED), expected=meter).sends(b"P 0121234\n", shown=b"P 012****\n")
    refused.receives(b"NO\n").ends(Outcome.REFUSED)


CODED = """
reads: meter_profile
framing: {name: line, end: LF}
variables: {key: {VARIABLE}}
messages:
  - {name: open, from: gateway, fields: [{name: word, type: text, is: "P"}, {name: code, FIELD}]}
  - {name: opened, fields: [{name: answer, type: text, is: OK}]}
read:
  - {send: open, with: {code: SAID}, receive: opened}
"""


@pytest.mark.parametrize(
    "variable", ["from: access_code", "from: access_code, start: 0", 'start: "0471"', "start: 0471"]
)
@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("type: text, size: 4", b"0471"),
        ("type: text", b"0471"),
        ("type: number", b"0471"),
        ("type: number, digits: 6", b"000471"),
        ("type: bytes", b"\x04\x71"),
        ("type: bcd, size: 2", b"\x04\x71"),
        ("type: u16", b"\x01\xd7"),
        ("type: number, base: 16, digits: 4", b"01D7"),
    ],
)
def test_access_code_is_sent_with_every_zero_it_was_written_with(variable: str, field: str, wire: bytes) -> None:
    codec = codec_of(CODED.replace("VARIABLE", variable).replace("FIELD", field).replace("SAID", "key"))
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="0471")
    play(codec, expected=meter).sends(b"P" + wire + b"\n").receives(b"OK\n").ends(Outcome.READ)


def test_access_code_that_stands_in_the_profile_itself_is_sent_as_it_stands() -> None:
    codec = codec_of(CODED.replace("VARIABLE", "").replace("FIELD", "type: text, size: 4").replace("SAID", "0471"))
    meter = KnownMeter("7", ReadOrder(frozenset()))
    play(codec, expected=meter).sends(b"P0471\n").receives(b"OK\n").ends(Outcome.READ)


def test_number_that_is_longer_than_its_place_is_not_cut() -> None:
    codec = codec_of(
        CODED.replace("VARIABLE", "from: access_code")
        .replace("FIELD", "type: number, digits: 3")
        .replace("SAID", "key")
    )
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="0471")
    play(codec, expected=meter).ends(Outcome.GARBLED, "0471 does not fit into 3 characters")


@pytest.mark.parametrize(("retries", "times"), [("", 1), ("retries: 1,", 2)])
def test_access_code_is_not_sent_again_after_a_garbled_answer_unless_the_profile_says_so(
    retries: str, times: int
) -> None:
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="1234")
    talk = play(codec_of(LOCKED.replace("retries: 0,", retries)), expected=meter)
    for _ in range(times):
        talk.sends(b"P 0011234\n").receives(b"O?\n")
    talk.ends(Outcome.GARBLED, "is no message that the profile knows")


COUNTING = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
variables: {turn: {from: memory, start: 0}}
messages:
  - {name: ask, from: gateway, fields: [{name: number, type: number, digits: 2, value: turn}]}
  - {name: told, fields: [{name: serial, type: text, size: "2"}], identify: {serial: serial}}
read:
  - {set: {turn: turn + 1}}
  - {send: ask, receive: told}
  - {set: {turn: turn + 1}}
"""


def test_what_a_session_leaves_in_a_variable_is_there_in_the_next() -> None:
    meter = KnownMeter("41", ReadOrder(frozenset()), memory={"turn": "4"})
    talk = play(codec_of(COUNTING), expected=meter).sends(b"05\n").receives(b"41\n")
    talk.ends(Outcome.READ)
    assert talk.remembered == {"turn": "6"}


TIMED = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
messages:
  - name: ask
    from: gateway
    fields: [{name: from_time, type: time, text: YYMMDDhh, value: begin_at}, {name: sp, type: text, is: " "},
      {name: to_time, type: time, text: YYMMDDhh}]
  - name: rows
    fields:
      - {name: count, type: number, until: SP}
      - {group: hour, count: count, fields: [{name: time, type: time, text: YYMMDDhh}, {name: sp, type: text, is: "="},
          {name: value, type: number, until: SP}]}
    rows: {each: hour, archive: interval, at: time, utc: UTC, values: {value: value, quantity: pressure}}
variables: {begin_at: {start: 0}}
read:
  - {archive: interval, by: time, step: 3600, send: ask, with: {from_time: begin, to_time: end}, receive: rows}
"""


def test_archive_is_read_by_time_until_the_end_of_the_order() -> None:
    order = ReadOrder(frozenset({"archive"}), since=datetime(2026, 8, 22, 7), until=datetime(2026, 8, 22, 9))
    talk = play(codec_of(TIMED.replace("UTC", "no")), expected=KnownMeter("7", order)).sends(b"26082207 26082209\n")
    talk.receives(b"2 26082207=1 26082208=2 \n").saves_rows(2).sends(b"26082209 26082209\n")
    talk.receives(b"1 26082209=3 \n").saves_rows(1).ends(Outcome.READ)
    assert [one.measured_at for one in talk.rows] == [datetime(2026, 8, 22, hour) for hour in (7, 8, 9)]


def test_archive_in_utc_is_asked_for_by_so_much_more_as_a_zone_can_be_away() -> None:
    last = {"interval": LastRow(None, datetime(2026, 8, 22, 7))}
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), last=last)
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26082118 99123123\n")
    talk.receives(b"1 26082208=1 \n").saves_rows(1).sends(b"26082209 99123123\n").receives(b"0 \n")
    talk.ends(Outcome.READ)


def test_archive_in_utc_of_a_meter_whose_zone_is_known_is_asked_for_from_the_first_missing_row_on() -> None:
    order = ReadOrder(frozenset({"archive"}), until=datetime(2026, 8, 22, 12))
    last = {"interval": LastRow(None, datetime(2026, 8, 22, 7))}
    meter = KnownMeter("7", order, last=last, zone=ZoneInfo("Europe/Moscow"))
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26082205 26082209\n")
    talk.receives(b"5 26082205=1 26082206=2 26082207=3 26082208=4 26082209=5 \n").saves_rows(5)
    talk.ends(Outcome.READ)


def test_row_of_the_second_of_two_equal_hours_is_asked_for_behind_the_first() -> None:
    last = {"interval": LastRow(None, datetime(2026, 10, 25, 2))}  # 00:00 UTC, the next is again 2 o'clock
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), last=last, zone=ZoneInfo("Europe/Berlin"))
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26102501 99123123\n")
    talk.receives(b"0 \n").ends(Outcome.READ)
