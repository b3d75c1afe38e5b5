"""Check bytes against the table of the protocol's dossier and against a plain loop."""

from __future__ import annotations

from functools import reduce
from operator import xor as exclusive_or

from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.checksum import bcc, xor


@given(st.binary(max_size=600))
def test_folding_gives_what_a_loop_over_the_bytes_gives(data: bytes) -> None:
    assert xor(data) == reduce(exclusive_or, data, 0)


@given(st.binary(max_size=200))
def test_the_block_check_is_seven_bits_of_it(data: bytes) -> None:
    assert bcc(data) == reduce(exclusive_or, data, 0) & 0x7F


def test_nothing_has_the_check_zero() -> None:
    assert xor(b"") == 0


def test_a_bytearray_and_a_view_are_checked_like_bytes() -> None:
    assert xor(bytearray(b"B0\x03")) == xor(memoryview(b"B0\x03")) == xor(b"B0\x03") == 0x71
