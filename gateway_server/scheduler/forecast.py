"""The night played through beforehand, by the rules by which it will be called: for people who want to see it."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway_server.scheduler.board import Board, Kind, Obstacle
from gateway_server.scheduler.night import LEAST_CALL_S, Candidate, Left, Limits, Modem, Plan, Planned
from gateway_server.scheduler.queue import Queue

_LIMITS = frozenset({Obstacle.OPERATOR_FULL, Obstacle.GROUP_FULL, Obstacle.TOO_SOON})


def planned(
    candidates: Iterable[Candidate],
    modems: Sequence[Modem],
    limits: Limits,
    now_ms: int,
    in_progress: Iterable[Planned] = (),
) -> Plan:
    """Every call takes as long as expected, and succeeds; those ``in_progress`` are counted with and not listed."""
    everybody = list(candidates)
    queue = Queue(one for one in everybody if not one.blocked)
    board = Board(limits, tuple(modem.name for modem in modems))
    # least recently used first, as the pool does it
    free = [(max(modem.free_ms, now_ms), place, modem) for place, modem in enumerate(modems)]
    heapq.heapify(free)
    running: list[tuple[int, str]] = []
    by_name = {modem.name: modem for modem in modems}
    for call in in_progress:
        board.begin(call.candidate, by_name.get(call.modem, Modem(call.modem)), call.start_ms)
        heapq.heappush(running, (call.end_ms, call.modem))
    calls: list[Planned] = []
    idle = _Idle(limits)
    while len(queue) and free:
        at_ms, place, modem = heapq.heappop(free)
        while running and running[0][0] <= at_ms:
            board.end(heapq.heappop(running)[1])
        chosen = queue.take(board, modem, at_ms)
        if chosen is None:
            changes = [queue.next_change(board, [modem], at_ms), *(end for end, _ in running[:1])]
            after = min((at for at in changes if at is not None and at > at_ms), default=None)
            if after is not None:
                idle.note(queue, board, modem, at_ms, after)
                heapq.heappush(free, (after, place, modem))
            continue
        length_s = min(chosen.expected_s, board.budget(chosen, modem, at_ms))
        end_ms = at_ms + int(length_s * 1000)
        board.begin(chosen, modem, at_ms)
        idle.spend(modem, length_s)
        heapq.heappush(running, (end_ms, modem.name))
        heapq.heappush(free, (end_ms, place, replace(modem, used_s=modem.used_s + length_s)))
        calls.append(Planned(chosen, modem.name, at_ms, end_ms))
    left = [Left(one, one.blocked) for one in everybody if one.blocked]
    modems = idle.by_now(modems)
    left += [Left(one, _why(one, modems, limits, now_ms) or _lost(one, calls, idle, modems)) for one in queue]
    return Plan(tuple(calls), tuple(left))


class _Idle:
    """What modems spent: on calls, and on waiting because of a limit, though somebody was to be called."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waited: dict[Kind, Counter[str]] = {}
        self._used: Counter[str] = Counter()

    def note(self, queue: Queue, board: Board, modem: Modem, at_ms: int, until_ms: int) -> None:
        """This modem calls nobody before ``until_ms``."""
        for kind in queue.kinds(at_ms):
            obstacle = board.obstacle(kind, modem, at_ms)
            if obstacle in _LIMITS:
                said = obstacle.said(kind, modem, self._limits)
                self._waited.setdefault(kind, Counter())[said] += until_ms - at_ms

    def spend(self, modem: Modem, seconds: float) -> None:
        """The modem makes a call."""
        self._used[modem.name] += int(seconds)

    def by_now(self, modems: Sequence[Modem]) -> Sequence[Modem]:
        """The modems behind all calls."""
        return [replace(one, used_s=one.used_s + self._used[one.name]) for one in modems]

    def why(self, one: Candidate) -> str:
        """The limit that kept modems waiting for as long as this call takes; empty if none did."""
        said, waited_ms = next(iter(self._waited.get(Kind.of(one), Counter()).most_common(1)), ("", 0))
        return said if waited_ms >= one.expected_s * 1000 else ""


def _why(candidate: Candidate, modems: Sequence[Modem], limits: Limits, now_ms: int) -> str:
    """What keeps a job from being called, whatever the others do; empty if nothing does."""
    if not modems:
        return "no modem is in service"
    if limits.meter_day_s and limits.meter_day_s - candidate.used_s < LEAST_CALL_S:
        return f"its air time of 24 hours is used up ({candidate.used_s:.0f} of {limits.meter_day_s:.0f} s)"
    if candidate.modem and all(modem.name != candidate.modem for modem in modems):
        return f"its route names modem {candidate.modem}, which is not in service"
    if candidate.operator and all(modem.operator != candidate.operator for modem in modems):
        return f"no modem in service has a SIM card of {candidate.operator}"
    if candidate.opens_at(now_ms) is None:
        if candidate.accepts and candidate.until_ms > now_ms:
            return "it answers no calls within the window of its schedule"
        return "its window is over"
    if limits.modem_day_s and all(limits.modem_day_s - modem.used_s < LEAST_CALL_S for modem in modems):
        return f"the modems' air time of 24 hours is used up (per_modem_and_day = {limits.modem_day_s:g})"
    return ""


def _lost(one: Candidate, calls: Iterable[Planned], idle: _Idle, modems: Sequence[Modem]) -> str:
    """Why its turn did not come."""
    if said := idle.why(one):
        return said
    if any(call.candidate.serial == one.serial for call in calls):
        return "another call with this meter takes the time until its window ends"
    if one.modem:
        who = f"modem {one.modem}, which its route names, is"
    elif one.operator and any(modem.operator != one.operator for modem in modems):
        who = f"all modems with a SIM card of {one.operator} are"
    else:
        who = "all modems are"
    return f"{who} busy until its window ends"
