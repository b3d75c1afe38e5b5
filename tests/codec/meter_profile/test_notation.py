"""Bytes as profiles write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile.notation import parse_bytes, show_bytes
from gateway_server.errors import OperatorError


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("7E A0", b"\x7e\xa0"),
        ("7EA0", b"\x7e\xa0"),
        ("'LOGIN:' CR LF", b"LOGIN:\r\n"),
        ("STX 'D' 00 FF", b"\x02D\x00\xff"),
        ("FE FE DE AD", b"\xfe\xfe\xde\xad"),
        ("", b""),
        ("''", b""),
    ],
)
def test_hex_pairs_texts_and_control_characters(text: str, data: bytes) -> None:
    assert parse_bytes(text) == data


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("7", "is no bytes"),
        ("GG", "control characters are"),
        ("LOGIN", "is no bytes"),
        ("'й'", "is not ASCII"),
        ("00" * 257, "at most 256"),
    ],
)
def test_what_says_no_bytes_is_refused(text: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        parse_bytes(text)


@given(data=st.binary(max_size=60))
def test_shown_bytes_are_read_back(data: bytes) -> None:
    assert parse_bytes(show_bytes(data)) == data
