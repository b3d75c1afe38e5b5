"""A meter profile beside code written by hand, and beside Construct: the same frames, the same typed rows."""

from __future__ import annotations

import struct
from binascii import crc_hqx
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import construct

from benchmarks import frames
from benchmarks.figures import Figure
from benchmarks.plugins import push64
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.model import INTERVAL, Column, Row, Span

FRAMES = 200
ROWS = 20
_EPOCH = datetime(1970, 1, 1)
_REGISTRY = load_codecs([Path(__file__).parent / "plugins"])


def _profile(name: str) -> ProfileCodec:
    codec = _REGISTRY.get(name)
    assert isinstance(codec, ProfileCodec)
    return codec


def by_profile(name: str) -> Callable[[list[bytes]], int]:
    """Frames cut, checked and read by a profile, as the rows that a session stores."""
    codec = _profile(name)
    machine = codec.machine

    def work(chunks: list[bytes]) -> int:
        framer, rows = codec.framer(), 0
        for chunk in chunks:
            framer.feed(chunk)
            while (frame := framer.next_frame()) is not None:
                said = machine.compiled.read(frame)
                found = machine.meanings[said.name].told(said.values, Span(frame.start, frame.end))
                rows += len(found.rows) if isinstance(found, Findings) else 1
        return rows

    return work


# the frame of text


def text_by_hand(chunks: list[bytes]) -> int:
    """The decoder of `benchmarks.plugins.push64`."""
    framer, rows = push64.codec.framer(), 0
    for chunk in chunks:
        framer.feed(chunk)
        while (frame := framer.next_frame()) is not None:
            push64.read(frame)
            rows += 1
    return rows


_COLUMN = construct.NullTerminated(construct.GreedyBytes, term=b",")
_TEXT = construct.Struct(
    "start" / construct.Const(b"$"),
    "cells" / _COLUMN[7],
    "status" / construct.Bytes(2),
    "star" / construct.Const(b"*"),
    "check" / construct.Bytes(4),
    "end" / construct.Const(b"\n"),
)


def text_by_construct(chunks: list[bytes]) -> int:
    """Construct takes the frame apart; the check and the types are ours."""
    rows = 0
    for chunk in chunks:
        found = _TEXT.parse(chunk)
        if int(found.check, 16) != crc_hqx(chunk[:-6], 0xFFFF):
            raise RuntimeError("the check does not match")
        _, time, number, *values = [cell.decode("ascii") for cell in found.cells]
        Row(
            push64.COLUMNS,
            tuple(map(Decimal, values)),
            INTERVAL,
            _EPOCH + timedelta(seconds=int(time)),
            int(number),
            found.status.decode("ascii"),
        )
        rows += 1
    return rows


# the binary frame


def blocks() -> list[bytes]:
    """Frames of the reference push protocol, twenty hours each."""
    encode = _profile("reference-push").machine.compiled.encode
    return [
        encode("hourly", {"hours": [_hour(number) for number in range(at, at + ROWS)]})
        for at in range(0, FRAMES * ROWS, ROWS)
    ]


def _hour(number: int) -> dict[str, object]:
    return {
        "number": number,
        "time": datetime(2024, 1, 1) + timedelta(hours=number),
        "base_volume": Decimal(number) + 1000,
        "actual_volume": Decimal(number) + 900,
        "pressure": Decimal("4.25"),
        "temperature": Decimal("-3.25"),
        "state": number % 3,
    }


_HEAD = struct.Struct(">HHBB")
_ROW = struct.Struct(">II5s5sHhB")
_COLUMNS = (
    Column("base_volume_total", "m3"),
    Column("actual_volume_total", "m3"),
    Column("pressure", "bar"),
    Column("temperature", "°C"),
)
_STATES = ["", "battery_low", "case_open", "battery_low case_open"]
_TABLE = []
for _byte in range(256):
    _crc = _byte
    for _ in range(8):
        _crc = _crc >> 1 ^ 0xA001 if _crc & 1 else _crc >> 1
    _TABLE.append(_crc)


