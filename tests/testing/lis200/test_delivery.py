"""Answers on their way over a bad line."""

from __future__ import annotations

from gateway_server.testing.lis200.delivery import NOISE_AFTER, NOISE_BEFORE, Delivery, Reply
from gateway_server.testing.lis200.frames import answer, bcc
from gateway_server.testing.lis200.quirks import Quirks

FRAME = answer("(1)(2)(2024-03-01,00:00:00)(0x3002)(CRC Ok)", last=False)


def sent(replies: list[Reply]) -> bytes:
    return b"".join(reply.data for reply in replies)


def is_sound(frame: bytes) -> bool:
    return bcc(frame[1:-1]) == frame[-1]


def test_good_line_delivers_at_once_and_unchanged() -> None:
    assert Delivery(Quirks(), "s").block(FRAME, repeated=False) == [Reply(0.0, FRAME)]


def test_every_third_block_is_damaged_and_good_when_repeated() -> None:
    delivery = Delivery(Quirks(bad_bcc_every=3), "s")
    sound = [is_sound(sent(delivery.block(FRAME, repeated=False))) for _ in range(6)]
    assert sound == [True, True, False, True, True, False]
    assert sent(delivery.block(FRAME, repeated=True)) == FRAME


def test_damaged_block_still_looks_like_figures() -> None:
    damaged = sent(Delivery(Quirks(bad_bcc_every=1), "s").block(FRAME, repeated=False))
    assert len(damaged) == len(FRAME)
    assert sum(one != other for one, other in zip(damaged, FRAME, strict=True)) == 1
    assert damaged[-1] == FRAME[-1]


def test_hopeless_line_damages_repeats_too() -> None:
    delivery = Delivery(Quirks(bad_bcc_always=True), "s")
    assert not is_sound(sent(delivery.block(FRAME, repeated=False)))
    assert not is_sound(sent(delivery.block(FRAME, repeated=True)))


def test_slow_meter_sends_byte_by_byte_behind_its_reaction_time() -> None:
    replies = Delivery(Quirks(slow=True, reply_delay_s=0.5), "s").single(FRAME)
    assert sent(replies) == FRAME
    assert len(replies) == len(FRAME)
    assert [reply.delay_s for reply in replies[:3]] == [0.5, 0.01, 0.01]


def test_split_answer_comes_in_pieces() -> None:
    replies = Delivery(Quirks(split=7), "s").single(FRAME)
    assert sent(replies) == FRAME
    assert {len(reply.data) for reply in replies[:-1]} == {7}


def test_noise_stands_around_a_frame_but_not_around_a_control_character() -> None:
    delivery = Delivery(Quirks(noise_before=True, noise_after=True), "s")
    assert sent(delivery.single(FRAME)) == NOISE_BEFORE + FRAME + NOISE_AFTER
    assert sent(delivery.single(b"\x06")) == b"\x06"


def test_every_third_answer_is_lost() -> None:
    delivery = Delivery(Quirks(lose_every=3), "s")
    assert [sent(delivery.single(FRAME)) for _ in range(6)] == [FRAME, FRAME, b""] * 2


def test_block_is_cut_off_once() -> None:
    delivery = Delivery(Quirks(truncate_block=1), "s")
    half = sent(delivery.block(FRAME, repeated=False))
    assert FRAME.startswith(half)
    assert len(half) < len(FRAME)
    assert sent(delivery.block(FRAME, repeated=True)) == FRAME


def test_endless_block_goes_on_far_beyond_any_frame() -> None:
    replies = Delivery(Quirks(endless_block=1), "s").block(FRAME, repeated=False)
    stream = sent(replies)
    assert len(stream) > 64 * 1024
    assert b"\x03" not in stream
    assert b"\x04" not in stream


def test_line_is_closed_within_a_block() -> None:
    *rest, last = Delivery(Quirks(hang_up_in_block=1), "s").block(FRAME, repeated=False)
    assert last.hang_up
    assert FRAME.startswith(sent(rest))


def test_far_modem_hangs_up_within_a_block() -> None:
    delivery = Delivery(Quirks(no_carrier_in_block=1), "s")
    assert sent(delivery.block(FRAME, repeated=False)).endswith(b"\r\nNO CARRIER\r\n")
    assert delivery.dead


def test_rubbish_comes_once_instead_of_the_identification() -> None:
    delivery = Delivery(Quirks(rubbish=True), "s")
    assert len(sent(delivery.identification(b"/Els6EK270\r\n"))) == 65536
    assert sent(delivery.identification(b"/Els6EK270\r\n")) == b"/Els6EK270\r\n"


def test_second_masters_frames_are_sound_and_pass_by_before_ours() -> None:
    delivery = Delivery(Quirks(second_master=True), "s")
    for _ in range(10):
        stream = sent(delivery.single(FRAME))
        assert stream.endswith(FRAME)
        foreign = stream[: -len(FRAME)]
        assert foreign
        if b"\x02" in foreign and b"\x01" not in foreign:
            assert is_sound(foreign)


def test_seven_bit_line_carries_even_parity() -> None:
    stream = sent(Delivery(Quirks(seven_e1=True), "s").single(FRAME))
    assert stream != FRAME
    assert bytes(byte & 0x7F for byte in stream) == FRAME
