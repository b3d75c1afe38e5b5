"""The night as a plan: who is called when, by which modem, and who cannot be called and why."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway_server.scheduler.night import Board, Candidate, Limits, Modem, Plan, planned, ranked

EIGHT = [Modem(f"m{number}") for number in range(1, 9)]
ONE = EIGHT[:1]
NO_LIMITS = Limits()
MINUTE = 60_000
HOUR = 60 * MINUTE


def meters(count: int, seconds: float = 60, **said: object) -> list[Candidate]:
    return [replace(Candidate(number, f"{number}", seconds), **said) for number in range(1, count + 1)]  # type: ignore[arg-type]


def order(plan: Plan) -> list[str]:
    return [call.candidate.serial for call in plan.calls]


def why(plan: Plan) -> dict[str, str]:
    return {one.candidate.serial: one.why for one in plan.left}


def test_thousand_meters_on_eight_modems_end_within_a_hundredth_of_the_bound() -> None:
    dice = random.Random(4)
    calls = [Candidate(number, str(number), dice.uniform(35, 300)) for number in range(1000)]
    plan = planned(calls, EIGHT, NO_LIMITS, 0)
    assert len(plan.calls) == 1000
    assert plan.end_ms / 1000 <= 1.01 * plan.busy_s / 8
    for modem in EIGHT:
        spans = sorted((one.start_ms, one.end_ms) for one in plan.calls if one.modem == modem.name)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_longest_call_goes_first_where_nothing_else_decides() -> None:
    calls = [Candidate(1, "short", 40), Candidate(2, "long", 400), Candidate(3, "middle", 90)]
    assert order(planned(calls, ONE, NO_LIMITS, 0)) == ["long", "middle", "short"]


def test_priority_goes_before_windows_windows_before_failed_calls_and_these_before_length() -> None:
    calls = [
        Candidate(1, "long", 500, until_ms=9 * HOUR),
        Candidate(2, "failed", 40, until_ms=9 * HOUR, tries=2),
        Candidate(3, "closes soon", 40, until_ms=HOUR),
        Candidate(4, "person", 40, priority=1000),
    ]
    assert [one.serial for one in ranked(calls)] == ["person", "closes soon", "failed", "long"]


def test_meter_waits_for_its_time_and_the_modem_calls_others_meanwhile() -> None:
    calls = [Candidate(1, "later", 300, from_ms=2 * MINUTE), *meters(2)]
    plan = planned(calls, ONE, NO_LIMITS, 0)
    assert order(plan) == ["1", "2", "later"]
    assert plan.calls[-1].start_ms == 2 * MINUTE


def test_meter_is_called_only_while_it_answers() -> None:
    (call,) = planned([Candidate(1, "a", 60, accepts=((HOUR, 2 * HOUR),))], ONE, NO_LIMITS, 0).calls
    assert call.start_ms == HOUR
    plan = planned([Candidate(1, "a", 60, until_ms=HOUR, accepts=((2 * HOUR, 3 * HOUR),))], ONE, NO_LIMITS, 0)
    assert why(plan) == {"a": "it answers no calls within the window of its schedule"}


def test_what_does_not_fit_is_told_with_the_reason() -> None:
    calls = [
        Candidate(1, "stopped", 60, blocked="the meter refused"),
        Candidate(2, "used up", 60, used_s=3590),
        Candidate(3, "other sim", 60, operator="MTS"),
        Candidate(4, "named", 60, modem="m9"),
        Candidate(5, "over", 60, until_ms=0),
        *[Candidate(10 + number, f"late{number}", 3000, until_ms=30 * MINUTE) for number in range(2)],
    ]
    plan = planned(calls, ONE, NO_LIMITS, 0)
    assert why(plan) == {
        "stopped": "the meter refused",
        "used up": "its air time of 24 hours is used up (3590 of 3600 s)",
        "other sim": "no modem in service has a SIM card of MTS",
        "named": "its route names modem m9, which is not in service",
        "over": "its window is over",
        "late1": "all modems are busy until its window ends",
    }
    assert why(planned(meters(1), [], NO_LIMITS, 0)) == {"1": "no modem is in service"}


def test_call_lasts_no_longer_than_its_budget() -> None:
    (call,) = planned([Candidate(1, "a", 9999, used_s=3000)], ONE, NO_LIMITS, 0).calls
    assert call.end_ms == 600_000


def test_modem_whose_day_is_used_up_leaves_the_calls_to_the_others() -> None:
    tired, fresh = Modem("tired", used_s=3590), Modem("fresh")
    plan = planned(meters(5), [tired, fresh], Limits(modem_day_s=3600), 0)
    assert {call.modem for call in plan.calls} == {"fresh"}
    spent = planned(meters(5), [tired], Limits(modem_day_s=3600), 0)
    assert set(why(spent).values()) == {"the modems' air time of 24 hours is used up"}


def test_calls_of_one_operator_and_of_one_group_do_not_begin_together() -> None:
    modems = [replace(modem, operator="MTS" if place % 2 else "Beeline") for place, modem in enumerate(EIGHT)]
    plan = planned(meters(40), modems, Limits(spread_s=7), 0)
    operators = {modem.name: modem.operator for modem in modems}
    for operator in ("MTS", "Beeline"):
        starts = sorted(call.start_ms for call in plan.calls if operators[call.modem] == operator)
        assert min(after - before for before, after in pairwise(starts)) >= 7000
    grouped = planned(meters(10, group="north"), EIGHT, Limits(spread_s=20), 0)
    starts = sorted(call.start_ms for call in grouped.calls)
    assert min(after - before for before, after in pairwise(starts)) >= 20_000


@pytest.mark.parametrize(
    ("limits", "said"), [(Limits(group_at_once=2), {"group": "n"}), (Limits(operator_at_once=2), {})]
)
def test_so_many_calls_at_once_and_no_more(limits: Limits, said: dict[str, str]) -> None:
    modems = [replace(modem, operator="MTS") for modem in EIGHT]
    calls = [replace(one, **said) for one in meters(20)]  # type: ignore[arg-type]  # the group, or nothing
    plan = planned(calls, modems, limits, 0)
    assert len(plan.calls) == 20
    for call in plan.calls:
        assert sum(one.start_ms <= call.start_ms < one.end_ms for one in plan.calls) <= 2


def test_modem_that_just_failed_with_a_meter_is_avoided_unless_it_is_the_only_one() -> None:
    failed = meters(1, avoid="m1")
    assert planned(failed, EIGHT[:2], NO_LIMITS, 0).calls[0].modem == "m2"
    assert planned(failed, ONE, NO_LIMITS, 0).calls[0].modem == "m1"
    assert Board(NO_LIMITS, ("m1", "m2")).pick(failed, ONE[0], 0) is None


def test_meter_with_two_jobs_is_never_called_by_two_modems_at_once() -> None:
    twice = [replace(one, serial="7") for one in meters(2)]
    plan = planned(twice, EIGHT, NO_LIMITS, 0)
    first, second = plan.calls
    assert first.end_ms <= second.start_ms < first.end_ms + 1000


def test_call_that_did_not_begin_keeps_nobody_at_a_distance() -> None:
    board = Board(Limits(spread_s=5, group_at_once=1), ("m1", "m2"))
    first, second = meters(2, group="n")
    board.begin(first, ONE[0], 1000)
    board.end("m1")
    board.begin(second, ONE[0], 9000)
    assert not board.fits(first, EIGHT[1], 9000)
    board.undo("m1")
    assert board.fits(first, EIGHT[1], 9000)
    board.begin(second, ONE[0], 3000)
    board.undo("m1")
    assert board.waits_until(first, EIGHT[1], 3000) == 6000


def test_sim_card_of_the_wanted_operator_calls() -> None:
    modems = [Modem("m1", "MTS"), Modem("m2", "Beeline")]
    assert {call.modem for call in planned(meters(4, operator="Beeline"), modems, NO_LIMITS, 0).calls} == {"m2"}


def test_next_change_is_when_the_first_meter_may_be_called() -> None:
    board = Board(Limits(spread_s=5), ("m1", "m2"))
    waiting = [
        Candidate(1, "a", 60, from_ms=9000),
        Candidate(2, "b", 60, from_ms=7000),
        Candidate(3, "c", 60, blocked="x"),
    ]
    assert board.next_change(waiting, ONE, 0) == 7000
    assert board.next_change([], ONE, 0) is None
    board.begin(meters(1, group="n")[0], Modem("m2", "MTS"), 1000)
    assert board.next_change(meters(1, group="n"), ONE, 2000) == 6000
    board.end("m2")
    assert board.next_change(meters(1), ONE, 2000) is None
