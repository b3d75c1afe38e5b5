"""What follows from how a call went."""

from __future__ import annotations

import random

import pytest

from gateway_server.model import CallResult, Outcome
from gateway_server.scheduler.policy import JITTER, MOST_TRIES, OUTCOMES, RULES, Policy, Then, Verdict


def judged(
    result: CallResult, attempts: int = 0, tries: int = 0, *, progressed: bool = False, same: int = 1
) -> Verdict:
    return Policy(random.Random(1)).judge(result, attempts, tries, 4, progressed=progressed, same=same)


def test_every_result_of_a_call_and_every_outcome_of_a_session_has_its_rule() -> None:
    assert set(RULES) == set(CallResult) - {CallResult.OK}
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize(
    ("result", "counts", "other_modem"),
    [
        (CallResult.BUSY, True, False),
        (CallResult.NO_ANSWER, True, False),
        (CallResult.NO_CARRIER, True, False),
        (CallResult.SILENT, True, False),
        (CallResult.LOST, True, False),
        (CallResult.OVER_BUDGET, True, False),
        (CallResult.NO_DIALTONE, False, True),
        (CallResult.BARRED, False, True),
        (CallResult.MODEM_FAULT, False, True),
        (CallResult.DELAYED, False, False),
        (CallResult.INTERRUPTED, False, False),
    ],
)
def test_only_what_is_the_meters_fault_is_its_attempt_and_another_modem_mends_only_ours(
    result: CallResult, counts: bool, other_modem: bool
) -> None:
    verdict = judged(result)
    assert verdict.then is Then.AGAIN
    assert (verdict.attempts, verdict.tries, verdict.other_modem) == (int(counts), 1, other_modem)


@pytest.mark.parametrize("result", [CallResult.REFUSED, CallResult.WRONG_NUMBER])
def test_what_only_a_person_can_mend_stops_the_meters_plan_and_is_told(result: CallResult) -> None:
    verdict = judged(result)
    assert verdict.then is Then.STOP
    assert verdict.alarm
    assert "it is not called again until" in verdict.why


def test_number_that_the_network_bars_for_two_modems_is_left_alone_for_the_operators_time() -> None:
    verdict = Policy(random.Random(1), rest_s=100).judge(CallResult.BARRED, 0, 1, 4, progressed=False, same=2)
    assert (verdict.then, verdict.rest_s, verdict.alarm) == (Then.STOP, 100, True)
    assert "[dialling] barred_for" in verdict.why
    verdict = Policy(random.Random(1)).judge(CallResult.BARRED, 0, 1, 4, progressed=False, same=2)
    assert (verdict.then, verdict.rest_s) == (Then.FAILED, 0)
    for result in (CallResult.REFUSED, CallResult.WRONG_NUMBER):
        assert Policy(random.Random(1), rest_s=100).judge(result, 0, 0, 4, progressed=False).rest_s == 0


def test_gaps_are_as_many_times_as_long_as_the_operator_wants() -> None:
    usual, longer = (Policy(random.Random(3), gaps=gaps) for gaps in (1.0, 2.5))
    one, other = (policy.judge(CallResult.BUSY, 0, 0, 9, progressed=False).gap_s for policy in (usual, longer))
    assert other == pytest.approx(2.5 * one)


def test_gaps_grow_and_are_moved_by_a_fifth_at_most() -> None:
    policy = Policy(random.Random(3))
    for attempts, wanted in enumerate((60, 180, 600)):
        seen = [policy.judge(CallResult.BUSY, attempts, attempts, 9, progressed=False).gap_s for _ in range(200)]
        assert wanted * (1 - JITTER) <= min(seen) < wanted < max(seen) <= wanted * (1 + JITTER)


def test_same_seed_gives_the_same_gaps() -> None:
    one, other = Policy(random.Random(7)), Policy(random.Random(7))
    for _ in range(5):
        assert one.judge(CallResult.LOST, 0, 0, 4, progressed=False) == other.judge(
            CallResult.LOST, 0, 0, 4, progressed=False
        )


def test_attempts_of_a_night_come_to_an_end() -> None:
    verdict = judged(CallResult.BUSY, attempts=3, tries=3)
    assert verdict.then is Then.FAILED
    assert "4 of 4 attempts" in verdict.why


def test_lost_call_that_brought_rows_was_worth_its_money_and_is_no_attempt() -> None:
    assert judged(CallResult.LOST, attempts=3, progressed=True).then is Then.AGAIN
    assert judged(CallResult.LOST, attempts=3).then is Then.FAILED


def test_nobody_is_called_more_often_than_the_network_allows_whoever_is_to_blame() -> None:
    verdict = judged(CallResult.INTERRUPTED, tries=MOST_TRIES - 1)
    assert verdict.then is Then.FAILED
    assert verdict.alarm


def test_network_that_refuses_two_modems_is_a_matter_of_configuration() -> None:
    assert judged(CallResult.BARRED, same=1).then is Then.AGAIN
    second = judged(CallResult.BARRED, same=2)
    assert (second.then, second.alarm) == (Then.FAILED, True)


def test_call_that_went_well_ends_the_job() -> None:
    assert judged(CallResult.OK, attempts=1, tries=2) == Verdict(Then.DONE, attempts=1, tries=3)


def test_what_the_modem_takes_the_blame_for_is_no_attempt_of_the_meters_and_another_one_tries() -> None:
    verdict = Policy(random.Random(1)).judge(CallResult.NO_CARRIER, 3, 3, 4, progressed=False, ours=True)
    assert (verdict.then, verdict.attempts, verdict.other_modem) == (Then.AGAIN, 3, True)
    for result in (CallResult.REFUSED, CallResult.WRONG_NUMBER):
        assert Policy(random.Random(1)).judge(result, 0, 0, 4, progressed=False, ours=True).then is Then.STOP
