"""Telnet's COM-PORT-OPTION, byte by byte; the numbers are RFC 2217's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway_server.transports.modem.rfc2217 import (
    Agreed,
    Answered,
    ModemState,
    Payload,
    TelnetReader,
    escaped,
    opening,
    ordered,
    settings,
)


def test_opening_offers_binary_and_the_com_port() -> None:
    assert opening() == bytes.fromhex("FF FB 00 FF FD 00 FF FB 03 FF FD 03 FF FB 2C")


def test_settings_order_speed_format_lines_and_word_of_changes() -> None:
    said = settings(9600)
    assert bytes.fromhex("FF FA 2C 01 00 00 25 80 FF F0") in said  # 9600
    assert bytes.fromhex("FF FA 2C 02 08 FF F0") in said  # 8 bits
    assert bytes.fromhex("FF FA 2C 05 08 FF F0") in said  # DTR on
    assert said.endswith(bytes.fromhex("FF FA 2C 0B FF FF FF F0"))  # every change of the lines, 255 doubled


def test_255_is_doubled_for_the_modem_and_single_for_us() -> None:
    assert escaped(b"a\xffb") == b"a\xff\xffb"
    assert TelnetReader().feed(b"a\xff\xffb") == [Payload(b"a\xffb")]


def test_server_that_agrees_and_tells_of_its_lines_is_understood() -> None:
    reader = TelnetReader()
    assert reader.feed(bytes.fromhex("FF FD 2C")) == [Agreed(ours=True)]
    assert reader.feed(bytes.fromhex("FF FA 2C 6B B0 FF F0")) == [ModemState(carrier=True, any_line=True)]
    assert reader.feed(bytes.fromhex("FF FA 2C 6B 00 FF F0")) == [ModemState(carrier=False, any_line=False)]
    assert reader.feed(bytes.fromhex("FF FA 2C 65 00 00 25 80 FF F0")) == [Answered(1, bytes.fromhex("00 00 25 80"))]


def test_server_that_does_not_know_the_option_says_so() -> None:
    assert TelnetReader().feed(bytes.fromhex("FF FE 2C")) == [Agreed(ours=False)]


def test_other_options_are_refused_once_and_no_echo_of_ours_wanted() -> None:
    reader = TelnetReader()
    for _ in range(3):
        reader.feed(bytes.fromhex("FF FB 01 FF FD 18"))
    assert bytes(reader.replies) == bytes.fromhex("FF FE 01 FF FC 18")


def test_meter_bytes_between_commands_keep_their_order() -> None:
    events = TelnetReader().feed(b"AB" + ordered(107, b"\x80") + b"CD")
    assert events == [Payload(b"AB"), ModemState(carrier=True, any_line=True), Payload(b"CD")]


@given(st.binary(max_size=300), st.integers(0, 300))
def test_arbitrary_bytes_raise_nothing_and_may_be_cut_anywhere(data: bytes, cut: int) -> None:
    whole, parts = TelnetReader(), TelnetReader()
    first = whole.feed(data)
    second = [*parts.feed(data[:cut]), *parts.feed(data[cut:])]

    def joined(events: list[object]) -> bytes:
        return b"".join(event.data for event in events if isinstance(event, Payload))

    assert joined(list(first)) == joined(list(second))
    assert whole.replies == parts.replies


@given(st.binary(max_size=200))
def test_what_is_escaped_comes_out_again(data: bytes) -> None:
    events = TelnetReader().feed(escaped(data))
    assert events == ([Payload(data)] if data else [])
