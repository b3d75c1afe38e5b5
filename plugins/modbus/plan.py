"""Which requests read a register map: neighbours together, gaps read along where that saves a round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .map import Entry
from .pdu import Request


@dataclass(frozen=True, slots=True)
class Block:
    """One request and the values that its answer holds."""

    request: Request
    entries: tuple[Entry, ...]

    @property
    def has_gaps(self) -> bool:
        """Whether registers are asked for that nobody wants, which a device may refuse."""
        covered: set[int] = set()
        for entry in self.entries:
            covered.update(range(entry.first, entry.behind))
        return len(covered) < self.request.count


def blocks(entries: Sequence[Entry], most: int, join: int) -> list[Block]:
    """The requests, table by table; ``join`` unwanted registers at most are read along between two wanted ones."""
    found: list[Block] = []
    run: list[Entry] = []
    behind = 0
    for entry in sorted(entries, key=lambda one: (one.table.value, one.first, one.count)):
        fits = (
            run
            and entry.table is run[0].table
            and entry.first - behind <= join
            and max(behind, entry.behind) - run[0].first <= (entry.table.most if entry.table.is_bits else most)
        )
        if run and not fits:
            found.append(_block(run))
            run = []
        behind = max(behind, entry.behind) if run else entry.behind
        run.append(entry)
    if run:
        found.append(_block(run))
    return found


def without_gaps(block: Block, most: int) -> list[Block]:
    """The same values in requests that ask for nothing else."""
    return blocks(block.entries, most, 0)


def _block(run: Sequence[Entry]) -> Block:
    first = run[0].first
    return Block(Request(run[0].table, first, max(entry.behind for entry in run) - first), tuple(run))
