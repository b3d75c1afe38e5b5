"""Conversations that a profile leads, played against a meter that the test speaks for."""

from __future__ import annotations

import struct
from datetime import datetime

from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.dialogue import MOST_NOISE
from gateway_server.codec.registry import load_codecs
from gateway_server.model import KnownMeter, LastRow, Outcome, ReadOrder
from gateway_server.session.plan import Role
from gateway_server.store.records import Filter
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


NAMELESS = """
reads: meter_profile
framing: {name: frame, start: AA, size: 4}
messages:
  - {name: hour, fields: [{name: number, type: u8}, {name: volume, type: u16}],
     rows: {order_number: number, values: {value: volume, quantity: pressure}}}
  - {name: ok, from: gateway, fields: [{name: number, type: u24}]}
answer:
  - listen: {on: [{message: hour, reply: {send: ok, with: {number: number}}}]}
"""


def test_rows_of_a_protocol_that_names_no_meter_are_those_of_the_meter_whose_line_it_is() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN, codec_of(NAMELESS), expected="41203377")
    session.received(bytes.fromhex("AA 07 00 10"))
    assert scene.line.said == bytes.fromhex("AA 00 00 07")
    assert [(one.meter, one.value) for one in scene.store.readings(Filter())] == [("41203377", "16")]


def test_rows_of_a_protocol_that_names_no_meter_are_not_kept_from_a_line_that_nobody_knows() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN, codec_of(NAMELESS))
    session.received(bytes.fromhex("AA 07 00 10"))
    assert scene.line.said == b""
    assert scene.ending.outcome is Outcome.UNKNOWN_METER
    assert "nor the way it came tells which meter it is" in scene.ending.detail
    assert list(scene.store.readings(Filter())) == []


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
