"""Who waits for a modem, so sorted that a modem finds its next call without looking at everybody.

Jobs that the limits cannot tell apart stand behind one another; those whose time is still to come stand aside.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from gateway_server.scheduler.board import Board, Kind
from gateway_server.scheduler.night import Candidate, Modem, ranked

_Row = tuple[tuple[float, ...], Candidate]  # with its rank, which ends with the job's number


class Queue:
    """The jobs that are still to be called. Blocked ones, and those whose window is over, never leave it."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._kinds: dict[Kind, list[_Row]] = {}
        self._later: list[tuple[int, int, Candidate]] = []  # when it may be called, the job
        self._never: list[Candidate] = []
        self._jobs: set[int] = set()
        for one in candidates:
            self.add(one)

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Candidate]:
        """Everybody, in the order in which they are to be called."""
        rows = (one for rows in self._kinds.values() for _, one in rows)
        return iter(ranked([*rows, *(one for _, _, one in self._later), *self._never]))

    def add(self, one: Candidate) -> None:
        """A job waits, if it does not yet."""
        if one.job in self._jobs:
            return
        self._jobs.add(one.job)
        if one.blocked:
            self._never.append(one)
        elif one.from_ms or one.accepts:
            self._put_aside(one, 0)
        else:
            insort(self._kinds.setdefault(Kind.of(one), []), (one.rank, one))

    def kinds(self, at_ms: int) -> Iterable[Kind]:
        """The kinds of jobs whose time it is."""
        self._open(at_ms)
        return self._kinds.keys()

    def take(self, board: Board, modem: Modem, at_ms: int) -> Candidate | None:
        """The job that this modem calls now; it waits no longer."""
        best: _Row | None = None
        for kind in tuple(self.kinds(at_ms)):
            if best is not None and self._kinds[kind][0] > best:
                continue
            if board.obstacle(kind, modem, at_ms) is None:
                found = self._first(kind, board, modem, at_ms)
                best = found if best is None or (found is not None and found < best) else best
        if best is None:
            return None
        self._drop(Kind.of(best[1]), best)
        self._jobs.discard(best[1].job)
        return best[1]

    def next_change(self, board: Board, modems: Iterable[Modem], at_ms: int) -> int | None:
        """When a job may be called that may not be called now, as far as time alone decides it; None if none."""
        apart = board.next_change(self.kinds(at_ms), modems, at_ms)
        times = [at for at in (apart, self._later[0][0] if self._later else None) if at is not None and at > at_ms]
        return min(times, default=None)

    def _first(self, kind: Kind, board: Board, modem: Modem, at_ms: int) -> _Row | None:
        shut = []
        found = None
        for row in self._kinds[kind]:
            if row[1].opens_at(at_ms) != at_ms:
                shut.append(row)
            elif board.suits(row[1], modem, at_ms):
                found = row
                break
        for row in shut:
            self._drop(kind, row)
            self._put_aside(row[1], at_ms)
        return found

    def _open(self, at_ms: int) -> None:
        while self._later and self._later[0][0] <= at_ms:
            one = heapq.heappop(self._later)[2]
            if one.opens_at(at_ms) == at_ms:
                insort(self._kinds.setdefault(Kind.of(one), []), (one.rank, one))
            else:
                self._put_aside(one, at_ms)

    def _put_aside(self, one: Candidate, at_ms: int) -> None:
        opens = one.opens_at(at_ms)
        if opens is None:
            self._never.append(one)
        else:
            heapq.heappush(self._later, (opens, one.job, one))

    def _drop(self, kind: Kind, row: _Row) -> None:
        rows = self._kinds[kind]
        del rows[bisect_left(rows, row)]
        if not rows:
            del self._kinds[kind]