def _modbus(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc


class _BlockFramer:
    """What somebody would write by hand for these frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_frame(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 6:
            return None
        start, length, _, _ = _HEAD.unpack_from(buffer)
        if start != 0xAA55:
            raise RuntimeError("noise")
        size = length + 7
        if len(buffer) < size:
            return None
        self._buffer = buffer[size:]
        return buffer[:size]


def blocks_by_hand(chunks: list[bytes]) -> int:
    """Framed, checked, typed by hand."""
    framer, rows = _BlockFramer(), 0
    for chunk in chunks:
        framer.feed(chunk)
        while (data := framer.next_frame()) is not None:
            if int.from_bytes(data[-2:], "little") != _modbus(data[2:-2]):
                raise RuntimeError("the check does not match")
            span = Span(0, len(data))
            for number, time, base, actual, pressure, temperature, state in _ROW.iter_unpack(data[6:-2]):
                Row(
                    _COLUMNS,
                    (
                        Decimal(int.from_bytes(base, "big")).scaleb(-3),
                        Decimal(int.from_bytes(actual, "big")).scaleb(-3),
                        Decimal(pressure).scaleb(-3),
                        Decimal(temperature).scaleb(-2),
                    ),
                    INTERVAL,
                    _EPOCH + timedelta(seconds=time),
                    number,
                    _STATES[state],
                    span=span,
                )
                rows += 1
    return rows


_BLOCK = construct.Struct(
    "start" / construct.Const(b"\xaa\x55"),
    "length" / construct.Int16ub,
    "type" / construct.Int8ub,
    "count" / construct.Int8ub,
    "rows"
    / construct.Struct(
        "number" / construct.Int32ub,
        "time" / construct.Int32ub,
        "base" / construct.BytesInteger(5),
        "actual" / construct.BytesInteger(5),
        "pressure" / construct.Int16ub,
        "temperature" / construct.Int16sb,
        "state" / construct.Int8ub,
    )[construct.this.count],
    "check" / construct.Int16ul,
)


def blocks_by_construct(chunks: list[bytes]) -> int:
    """Construct takes the frame apart; the check and the types are ours."""
    rows = 0
    for chunk in chunks:
        found = _BLOCK.parse(chunk)
        if found.check != _modbus(chunk[2:-2]):
            raise RuntimeError("the check does not match")
        for one in found.rows:
            Row(
                _COLUMNS,
                (
                    Decimal(one.base).scaleb(-3),
                    Decimal(one.actual).scaleb(-3),
                    Decimal(one.pressure).scaleb(-3),
                    Decimal(one.temperature).scaleb(-2),
                ),
                INTERVAL,
                _EPOCH + timedelta(seconds=one.time),
                one.number,
                _STATES[one.state],
            )
            rows += 1
    return rows


def rate(work: Callable[[list[bytes]], int], chunks: list[bytes], seconds: float) -> float:
    """Rows a second."""
    began, rows = perf_counter(), 0
    while (took := perf_counter() - began) < seconds:
        rows += work(chunks)
    return rows / took


def measure(*, runs: int, seconds: float) -> list[Figure]:
    """All in turn; a profile is wanted within a factor of three of code written by hand."""
    text = [frames.frame(42, number) for number in range(1, FRAMES + 1)]
    binary = blocks()
    contenders: dict[str, tuple[Callable[[list[bytes]], int], list[bytes], int]] = {
        "text, profile": (by_profile("push64-profile"), text, FRAMES),
        "text, hand": (text_by_hand, text, FRAMES),
        "text, construct": (text_by_construct, text, FRAMES),
        "binary, profile": (by_profile("reference-push"), binary, FRAMES * ROWS),
        "binary, hand": (blocks_by_hand, binary, FRAMES * ROWS),
        "binary, construct": (blocks_by_construct, binary, FRAMES * ROWS),
    }
    for name, (work, chunks, wanted) in contenders.items():
        if (rows := work(chunks)) != wanted:
            raise RuntimeError(f"{name}: {rows} rows instead of {wanted}")
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, (work, chunks, _) in contenders.items():
            found[name].append(rate(work, chunks, seconds))
    return [
        _figure(found, "profile: 64 bytes of text", "text", "hand", "by hand", 1 / 3),
        _figure(found, "profile: 64 bytes of text", "text", "construct", "Construct 2.10", 1),
        _figure(found, "profile: 20 binary rows", "binary", "hand", "by hand", 1 / 3),
        _figure(found, "profile: 20 binary rows", "binary", "construct", "Construct 2.10", 1),
    ]


def _figure(found: dict[str, list[float]], name: str, kind: str, other: str, label: str, wanted: float) -> Figure:
    mine, others = tuple(found[f"{kind}, profile"]), tuple(found[f"{kind}, {other}"])
    return Figure(name, "rows/s", mine, label, others, wanted=wanted)
