"""Modbus on the wire: RTU (address, unit of data, CRC) and TCP (the MBAP header), cut out of a stream.

MODBUS over Serial Line V1.02, clause 2.5.1: RTU frames are parted by silence of 3.5 characters. Modems, terminal
servers and TCP do not keep silence, so a frame is known by what it says of its own length, and proven by its CRC.
MODBUS Messaging on TCP/IP V1.0b, clause 3.1.3: transaction, protocol 0, length, unit.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gateway_server.codec.buffer import ByteBuffer
from gateway_server.codec.codec import NOISE, Frame
from gateway_server.errors import CodecError

from . import pdu

ANSWER, REFUSAL, REQUEST = "answer", "refusal", "request"
_BOUND = 1024
_LAST_UNIT = 247
_MBAP = 7
_REQUEST_SIZE = 8  # unit, function, first, count, CRC


class Wire(enum.Enum):
    """How messages are dressed."""

    RTU = "rtu"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message: to or from which unit, what, and on TCP in which transaction."""

    unit: int
    pdu: pdu.Pdu
    transaction: int = 0


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC = _table()


def crc(data: bytes) -> int:
    """CRC-16/MODBUS; it travels low byte first."""
    value = 0xFFFF
    for byte in data:
        value = (value >> 8) ^ _CRC[(value ^ byte) & 0xFF]
    return value


def encode(message: Message, wire: Wire) -> bytes:
    """The bytes of a message."""
    inner = bytes((message.unit,)) + pdu.encode(message.pdu)
    if wire is Wire.RTU:
        return inner + crc(inner).to_bytes(2, "little")
    return message.transaction.to_bytes(2, "big") + bytes(2) + len(inner).to_bytes(2, "big") + inner


def decode(data: bytes, wire: Wire, *, sent: bool) -> Message:
    """A whole message; ``sent`` says that it is a request. Raises `CodecError`."""
    if wire is Wire.RTU:
        if len(data) < 4 or crc(data[:-2]) != int.from_bytes(data[-2:], "little"):
            raise CodecError("no Modbus RTU frame: its CRC does not match")
        transaction, unit, inner = 0, data[0], data[1:-2]
    else:
        if len(data) <= _MBAP or data[2:4] != bytes(2) or int.from_bytes(data[4:6], "big") != len(data) - 6:
            raise CodecError("no Modbus TCP frame: its header does not fit")
        transaction, unit, inner = int.from_bytes(data[:2], "big"), data[6], data[_MBAP:]
    return Message(unit, pdu.decode_request(inner) if sent else pdu.decode_answer(inner), transaction)


class ModbusFramer:
    """Cuts a stream into frames by what each says of its own length. Bytes that no frame fits are noise.

    A request among the answers is another client's, or our own that a two-wire line echoes. RTU frames whose CRC fits
    nowhere are noise: a device that hears damage keeps silent too, and is asked again.
    """

    __slots__ = ("_buffer", "_flushing", "_inner", "_size_at")

    def __init__(self, wire: Wire) -> None:
        self._buffer = ByteBuffer(_BOUND)
        self._flushing = False
        self._size_at = _rtu_size if wire is Wire.RTU else _tcp_size
        self._inner = slice(1, -2) if wire is Wire.RTU else slice(_MBAP, None)

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream, cut anywhere."""
        self._flushing = False
        self._buffer.append(data)

    def next_frame(self) -> Frame | None:
        """The next whole frame or noise, None when more bytes are needed."""
        buffer, flushing = self._buffer, self._flushing
        at = size = 0
        while at < len(buffer):
            found = self._size_at(buffer, at, flushing)
            if found or (found == 0 and not flushing):
                size = found
                break
            at += 1
        start = buffer.start
        if at:
            return Frame(NOISE, buffer.take(at), start)
        if not size:
            return None
        data = buffer.take(size)
        return Frame(_kind(data[self._inner]), data, start)

    def flush(self) -> Frame | None:
        """At the end of the stream or after silence: what waited for more gets no more."""
        self._flushing = True
        return self.next_frame()


# The size of the frame that begins at a place; None if there is none, 0 if more bytes must tell.


def _rtu_size(buffer: ByteBuffer, at: int, flushing: bool) -> int | None:
    if not 1 <= buffer[at] <= _LAST_UNIT:
        return None
    head = buffer.peek(at + 1, at + 1 + pdu.LONGEST)
    if len(head) < 2:
        return 0
    answer = pdu.answer_size(head)
    if answer is not None:
        found = _proven(buffer, at, answer + 3) if answer else 0
        if found or (found == 0 and not flushing):
            return found
    return _rtu_request(buffer, at, head)


def _rtu_request(buffer: ByteBuffer, at: int, head: bytes) -> int | None:
    if head[0] == pdu.IDENTIFICATION:
        return _proven(buffer, at, len(pdu.BASIC_IDENTIFICATION) + 3)
    if head[0] not in (1, 2, 3, 4):
        return None
    if len(head) < 5:
        return 0
    try:
        pdu.decode_request(head[:5])
    except CodecError:
        return None
    return _proven(buffer, at, _REQUEST_SIZE)


def _proven(buffer: ByteBuffer, at: int, size: int) -> int | None:
    if len(buffer) < at + size:
        return 0
    data = buffer.peek(at, at + size)
    return size if crc(data[:-2]) == data[-2] | data[-1] << 8 else None


def _tcp_size(buffer: ByteBuffer, at: int, flushing: bool) -> int | None:
    head = buffer.peek(at, at + _MBAP + pdu.LONGEST)
    if any(head[2:4]):
        return None
    if len(head) < 6:
        return 0
    size = int.from_bytes(head[4:6], "big")
    if not 3 <= size <= pdu.LONGEST + 1:
        return None
    inner = head[_MBAP : 6 + size]
    told = pdu.answer_size(inner)
    if told is None or (told and told != size - 1):
        return None
    if len(head) < 6 + size:
        return 0
    return 6 + size if told else None


def _kind(inner: bytes) -> str:
    if inner[0] & pdu.REFUSED:
        return REFUSAL
    return ANSWER if pdu.answer_size(inner) == len(inner) else REQUEST
