"""Frames of Modbus: published ones, and those of programs that we did not write."""

from __future__ import annotations

import pytest
from modbus_tk import utils as modbus_tk_utils
from pymodbus.framer import FramerRTU

from gateway_server.codec.codec import NOISE, Frame, Framer
from gateway_server.errors import CodecError
from plugins.modbus.frames import ANSWER, REFUSAL, REQUEST, Message, ModbusFramer, Wire, crc, decode, encode
from plugins.modbus.pdu import Answer, AskName, Refusal, Request, Table

# Woodward EXVG fuel metering valve manual 40182, table 6: "Request to read holding registers 108 - 110".
ASKED = bytes.fromhex("01 03 00 6B 00 03 74 17")
TOLD = bytes.fromhex("01 03 06 02 2B 00 00 00 64 05 7A")


def cut(framer: Framer, *chunks: bytes) -> list[Frame]:
    found = []
    for chunk in chunks:
        framer.feed(chunk)
        while (frame := framer.next_frame()) is not None:
            found.append(frame)
    while (frame := framer.flush()) is not None:
        found.append(frame)
    return found


def test_published_request_and_answer_are_taken_apart_and_put_together() -> None:
    request = Message(1, Request(Table.HOLDING, 107, 3))
    answer = Message(1, Answer(Table.HOLDING, bytes.fromhex("022B 0000 0064")))
    assert decode(ASKED, Wire.RTU, sent=True) == request
    assert encode(request, Wire.RTU) == ASKED
    assert decode(TOLD, Wire.RTU, sent=False) == answer
    assert encode(answer, Wire.RTU) == TOLD


def test_crc_is_that_of_two_other_programs() -> None:
    for data in (b"", b"\x01\x03", b"123456789", bytes(range(256))):
        assert crc(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")
        assert crc(data).to_bytes(2, "little") == modbus_tk_utils.calculate_crc(data).to_bytes(2, "big")


def test_answer_comes_in_pieces_with_noise_around_it() -> None:
    frames = cut(ModbusFramer(Wire.RTU), b"\x00\xff" + TOLD[:4], TOLD[4:] + b"\xfe")
    assert [frame.kind for frame in frames] == [NOISE, ANSWER, NOISE]
    assert frames[1] == Frame(ANSWER, TOLD, 2)


def test_our_own_request_that_a_two_wire_line_echoes_is_known_as_one() -> None:
    assert [frame.kind for frame in cut(ModbusFramer(Wire.RTU), ASKED + TOLD)] == [REQUEST, ANSWER]


def test_echo_that_looks_like_a_long_answer_is_known_once_the_line_is_quiet() -> None:
    request = encode(Message(1, Request(Table.HOLDING, 0x1000, 2)), Wire.RTU)
    framer = ModbusFramer(Wire.RTU)
    framer.feed(request)
    assert framer.next_frame() is None
    assert framer.flush() == Frame(REQUEST, request, 0)


def test_damaged_answer_is_noise_and_hides_nothing_behind_it() -> None:
    damaged = TOLD[:5] + bytes((TOLD[5] ^ 4,)) + TOLD[6:]
    frames = cut(ModbusFramer(Wire.RTU), damaged + TOLD)
    assert frames[-1] == Frame(ANSWER, TOLD, len(damaged))
    assert {frame.kind for frame in frames[:-1]} == {NOISE}


def test_refusal_and_name_have_kinds_of_their_own() -> None:
    refusal = encode(Message(1, Refusal(3, 2)), Wire.RTU)
    assert [frame.kind for frame in cut(ModbusFramer(Wire.RTU), refusal)] == [REFUSAL]
    assert [frame.kind for frame in cut(ModbusFramer(Wire.RTU), encode(Message(1, AskName()), Wire.RTU))] == [REQUEST]


def test_tcp_header_cuts_the_stream_and_names_the_transaction() -> None:
    # The example of a request in MODBUS Messaging on TCP/IP V1.0b: register 5 of unit 255, transaction 0x1501.
    request = bytes.fromhex("15 01 00 00 00 06 FF 03 00 04 00 01")
    answer = bytes.fromhex("15 01 00 00 00 05 FF 03 02 00 05")
    assert decode(request, Wire.TCP, sent=True) == Message(255, Request(Table.HOLDING, 4, 1), 0x1501)
    assert encode(decode(request, Wire.TCP, sent=True), Wire.TCP) == request
    frames = cut(ModbusFramer(Wire.TCP), b"\x00", b"\xff\xfe" + answer[:3], answer[3:], answer)
    assert [(frame.kind, frame.data) for frame in frames if frame.kind != NOISE] == [(ANSWER, answer)] * 2
    assert decode(answer, Wire.TCP, sent=False).pdu == Answer(Table.HOLDING, b"\x00\x05")


def test_tcp_stream_that_ends_in_a_header_leaves_noise() -> None:
    assert [frame.kind for frame in cut(ModbusFramer(Wire.TCP), bytes.fromhex("15 01 00 00 00 05 FF 03"))] == [NOISE]


@pytest.mark.parametrize("wire", list(Wire))
def test_bytes_that_are_no_message_are_refused(wire: Wire) -> None:
    for data in (b"", TOLD[:-1] + b"\0", bytes(8), b"\x15\x01\x00\x01\x00\x05\xff\x03\x02\x00\x05"):
        with pytest.raises(CodecError):
            decode(data, wire, sent=False)
