"""Who waits for a modem, sorted by what the limits look at."""

from __future__ import annotations

import random
from dataclasses import replace

from gateway_server.scheduler.board import Board
from gateway_server.scheduler.night import Candidate, Limits, Modem, ranked
from gateway_server.scheduler.queue import Queue

M1, M2 = Modem("m1", "MTS"), Modem("m2", "Beeline")


def test_next_change_is_when_the_first_meter_may_be_called() -> None:
    board = Board(Limits(spread_s=5), ("m1", "m2"))
    waiting = Queue(
        [
            Candidate(1, "a", 60, from_ms=9000),
            Candidate(2, "b", 60, from_ms=7000),
            Candidate(3, "c", 60, blocked="x"),
        ]
    )
    assert waiting.next_change(board, [M1], 0) == 7000
    assert Queue().next_change(board, [M1], 0) is None
    north = Candidate(4, "d", 60, group="n")
    board.begin(north, M2, 1000)
    assert Queue([replace(north, job=5, serial="e")]).next_change(board, [M1], 2000) == 6000
    board.end("m2")
    assert Queue([Candidate(6, "f", 60)]).next_change(board, [M1], 2000) is None


def test_modem_takes_the_first_in_rank_that_it_may_call_whatever_its_kind() -> None:
    queue = Queue(
        [
            Candidate(1, "other sim", 500, operator="Beeline"),
            Candidate(2, "avoids it", 400, avoid="m1"),
            Candidate(3, "in a call", 300),
            Candidate(4, "later", 250, from_ms=1000),
            Candidate(5, "this one", 200, group="n"),
            Candidate(6, "shorter", 100),
        ]
    )
    board = Board(Limits(), ("m1", "m2"))
    board.begin(Candidate(9, "in a call", 60), M2, 0)
    assert [one.serial for one in queue][:3] == ["other sim", "avoids it", "in a call"]
    taken = [queue.take(board, M1, at_ms) for at_ms in (0, 1000, 1000, 1000)]
    assert [one and one.serial for one in taken] == ["this one", "later", "shorter", None]
    assert len(queue) == 3


def test_meter_whose_time_is_over_stands_aside_until_it_answers_again() -> None:
    one = Candidate(1, "a", 60, accepts=((0, 31_000), (50_000, 90_000)))
    queue, board = Queue([one]), Board(Limits(spread_s=0))
    assert queue.next_change(board, [M1], 2000) == 50_000
    assert queue.take(board, M1, 2000) is None
    assert queue.take(board, M1, 50_000) is one
    queue.add(one)
    assert queue.take(board, M1, 61_000) is None
    assert [left.serial for left in queue] == ["a"]


def test_job_waits_once() -> None:
    queue = Queue([Candidate(1, "a", 60)])
    queue.add(Candidate(1, "a", 90))
    assert len(queue) == 1


def test_queue_gives_what_looking_at_everybody_in_the_order_of_rank_would_give() -> None:
    dice = random.Random(11)
    for _ in range(30):
        everybody = [
            Candidate(
                number,
                f"{number % 17}",
                dice.choice((40, 90, 200)),
                from_ms=dice.choice((0, 0, 3000, 8000)),
                until_ms=dice.choice((4000, 20_000, 40_000)),
                group=dice.choice("abc"),
                operator=dice.choice(("", "", "MTS")),
                avoid=dice.choice(("", "m1")),
                accepts=dice.choice(((), ((2000, 36_000), (9000, 60_000)))),
                blocked=dice.choice(("", "", "", "x")),
            )
            for number in range(40)
        ]
        limits = Limits(group_at_once=2, operator_at_once=3, spread_s=1)
        board, queue, rest = Board(limits, ("m1", "m2")), Queue(everybody), ranked(everybody)
        busy: set[str] = set()
        for at_ms in range(0, 40_000, 500):
            modem = replace(dice.choice((M1, M2)), name=f"m{dice.randint(1, 5)}")
            if dice.random() < 0.5:
                board.end(modem.name)
                busy.discard(modem.name)
            if modem.name in busy:
                continue
            wanted = next((one for one in rest if board.fits(one, modem, at_ms)), None)
            assert queue.take(board, modem, at_ms) is wanted
            if wanted is not None:
                rest.remove(wanted)
                busy.add(modem.name)
                board.begin(wanted, modem, at_ms)
        assert list(queue) == rest
