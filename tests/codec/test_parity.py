"""Even parity in the eighth bit, with the octets that were seen on such a line (lis200.md 1.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.parity import add_even, first_error, is_even_coded, strip

SEEN = [
    (b"/?!\r\n", "AF 3F 21 8D 0A"),
    (b"\x06051\r\n", "06 30 35 B1 8D 0A"),
    (b"\x06061\r\n", "06 30 36 B1 8D 0A"),
    (b"\x01B0\x03\x71", "81 42 30 03 71"),
]


@pytest.mark.parametrize(("plain", "coded"), SEEN)
def test_requests_with_even_parity_are_those_a_7e1_device_hears(plain: bytes, coded: str) -> None:
    assert add_even(plain) == bytes.fromhex(coded)


@given(st.binary())
def test_every_octet_with_parity_has_an_even_number_of_ones(data: bytes) -> None:
    assert all(octet.bit_count() % 2 == 0 for octet in add_even(data))


@given(st.binary())
def test_parity_taken_away_leaves_the_characters(data: bytes) -> None:
    assert strip(add_even(data)) == bytes(octet & 0x7F for octet in data)
    assert strip(bytearray(data)) == strip(data)


def test_the_first_wrong_octet_is_named() -> None:
    assert first_error(bytes.fromhex("AF 3F 21 0D 0A")) == 3
    assert first_error(bytes.fromhex("AF 3F 21 8D 0A")) is None


def test_a_line_counts_as_coded_only_if_some_octet_shows_it() -> None:
    assert is_even_coded(bytes.fromhex("AF 3F 21 8D 0A"))
    assert not is_even_coded(b"\x03\x06")
    assert not is_even_coded(b"/?!\r\n")
    assert not is_even_coded(bytes.fromhex("AF 3F 21 0D 0A"))
