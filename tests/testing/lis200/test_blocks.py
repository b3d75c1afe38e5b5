"""Rows in partial blocks."""

from __future__ import annotations

from gateway_server.testing.lis200.archive import FakeArchive
from gateway_server.testing.lis200.blocks import Block, cut_into_blocks
from gateway_server.testing.lis200.layouts import CHECK, EVENT, ORDER, FakeLayout
from gateway_server.testing.lis200.quirks import Quirks


def blocks(rows: int, size: int, quirks: Quirks | None = None) -> list[Block]:
    archive = FakeArchive(FakeLayout(4, "events", (*ORDER, EVENT, CHECK), 1000), 1)
    for number in range(rows):
        archive.append(
            number,
            {"time": f"2024-03-01,00:{number // 60:02d}:{number % 60:02d}", "event": f"0x{number * 911 % 65536:04X}"},
        )
    return list(cut_into_blocks(archive, list(archive.rows), size, quirks or Quirks()))


def test_all_blocks_but_the_last_end_with_eot() -> None:
    cut = blocks(25, 10)
    assert [block.frame[-2] for block in cut] == [4, 4, 3]
    assert [block.frame.count(b"\r\n") for block in cut] == [9, 9, 4]
    assert [len(block.rows) for block in cut] == [10, 10, 5]
    assert cut[0].rows == frozenset((4, order) for order in range(1, 11))


def test_full_last_block_is_still_the_last() -> None:
    assert [block.frame[-2] for block in blocks(20, 10)] == [4, 3]


def test_last_row_may_carry_a_line_end() -> None:
    assert blocks(2, 10, Quirks(crlf_after_last_row=True))[0].frame[-4:-1] == b"\r\n\x03"


def test_blocks_are_cut_so_that_their_check_looks_like_etx() -> None:
    plain = blocks(500, 10)
    odd = blocks(500, 10, Quirks(bcc_is_etx=True))
    assert sum(block.frame[-1] == 3 for block in odd) > 2 * sum(block.frame[-1] == 3 for block in plain)
    assert sum(len(block.rows) for block in odd) == 500
