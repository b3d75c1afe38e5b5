"""Decoding: LIS-200 archive rows, typed and checked, beside PyPI's parser on the very same telegrams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from operator import xor
from time import perf_counter

from iec62056_21.messages import AnswerDataMessage

from benchmarks.figures import Figure
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.registry import load_codecs

ROWS_A_BLOCK = 10
BLOCKS = 200
ASK = b"\x01R3\x023:V.0(3;2024-01-01,00:00:00;;10)\x03"
LIS200 = load_codecs().get("lis200")
_FIRST = datetime(2024, 1, 1)


def checked(telegram: bytes) -> bytes:
    """A telegram with its block check behind it."""
    return telegram + bytes([reduce(xor, telegram[1:])])


def row(number: int) -> bytes:
    """An hourly row of an EK270, in the shape of the captured one (18 cells)."""
    at = _FIRST + timedelta(hours=number)
    return (
        f"({18484 + number})({640 + number})({at:%Y-%m-%d,%H:%M:%S})({882066 + number}.6309)({884266 + number}.5191)"
        f"({67859 + number})({68044 + number})(12.9437)(10.16)(0.97417)(13.57199)(7)(14)(0)(0)(0)(0x8104)(CRC Ok)\r\n"
    ).encode("ascii")


def blocks() -> list[bytes]:
    """Partial blocks as they follow each other in one session."""
    numbers = range(0, BLOCKS * ROWS_A_BLOCK, ROWS_A_BLOCK)
    return [checked(b"\x02" + b"".join(map(row, range(at, at + ROWS_A_BLOCK))) + b"\x04") for at in numbers]


def ours(telegrams: list[bytes]) -> int:
    """Framed, checked, typed: names, units, exact decimals, times, order numbers, status, doubts, byte spans."""
    framer, interpreter = LIS200.framer(), LIS200.interpreter()  # type: ignore[attr-defined]  # LIS-200 interprets
    interpreter.sent(checked(ASK))
    rows = 0
    for telegram in telegrams:
        framer.feed(telegram)
        while (frame := framer.next_frame()) is not None:
            for found in interpreter.received(frame):
                if isinstance(found, Findings):
                    rows += len(found.rows)
        interpreter.sent(b"\x06")
    return rows


def theirs(telegrams: list[bytes]) -> int:
    """PyPI's iec62056-21: the block check, and cells as text."""
    return sum(len(AnswerDataMessage.from_bytes(telegram).data_block.data_lines) for telegram in telegrams)


def rate(work: Callable[[list[bytes]], int], telegrams: list[bytes], seconds: float) -> float:
    """Rows a second."""
    began, rows = perf_counter(), 0
    while (took := perf_counter() - began) < seconds:
        rows += work(telegrams)
    return rows / took


def measure(*, runs: int, seconds: float) -> list[Figure]:
    """Both in turn."""
    telegrams = blocks()
    for work in (ours, theirs):
        if (rows := work(telegrams)) != BLOCKS * ROWS_A_BLOCK:
            raise RuntimeError(f"{work.__name__}: {rows} rows instead of {BLOCKS * ROWS_A_BLOCK}")
    found: list[tuple[float, float]] = []
    for _ in range(runs):
        found.append((rate(ours, telegrams, seconds), rate(theirs, telegrams, seconds)))
    mine, others = zip(*found, strict=True)
    return [Figure("LIS-200 rows, typed", "rows/s", mine, "iec62056-21 0.0.2, as text", others, wanted=3)]
