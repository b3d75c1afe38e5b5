"""The night played through: who is called when, by which modem, and who cannot be called and why."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from time import process_time

import pytest

from gateway_server.scheduler.forecast import planned
from gateway_server.scheduler.night import Candidate, Limits, Modem, Plan

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


def test_meter_waits_for_its_time_and_the_modem_calls_others_meanwhile() -> None:
    calls = [Candidate(9, "later", 300, from_ms=2 * MINUTE), *meters(2)]
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
    assert set(why(spent).values()) == {"the modems' air time of 24 hours is used up (per_modem_and_day = 3600)"}


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


def test_meter_with_two_jobs_is_never_called_by_two_modems_at_once() -> None:
    twice = [replace(one, serial="7") for one in meters(2)]
    plan = planned(twice, EIGHT, NO_LIMITS, 0)
    first, second = plan.calls
    assert first.end_ms <= second.start_ms < first.end_ms + 1000


def test_sim_card_of_the_wanted_operator_calls() -> None:
    modems = [Modem("m1", "MTS"), Modem("m2", "Beeline")]
    assert {call.modem for call in planned(meters(4, operator="Beeline"), modems, NO_LIMITS, 0).calls} == {"m2"}


def test_limit_that_let_modems_idle_is_named_with_its_value() -> None:
    three = EIGHT[:3]
    crowd = meters(40, 60, group="north", until_ms=20 * MINUTE)
    by_group = planned(crowd, three, Limits(group_at_once=1), 0)
    assert len(by_group.calls) == 20
    assert set(why(by_group).values()) == {"no more calls at once in group north (at_once_per_group = 1)"}
    mts = [replace(one, operator="MTS") for one in three]
    by_operator = planned([*crowd, replace(crowd[0], job=41, serial="41")], mts, Limits(operator_at_once=2), 0)
    assert set(why(by_operator).values()) == {"no more calls at once over SIM cards of MTS (at_once_per_operator = 2)"}
    spread = planned(crowd, three, Limits(spread_s=60), 0)
    assert set(why(spread).values()) == {"calls of one operator or in one group keep their distance (spread = 60)"}
    assert set(why(planned(crowd[:40], three[:1], Limits(spread_s=2), 0)).values()) == {
        "all modems are busy until its window ends"
    }


def test_modem_or_sim_card_that_everybody_waits_for_is_named() -> None:
    modems = [Modem("m1", "MTS"), Modem("m2", "Beeline")]
    named = planned(meters(3, 1000, modem="m2", until_ms=30 * MINUTE), modems, NO_LIMITS, 0)
    assert why(named) == {"3": "modem m2, which its route names, is busy until its window ends"}
    by_sim = planned(meters(3, 1000, operator="MTS", until_ms=30 * MINUTE), modems, NO_LIMITS, 0)
    assert why(by_sim) == {"3": "all modems with a SIM card of MTS are busy until its window ends"}
    twice = planned([replace(one, serial="7") for one in meters(2, 1800, until_ms=30 * MINUTE)], EIGHT, NO_LIMITS, 0)
    assert why(twice) == {"7": "another call with this meter takes the time until its window ends"}


def test_great_night_with_every_limit_is_seen_beforehand_at_once() -> None:
    """3000 meters took 108 s when every modem looked at everybody again and again."""
    dice = random.Random(7)
    calls = [
        Candidate(
            number,
            str(number),
            dice.uniform(35, 300),
            until_ms=6 * HOUR,
            group=f"g{number % 40}",
            accepts=((number % 5 * HOUR, number % 5 * HOUR + 2 * HOUR),),
        )
        for number in range(3000)
    ]
    modems = [replace(one, operator="MTS" if place % 2 else "Beeline") for place, one in enumerate(EIGHT)]
    began = process_time()
    plan = planned(calls, modems, Limits(operator_at_once=3, group_at_once=1, spread_s=2), 0)
    assert process_time() - began < 10
    assert len(plan.calls) + len(plan.left) == 3000
