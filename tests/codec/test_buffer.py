"""The buffer keeps its place in the stream; lines are found in any weather."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.buffer import LINE, ByteBuffer, LineFramer
from gateway_server.codec.codec import NOISE, Frame


def frames_of(framer: LineFramer, *chunks: bytes) -> list[Frame]:
    frames = []
    for chunk in chunks:
        framer.feed(chunk)
        while frame := framer.next_frame():
            frames.append(frame)
    return frames


def test_start_is_the_offset_in_the_stream() -> None:
    buffer = ByteBuffer(100)
    buffer.append(b"noise/Els6")
    buffer.drop(5)
    buffer.append(b"EK270")
    assert buffer.start == 5
    assert buffer.find(b"EK") == 5
    assert buffer.take(5) == b"/Els6"
    assert buffer.start == 10
    assert (buffer[0], buffer.peek(1, 3), len(buffer)) == (ord("E"), b"K2", 5)
    assert buffer.take_all() == b"EK270"
    assert (buffer.start, len(buffer)) == (15, 0)


def test_search_begins_where_it_is_told() -> None:
    buffer = ByteBuffer(100)
    buffer.append(b"\n1\n2")
    assert buffer.find(b"\n") == 0
    assert buffer.find(b"\n", 1) == 2
    assert buffer.find(b"\n", 3) == -1
    buffer.drop(2)
    assert buffer.find(b"\n") == 0


def test_more_than_is_there_cannot_be_taken() -> None:
    buffer = ByteBuffer(10)
    buffer.append(b"ab")
    assert buffer.take(5) == b"ab"
    buffer.append(b"cd")
    buffer.drop(9)
    assert (buffer.start, len(buffer)) == (4, 0)
    with pytest.raises(IndexError):
        buffer[0]


def test_a_chunk_may_be_larger_than_the_bound_and_is_then_overfull() -> None:
    buffer = ByteBuffer(4)
    buffer.append(b"12345")
    assert buffer.overfull
    buffer.drop(1)
    assert not buffer.overfull


def test_whole_chunk_is_handed_on_without_a_copy() -> None:
    buffer = ByteBuffer(1000)
    chunk = bytes(500)
    buffer.append(chunk)
    assert buffer.take_all() is chunk


def test_last_byte_does_not_hold_on_to_a_large_chunk() -> None:
    buffer = ByteBuffer(10)
    buffer.append(bytes(1 << 20))
    buffer.drop((1 << 20) - 1)
    assert len(buffer._bytes) == 1
    assert buffer.take_all() == b"\x00"


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 60))))
def test_buffer_is_a_queue_of_bytes(steps: list[tuple[bytes, int]]) -> None:
    buffer, model, start = ByteBuffer(10), b"", 0
    for data, count in steps:
        buffer.append(data)
        model += data
        assert buffer.take(count) == model[:count]
        start += len(model[:count])
        model = model[count:]
        assert (len(buffer), buffer.start, buffer.peek(0, 99)) == (len(model), start, model)


def test_lines_end_with_either_line_end_and_keep_it() -> None:
    frames = frames_of(LineFramer(), b"SN=1\r\n7\n\n")
    assert frames == [Frame(LINE, b"SN=1\r\n", 0), Frame(LINE, b"7\n", 6), Frame(LINE, b"\n", 8)]
    assert [frame.text for frame in frames] == ["SN=1", "7", ""]


def test_line_is_found_behind_rubbish_that_is_no_text() -> None:
    assert frames_of(LineFramer(), b"\x00\xff\x00SN=1\n") == [
        Frame(NOISE, b"\x00\xff\x00", 0),
        Frame(LINE, b"SN=1\n", 3),
    ]


def test_line_is_found_behind_more_rubbish_than_the_bound() -> None:
    frames = frames_of(LineFramer(8), b"\xff" * 100, b"\xffSN=1\n")
    assert frames[-1] == Frame(LINE, b"SN=1\n", 101)
    assert b"".join(frame.data for frame in frames[:-1]) == b"\xff" * 101


def test_line_with_rubbish_inside_is_not_believed() -> None:
    assert frames_of(LineFramer(), b"SN=4\x001\n") == [Frame(NOISE, b"SN=4\x001\n", 0)]


def test_end_of_a_line_that_was_too_long_is_no_line() -> None:
    frames = frames_of(LineFramer(8), *(bytes([byte]) for byte in b"0123456789ABCDEF SN=2\nSN=1\n"))
    assert frames[-1] == Frame(LINE, b"SN=1\n", 22)
    assert {frame.kind for frame in frames[:-1]} == {NOISE}
    assert frames_of(LineFramer(8), b"0123456789ABCDEF SN=2\nSN=1\n")[-1] == frames[-1]


def test_what_the_end_of_the_stream_left_is_noise() -> None:
    framer = LineFramer()
    assert frames_of(framer, b"SN=1\nSN=") == [Frame(LINE, b"SN=1\n", 0)]
    assert framer.flush() == Frame(NOISE, b"SN=", 5)
    assert framer.flush() is None
    assert frames_of(framer, b"2\n") == [Frame(LINE, b"2\n", 8)]


def merged(frames: list[Frame]) -> list[tuple[str, bytes]]:
    told: list[tuple[str, bytes]] = []
    for frame in frames:
        if frame.kind == NOISE and told and told[-1][0] == NOISE:
            told[-1] = (NOISE, told[-1][1] + frame.data)
        else:
            told.append((frame.kind, frame.data))
    return told


@given(st.lists(st.sampled_from([b"AB", b"\n", b"\r\n", b"\xff", b"\x00", b"12345678"]), max_size=60), st.randoms())
def test_cuts_do_not_matter(pieces: list[bytes], chance: random.Random) -> None:
    stream = b"".join(pieces)
    whole, bytewise, cut = LineFramer(8), LineFramer(8), LineFramer(8)
    at = sorted(chance.randrange(len(stream) + 1) for _ in range(3))
    expected = merged(frames_of(whole, stream))
    rest = whole.flush()
    for framer, chunks in (
        (bytewise, [bytes([byte]) for byte in stream]),
        (cut, [stream[: at[0]], stream[at[0] : at[1]], stream[at[1] : at[2]], stream[at[2] :]]),
    ):
        frames = frames_of(framer, *chunks)
        left = framer.flush()
        assert merged([*frames, *([left] if left else [])]) == merged(
            [Frame(kind, data) for kind, data in expected] + ([rest] if rest else [])
        )
