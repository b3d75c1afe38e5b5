"""NO CARRIER among a meter's bytes: the modem's, or data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.transports.modem.carrier import CarrierWatch


def test_modems_last_words_are_held_back_whole() -> None:
    watch = CarrierWatch()
    assert watch.feed(b"(1.5)\x03\x12") == b"(1.5)\x03\x12"
    assert watch.feed(b"\r\nNO CARRIER\r\n") == b""
    assert watch.said
    assert watch.release() == b"\r\nNO CARRIER\r\n"


def test_words_that_come_in_pieces_are_recognised() -> None:
    watch = CarrierWatch()
    passed = b"".join(watch.feed(bytes((byte,))) for byte in b"x\r\nNO CARRIER\r")
    assert passed == b"x\r\n"
    assert watch.said


def test_words_followed_by_data_were_data() -> None:
    watch = CarrierWatch()
    assert watch.feed(b"a\r\nNO CARRIER\r\n") == b"a"
    assert watch.feed(b"(2)") == b"\r\nNO CARRIER\r\n(2)"
    assert not watch.said


@pytest.mark.parametrize("data", [b"xNO CARRIER\r\n", b"\r\nNO CARRIERS\r\n", b"\r\nNO\r\n", b"\r\nno carrier\r\n"])
def test_what_only_looks_like_it_passes_at_once(data: bytes) -> None:
    watch = CarrierWatch()
    watch.feed(b"x")
    assert watch.feed(data) == data
    assert not watch.holding


def test_words_without_line_end_are_held_but_do_not_count() -> None:
    watch = CarrierWatch()
    watch.feed(b"a\r\nNO CARRIER")
    assert watch.holding
    assert not watch.said


@given(st.lists(st.sampled_from([b"\r", b"\n", b"N", b"NO CARRIER", b"NO ", b"x", b"CARRIER\r\n"]), max_size=20))
def test_no_byte_is_ever_lost_or_changed(pieces: list[bytes]) -> None:
    watch = CarrierWatch()
    passed = b"".join(watch.feed(piece) for piece in pieces)
    assert passed + watch.release() == b"".join(pieces)
