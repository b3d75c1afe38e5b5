"""An archive's rows as the partial blocks in which a meter sends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_server.testing.lis200.archive import FakeArchive
from gateway_server.testing.lis200.frames import ETX, answer
from gateway_server.testing.lis200.quirks import Quirks


@dataclass(frozen=True, slots=True)
class Block:
    """One block as a frame, and which rows (archive, order number) stand in it."""

    frame: bytes
    rows: frozenset[tuple[int, int]]


def cut_into_blocks(
    archive: FakeArchive, rows: Sequence[tuple[str, ...]], size: int, quirks: Quirks
) -> Iterator[Block]:
    """Blocks of ``size`` rows, all but the last ended by EOT; shorter ones where their BCC is to be 03."""
    texts = ["".join(f"({cell})" for cell in row) for row in rows]
    start = 0
    while start < len(rows):
        ends = range(min(start + size, len(rows)), start, -1)
        end = ends[0]
        if quirks.bcc_is_etx:
            end = next((end for end in ends if _frame(texts, start, end, quirks)[-1] == ETX), end)
        held = frozenset((archive.layout.number, int(row[archive.order_column])) for row in rows[start:end])
        yield Block(_frame(texts, start, end, quirks), held)
        start = end


def _frame(texts: Sequence[str], start: int, end: int, quirks: Quirks) -> bytes:
    text = "\r\n".join(texts[start:end]) + ("\r\n" if quirks.crlf_after_last_row else "")
    return answer(text, last=end == len(texts), encoding="cp1251")
