"""How modems say who they are: whole, in pieces, glued to what follows."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.errors import OperatorError
from gateway_server.session.registration import (
    MOST_BYTES,
    Heartbeats,
    Recogniser,
    Registration,
    RegistrationFormat,
    RegistrationPattern,
)

IMEI = RegistrationPattern(r"(?P<id>\d{15})\r?\n")


def recognised(pattern: RegistrationPattern, *pieces: bytes) -> Registration | None:
    recogniser = Recogniser(pattern)
    for piece in pieces:
        if found := recogniser.feed(piece):
            return found
    return None


def test_modem_registers_with_its_imei() -> None:
    found = recognised(IMEI, b"356938035643809\r\n")
    assert found == Registration("356938035643809", b"356938035643809\r\n", b"")


@given(st.integers(1, 30), st.integers(1, 30))
def test_registration_in_pieces_with_the_meters_first_bytes_behind_it(first: int, second: int) -> None:
    stream = b"356938035643809\n/Els6EK270\r\n"
    cuts = sorted({min(first, len(stream)), min(second, len(stream))})
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    recogniser = Recogniser(IMEI)
    rest = b""
    found = None
    for piece in pieces:
        if found is None:
            found = recogniser.feed(piece)
            rest = found.rest if found else b""
        else:
            rest += piece
    assert found is not None
    assert found.id == "356938035643809"
    assert rest == b"/Els6EK270\r\n"


def test_registration_glued_behind_a_heartbeat() -> None:
    found = recognised(IMEI, b"LOG356938035643809\r\nX")
    assert found == Registration("356938035643809", b"356938035643809\r\n", b"X")


def test_name_that_may_go_on_waits_for_its_end_or_for_silence() -> None:
    recogniser = Recogniser(RegistrationPattern(r"LOGIN:(?P<id>\w+)"))
    assert recogniser.feed(b"LOGIN:10") is None
    assert recogniser.pending
    assert recogniser.feed(b"01") is None
    assert recogniser.settle() == Registration("1001", b"LOGIN:1001", b"")


def test_name_of_open_length_ends_where_other_bytes_begin() -> None:
    found = recognised(RegistrationPattern(r"LOGIN:(?P<id>\w+)"), b"LOGIN:1001\r\n")
    assert found == Registration("1001", b"LOGIN:1001", b"\r\n")


def test_binary_registration_is_matched_as_hex() -> None:
    pattern = RegistrationPattern(r"000f(?P<id>(?:3[0-9]){15})", RegistrationFormat.HEX)
    found = recognised(pattern, b"\x00\x0f3569380356", b"43809\x01\x02")
    assert found == Registration("333536393338303335363433383039", b"\x00\x0f356938035643809", b"\x01\x02")


def test_json_registration_is_matched_whatever_its_spaces() -> None:
    pattern = RegistrationPattern(r'"iccid":"(?P<id>\d+)"', RegistrationFormat.JSON)
    found = recognised(pattern, b'{ "v" : 1, "ic', b'cid" :  "8970101"}\r\n\x01')
    assert found == Registration("8970101", b'{ "v" : 1, "iccid" :  "8970101"}\r\n', b"\x01")


def test_json_that_is_none_registers_nobody() -> None:
    pattern = RegistrationPattern(r'"id":"(?P<id>\d+)"', RegistrationFormat.JSON)
    assert recognised(pattern, b"{{{{" + b"[" * 600) is None
    assert recognised(pattern, b'{"id":7}') is None


@given(st.binary(max_size=600))
def test_rubbish_registers_nobody_and_ends(rubbish: bytes) -> None:
    recogniser = Recogniser(RegistrationPattern(r"@@(?P<id>[A-Z]{20})@@"))
    assert recogniser.feed(rubbish) is None
    assert recogniser.full == (len(rubbish) >= MOST_BYTES)
    assert recogniser.came == rubbish


def test_registration_beyond_the_bound_is_not_looked_for() -> None:
    assert recognised(IMEI, b"x" * MOST_BYTES + b"356938035643809\n") is None


def test_what_stands_behind_the_bound_is_handed_on() -> None:
    found = recognised(IMEI, b"356938035643809\n" + b"y" * MOST_BYTES)
    assert found is not None
    assert found.rest == b"y" * MOST_BYTES


def test_hostile_bytes_do_not_keep_a_greedy_pattern_busy() -> None:
    pattern = RegistrationPattern(r"[a-z]*[a-z]*(?P<id>\d+);")
    began = time.perf_counter()  # the one thing here that needs real time
    pattern.find(b"a" * 100_000)
    assert time.perf_counter() - began < 5.0


@pytest.mark.parametrize(
    ("pattern", "because"),
    [
        (r"(?P<id>\d{15}", "no regular expression"),
        (r"\d{15}", "no group"),
        (r"(?P<id>(a+)+)$", "repeats a repetition"),
        (r"(?P<id>\d*)", "matches nothing"),
    ],
)
def test_unfit_pattern_is_the_operators_error(pattern: str, because: str) -> None:
    with pytest.raises(OperatorError, match=because):
        RegistrationPattern(pattern)


def test_heartbeats_are_taken_from_the_beginning_only() -> None:
    heartbeats = Heartbeats((b"LOG", b"\xfe"))
    assert heartbeats.strip(b"LOG\xfeLOG/Els") == (7, 3, 0)
    assert heartbeats.strip(b"/ElsLOG") == (0, 0, 0)
    assert heartbeats.strip(b"") == (0, 0, 0)


def test_heartbeat_in_pieces_is_waited_for() -> None:
    assert Heartbeats((b"LOG",)).strip(b"LOGLO") == (3, 1, 2)
    assert Heartbeats((b"LOG",)).strip(b"LO") == (0, 0, 2)
    assert Heartbeats((b"LOG",)).strip(b"LX") == (0, 0, 0)


def test_registration_repeated_before_each_packet_is_kept_out_but_no_heartbeat() -> None:
    assert Heartbeats((b"LOG",)).strip(b"ID7LOG/Els", more=b"ID7") == (6, 1, 0)
