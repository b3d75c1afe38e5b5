from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.errors import StoreError
from gateway_server.model import Direction
from gateway_server.store.records import SessionKey
from gateway_server.store.segments import chunks_of, chunks_of_session, packed

some_chunks = st.lists(
    st.tuples(
        st.integers(1, 4).map(SessionKey),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.sampled_from(Direction),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=30,
)
ROW = (SessionKey(7), 1_700_000_000_000, Direction.FROM_METER, b"V1:41203377\r\n")
ANSWER = (SessionKey(7), 1_700_000_000_003, Direction.TO_METER, b"OK\r\n")
OTHER = (SessionKey(8), 1_700_000_000_001, Direction.FROM_METER, b"/?!\r\n")


def test_a_segment_is_laid_out_as_described() -> None:
    """Written out by hand from the module's description; the check sum by `python -c 'import zlib'` over the rest."""
    body = bytes.fromhex(
        "07 00 00 00 00 00 00 00  08 00 00 00 00 00 00 00"  # sessions 7 and 8
        "00 68 E5 CF 8B 01 00 00  01 68 E5 CF 8B 01 00 00"  # 0x18BCFE56800 and one more
        "0D 00 00 00  05 00 00 00"  # 13 and 5 bytes
        "3C 3C"  # both from the meter: <
    )
    segment = packed([ROW, OTHER])
    assert segment[:1] == b"\x01"
    assert segment[5:9] == (2).to_bytes(4, "little")
    assert segment[9:] == body + b"V1:41203377\r\n/?!\r\n"


@given(some_chunks)
def test_what_was_put_together_comes_apart_as_it_was(chunks: list[tuple[SessionKey, int, Direction, bytes]]) -> None:
    segment = packed(chunks)
    assert list(chunks_of(segment)) == [(key.id, at, towards, data) for key, at, towards, data in chunks]
    for session in range(6):
        assert list(chunks_of_session(segment, session)) == [
            (key.id, at, towards, data) for key, at, towards, data in chunks if key.id == session
        ]


@given(some_chunks, st.data())
def test_a_flipped_bit_is_never_taken_for_what_was_logged(
    chunks: list[tuple[SessionKey, int, Direction, bytes]], data: st.DataObject
) -> None:
    segment = bytearray(packed(chunks))
    bit = data.draw(st.integers(0, 8 * len(segment) - 1))
    segment[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StoreError):
        list(chunks_of(bytes(segment)))


def test_a_segment_that_was_cut_off_is_damaged() -> None:
    segment = packed([ROW, ANSWER])
    for length in range(len(segment)):
        with pytest.raises(StoreError, match="damaged"):
            list(chunks_of(segment[:length]))


def test_a_segment_of_a_later_program_is_not_guessed_at() -> None:
    with pytest.raises(StoreError, match=r"version 2.*update it"):
        list(chunks_of_session(b"\x02" + packed([ROW])[1:], 7))
