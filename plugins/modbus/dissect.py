"""The parts of a Modbus frame in words."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_server.codec.codec import NOISE, SENT, Field, Frame
from gateway_server.errors import CodecError

from . import frames, pdu
from .frames import Wire

_FUNCTIONS = {1: "read coils", 2: "read discrete inputs", 3: "read holding registers", 4: "read input registers"}


def dissect(frame: Frame, wire: Wire) -> list[Field]:
    """What the frame's bytes are; together they cover it."""
    if not frame.data:
        return []
    if frame.kind == NOISE:
        return [Field("unknown", 0, len(frame.data))]
    sent = frame.kind in (SENT, frames.REQUEST)
    try:
        message = frames.decode(frame.data, wire, sent=sent)
    except CodecError:
        return [Field("unknown", 0, len(frame.data))]
    return list(_parts(frame.data, message.pdu, wire))


def _parts(data: bytes, told: pdu.Pdu, wire: Wire) -> Iterator[Field]:
    at = 0
    if wire is Wire.TCP:
        yield Field("transaction", 0, 2, str(int.from_bytes(data[:2], "big")))
        yield Field("protocol", 2, 4, "0", "Modbus")
        yield Field("length", 4, 6, str(int.from_bytes(data[4:6], "big")))
        at = 6
    yield Field("unit", at, at + 1, str(data[at]))
    at += 1
    end = len(data) - (2 if wire is Wire.RTU else 0)
    yield from _pdu(data, told, at, end)
    if wire is Wire.RTU:
        yield Field("CRC", end, len(data), data[end:].hex().upper(), "right")


def _pdu(data: bytes, told: pdu.Pdu, at: int, end: int) -> Iterator[Field]:
    if isinstance(told, pdu.Refusal):
        yield Field("function", at, at + 1, f"{data[at]:#04x}", f"refuses function {told.function}")
        yield Field("exception", at + 1, at + 2, str(told.code), told.meaning)
        return
    if isinstance(told, pdu.AskName):
        yield Field("function", at, end, data[at:end].hex().upper(), "asks who it is")
        return
    if isinstance(told, pdu.Named):
        yield Field("function", at, at + 7, data[at : at + 7].hex().upper(), "says who it is")
        at += 7
        for number, text in told.objects:
            size = 2 + len(text)
            yield Field(f"object {number}", at, at + size, text)
            at += size
        return
    yield Field("function", at, at + 1, str(data[at]), _FUNCTIONS[data[at]])
    if isinstance(told, pdu.Request):
        yield Field("first", at + 1, at + 3, str(told.first))
        yield Field("count", at + 3, at + 5, str(told.count))
        return
    yield Field("bytes", at + 1, at + 2, str(data[at + 1]))
    step = 1 if told.table.is_bits else 2
    for number, start in enumerate(range(at + 2, end, step)):
        part = data[start : start + step]
        if step == 1:
            yield Field(
                f"bits {8 * number} to {8 * number + 7}", start, start + 1, f"{part[0]:08b}"[::-1], "lowest first"
            )
        else:
            yield Field(f"register {number}", start, start + 2, part.hex().upper(), str(int.from_bytes(part, "big")))
