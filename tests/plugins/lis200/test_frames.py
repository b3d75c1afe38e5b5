"""Cutting frames out of what a device sends: real octets, rubbish around them, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.parity import add_even
from plugins.lis200.frames import BLOCK_LIMIT, NOISE_LIMIT, Lis200Framer

CLOCK = bytes.fromhex("02 31 3A 34 30 30 2E 32 28 32 30 31 38 2D 31 31 2D 30 31 2C 31 30 3A 35 36 3A 30 36 29 03 03")
TEMPERATURE = bytes.fromhex("02 37 2D 36 3A 33 31 30 5F 31 2E 31 28 32 30 2E 31 36 2A 7B 43 29 03 6E")
CHALLENGE = b"\x01P0\x02(1234567)\x03P"
ROW = (
    b"(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    b"(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
SESSION = (
    b"/Els6EK270\r\n" + CHALLENGE + CLOCK + TEMPERATURE + b"\x02(#0018)\x03\x28\x06\x15"
    b"\x02" + ROW + b"\x04\x02" + b"\x02" + ROW + b"\x03\x05"
)
KINDS = ["identification", "command", "block", "block", "error", "ack", "nak", "partial", "block"]


def cut(data: bytes, size: int = 1 << 20) -> list[Frame]:
    """The frames of a stream that arrives in pieces of this size."""
    framer = Lis200Framer()
    frames = []
    for at in range(0, len(data), size):
        framer.feed(data[at : at + size])
        while frame := framer.next_frame():
            frames.append(frame)
    while frame := framer.flush():
        frames.append(frame)
    return frames


def test_a_session_is_cut_into_its_telegrams() -> None:
    frames = cut(SESSION)
    assert [frame.kind for frame in frames] == KINDS
    assert [frame.fault for frame in frames] == [""] * len(KINDS)
    assert b"".join(frame.data for frame in frames) == SESSION
    assert [frame.start for frame in frames][:3] == [0, 12, 27]


def test_the_captured_clock_answer_whose_check_character_is_etx_is_whole() -> None:
    (frame,) = cut(CLOCK)
    assert frame == Frame("block", CLOCK, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 20, 64])
@pytest.mark.parametrize("even", [False, True])
def test_pieces_of_any_size_give_the_same_telegrams(size: int, even: bool) -> None:
    data = add_even(SESSION) if even else SESSION
    assert cut(data, size) == cut(data)


def test_with_even_parity_in_bit_seven_the_same_telegrams_arrive() -> None:
    frames = cut(add_even(SESSION))
    assert [frame.kind for frame in frames] == KINDS
    assert all(not frame.fault for frame in frames)


def test_what_stands_before_a_start_character_is_noise() -> None:
    frames = cut(b"\x00\x00 !" + CLOCK + b"\x00 " + CLOCK)
    assert [frame.kind for frame in frames] == [NOISE, "block", NOISE, "block"]


def test_a_wrong_check_character_is_named_with_the_right_one() -> None:
    (frame,) = cut(TEMPERATURE[:-1] + b"\x6f")
    assert frame.fault == "BCC is 6F, its characters give 6E"


def test_one_wrong_parity_bit_is_a_fault_once_parity_is_known() -> None:
    coded = bytearray(add_even(b"/Els6EK270\r\n" + TEMPERATURE))
    coded[20] ^= 0x80
    assert [frame.fault for frame in cut(bytes(coded))] == ["", "parity of octet 8 is not even"]


def test_russian_units_of_eight_bits_are_checked_over_seven_or_eight() -> None:
    body = "2:302.0(260.63*м3)\x03".encode("cp1251")
    check = 0
    for octet in body:
        check ^= octet
    for sent in (check, check & 0x7F):
        (frame,) = cut(b"\x02" + body + bytes([sent]))
        assert frame.fault == ""
    assert check > 0x7F


def test_a_telegram_that_never_ends_is_cut_off_by_the_next_start() -> None:
    frames = cut(b"\x02" + ROW + CLOCK)
    assert [(frame.kind, bool(frame.fault)) for frame in frames] == [("block", True), ("block", False)]
    assert frames[1].data == CLOCK


def test_a_telegram_that_never_ends_is_told_after_silence() -> None:
    (frame,) = cut(b"\x02" + ROW)
    assert (frame.kind, frame.fault) == ("block", "cut off: its end never came")


def test_no_carrier_in_the_middle_of_a_block_ends_it() -> None:
    frames = cut(b"\x02" + ROW[:50] + b"\r\nNO CARRIER\r\n", 1)
    assert [frame.kind for frame in frames] == ["block", "hangup", NOISE]
    assert frames[0].fault.startswith("cut off")


def test_no_carrier_between_telegrams_is_told_at_once() -> None:
    framer = Lis200Framer()
    framer.feed(b"\r\nNO CARRIER")
    kinds = []
    while frame := framer.next_frame():
        kinds.append(frame.kind)
    assert kinds == [NOISE, "hangup"]


def test_another_masters_request_is_no_identification() -> None:
    assert [frame.kind for frame in cut(b"/?1!\r\n" + b"/Els6\\2EK280\r\n")] == ["request", "identification"]


@pytest.mark.parametrize("line", [b"/?!\r\n", b"/?000000000000!\r\n"])
def test_an_echo_of_our_own_request_is_recognised(line: bytes) -> None:
    (frame,) = cut(line)
    assert frame.kind == "request"


def test_a_slash_in_rubbish_begins_nothing() -> None:
    assert {frame.kind for frame in cut(b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n")} == {NOISE}


def test_a_month_answered_in_one_block_is_not_looked_at_again_and_again() -> None:
    data = b"\x02" + b"\r\n".join([ROW] * 740) + b"\x03"
    framer = Lis200Framer()
    framer.feed(data[:20])
    assert framer.next_frame() is None
    looks = 0
    for at in range(20, len(data), 20):
        before = framer._scan
        framer.feed(data[at : at + 20])
        assert framer.next_frame() is None or at + 20 >= len(data)
        looks += framer._scan - before
    assert looks <= len(data)


def test_rubbish_is_handed_on_in_pieces_and_never_kept() -> None:
    framer = Lis200Framer()
    for _ in range(256):
        framer.feed(b"#" * 256)
        while frame := framer.next_frame():
            assert frame.kind == NOISE
            assert len(frame.data) <= NOISE_LIMIT
        assert len(framer._held) <= 3 * NOISE_LIMIT


def test_a_block_that_never_ends_is_given_up_as_noise() -> None:
    framer = Lis200Framer()
    framer.feed(b"\x02")
    largest = 0
    for _ in range(BLOCK_LIMIT // 4096 + 2):
        framer.feed(b"(1)(2)\r\n" * 512)
        while framer.next_frame():
            pass
        largest = max(largest, len(framer._held))
    assert largest <= BLOCK_LIMIT + 8192


TELLING = st.lists(
    st.sampled_from(
        [b"\x01", b"\x02", b"\x03", b"\x04", b"\x06", b"\x15", b"/", b"?", b"!", b"\r\n", b"NO CARRIER", b"NO CAR",
         b"Els6", b"R1", b"(#0018)", b"\x81", b"\x82", b"\xaf", b"\x84", b"\xff", b"#" * 300, CLOCK, add_even(CLOCK),
         b"/Els6EK270\r\n", add_even(b"/Els6EK270\r\n")]
    )
    | st.binary(max_size=8),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(TELLING, st.integers(1, 40))
def test_whatever_comes_is_cut_alike_however_it_comes_and_nothing_is_lost(data: bytes, size: int) -> None:
    whole = cut(data)
    assert cut(data, size) == whole
    assert b"".join(frame.data for frame in whole) == data
    at = 0
    for frame in whole:
        assert frame.start == at
        at = frame.end


def test_block_has_begun_once_it_is_surely_no_error_and_until_its_end_is_there() -> None:
    framer = Lis200Framer()
    told = []
    for piece in (b"\x02", b"(1", b")(2)", b"\x04", b"\x07"):
        framer.feed(piece)
        framer.next_frame()
        told.append(framer.begun)
    assert told == [False, True, True, True, False]
    framer.feed(b"\x02(#0")
    assert framer.next_frame() is None
    assert not framer.begun
