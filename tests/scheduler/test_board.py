"""The calls that are being made, and what the limits say of the next one."""

from __future__ import annotations

from gateway_server.scheduler.board import Board, Kind, Obstacle
from gateway_server.scheduler.night import Candidate, Limits, Modem

M1, M2 = Modem("m1", "MTS"), Modem("m2", "Beeline")
NORTH = Candidate(1, "1", 60, group="north")
SOUTH = Candidate(2, "2", 60, group="south")


def test_call_that_did_not_begin_keeps_nobody_at_a_distance() -> None:
    board = Board(Limits(spread_s=5, group_at_once=1), ("m1", "m2"))
    again = Candidate(3, "3", 60, group="north")
    board.begin(NORTH, M1, 1000)
    board.end("m1")
    board.begin(again, M1, 9000)
    assert not board.fits(NORTH, M2, 9000)
    board.undo("m1")
    assert board.fits(NORTH, M2, 9000)
    board.begin(again, M1, 3000)
    board.undo("m1")
    assert not board.fits(NORTH, M2, 3000)
    assert board.next_change([Kind.of(NORTH)], [M2], 3000) == 6000


def test_meter_in_a_call_can_have_no_second_one() -> None:
    board = Board(Limits())
    board.begin(NORTH, M1, 0)
    assert board.calls("1")
    assert not board.fits(Candidate(9, "1", 60), M2, 60_000)
    assert board.fits(SOUTH, M2, 60_000)
    board.end("m1")
    assert not board.calls("1")


def test_obstacle_is_said_with_the_limits_name_and_value() -> None:
    limits = Limits(operator_at_once=1, group_at_once=1, spread_s=4, modem_day_s=3600)
    board = Board(limits, ("m1", "m2"))

    def said(one: Candidate, modem: Modem, at_ms: int) -> str:
        obstacle = board.obstacle(Kind.of(one), modem, at_ms)
        return "" if obstacle is None else obstacle.said(Kind.of(one), modem, limits)

    board.begin(NORTH, M1, 0)
    assert said(SOUTH, M1, 1000) == "no more calls at once over SIM cards of MTS (at_once_per_operator = 1)"
    assert said(NORTH, M2, 1000) == "no more calls at once in group north (at_once_per_group = 1)"
    assert said(SOUTH, M2, 1000) == ""
    assert said(Candidate(3, "3", 60, operator="MTS"), M2, 0) == "no modem in service has a SIM card of MTS"
    assert said(SOUTH, Modem("m3", used_s=3580), 0).endswith("is used up (per_modem_and_day = 3600)")
    board.end("m1")
    assert said(SOUTH, M1, 1000) == "calls of one operator or in one group keep their distance (spread = 4)"
    assert said(SOUTH, M1, 4000) == ""


def test_modem_that_just_failed_with_a_meter_is_avoided_unless_the_route_names_it() -> None:
    board = Board(Limits(), ("m1", "m2"))
    assert board.obstacle(Kind("", "", "", "m1"), M1, 0) is Obstacle.OTHER_MODEM
    assert board.obstacle(Kind("", "", "m1", "m1"), M1, 0) is None
    assert Board(Limits(), ("m1",)).obstacle(Kind("", "", "", "m1"), M1, 0) is None


def test_call_may_last_as_long_as_the_shortest_limit_leaves() -> None:
    board = Board(Limits(call_s=1800, meter_day_s=3600, modem_day_s=7200))
    assert board.budget(NORTH, M1, 0) == 1800
    assert board.budget(Candidate(1, "1", 60, used_s=3000), M1, 0) == 600
    assert board.budget(NORTH, Modem("m1", used_s=7000), 0) == 200
    assert board.budget(Candidate(1, "1", 60, accepts=((0, 90_000),)), M1, 50_000) == 40
