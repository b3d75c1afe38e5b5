"""Requests as a server hears them: published ones, in pieces, behind rubbish, and of functions that nobody knows."""

from __future__ import annotations

import pytest

from gateway_server.testing.modbus.wire import Asked, RtuDress, TcpDress

# Woodward EXVG fuel metering valve manual 40182, table 6: "Request to read holding registers 108 - 110".
ASKED = bytes.fromhex("01 03 00 6B 00 03 74 17")
TOLD = bytes.fromhex("01 03 06 02 2B 00 00 00 64 05 7A")
# MODBUS Messaging on TCP/IP V1.0b: register 5 of unit 255, transaction 0x1501.
TCP_ASKED = bytes.fromhex("15 01 00 00 00 06 FF 03 00 04 00 01")


def test_published_request_is_heard_and_its_published_answer_said() -> None:
    dress = RtuDress()
    (asked,) = dress.cut(ASKED)
    assert asked == Asked(1, ASKED[1:-2])
    assert dress.answer(asked, TOLD[1:-2]) == TOLD


def test_request_is_heard_byte_by_byte_and_behind_rubbish() -> None:
    for stream in (ASKED, b"\x00\xff\x03" + ASKED, ASKED[:-1] + b"\x00" + ASKED):
        dress = RtuDress()
        found = [one for at in range(len(stream)) for one in dress.cut(stream[at : at + 1])]
        assert found == [Asked(1, ASKED[1:-2])]


def test_two_requests_at_once_are_two() -> None:
    assert len(RtuDress().cut(ASKED + ASKED)) == 2


@pytest.mark.parametrize(
    "pdu",
    [
        bytes.fromhex("06 0001 0003"),  # write single register
        bytes.fromhex("10 0001 0002 04 000A 0102"),  # write multiple registers
        bytes.fromhex("16 0004 00F2 0025"),  # mask write register
        bytes.fromhex("17 0003 0006 000E 0003 06 00FF 00FF 00FF"),  # read/write multiple registers
        bytes.fromhex("2B 0E 01 00"),  # read device identification
        bytes.fromhex("64 01"),  # a maker's own
    ],
)
def test_request_of_any_function_is_heard_so_that_it_can_be_refused(pdu: bytes) -> None:
    dress = RtuDress()
    frame = dress.answer(Asked(1, b""), pdu)  # requests are dressed as answers are
    assert dress.cut(frame) == [Asked(1, pdu)]


def test_rubbish_without_end_is_not_kept() -> None:
    dress = RtuDress()
    for _ in range(50):
        assert dress.cut(bytes(range(256))) == []
    assert dress.cut(ASKED) == [Asked(1, ASKED[1:-2])]


def test_transaction_of_a_tcp_request_is_said_again() -> None:
    dress = TcpDress()
    assert dress.cut(TCP_ASKED[:9]) == []
    (asked,) = dress.cut(TCP_ASKED[9:])
    assert asked == Asked(255, bytes.fromhex("03 0004 0001"), b"\x15\x01")
    assert dress.answer(asked, bytes.fromhex("03 02 0005")) == bytes.fromhex("15 01 0000 0005 FF 03 02 0005")


def test_tcp_stream_without_sense_is_lost() -> None:
    for stream in (b"GET / HTTP/1.1\r\n", bytes.fromhex("0001 0000 0000 FF"), bytes.fromhex("0001 0000 0800 FF")):
        dress = TcpDress()
        assert dress.cut(stream) == []
        assert dress.is_lost
