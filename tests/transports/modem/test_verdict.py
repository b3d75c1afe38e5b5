"""What a dial that failed means (dossier A.3)."""

from __future__ import annotations

import pytest

from gateway_server.model import CallResult
from gateway_server.transports.at import Reply, Result
from gateway_server.transports.modem.verdict import cause_of, judge, refusal


@pytest.mark.parametrize(
    ("answer", "text", "cause"),
    [
        ("8,21,0", "21", 21),
        ("17", "17", 17),
        ("8, 57, 0", "57", 57),
        ("", "", None),
        ('"No cause information available"', "No cause information available", None),
        ("Release cause: 27", "Release cause: 27", 27),
    ],
)
def test_cause_is_read_in_every_form(answer: str, text: str, cause: int | None) -> None:
    assert cause_of(answer) == (text, cause)


@pytest.mark.parametrize(
    ("result", "seconds", "ceer", "said", "ours"),
    [
        (Result.BUSY, 15.0, "17", CallResult.BUSY, False),
        (Result.NO_ANSWER, 60.0, "19", CallResult.NO_ANSWER, False),
        (Result.NO_DIALTONE, 0.1, "", CallResult.NO_DIALTONE, True),
        (Result.DELAYED, 0.1, "", CallResult.DELAYED, False),
        (Result.ERROR, 0.1, "", CallResult.MODEM_FAULT, True),
        (Result.OK, 0.1, "", CallResult.MODEM_FAULT, True),
        (Result.NO_CARRIER, 0.5, "8,57,0", CallResult.BARRED, True),
        (Result.NO_CARRIER, 0.5, "8,8,0", CallResult.BARRED, True),
        (Result.NO_CARRIER, 0.5, "", CallResult.BARRED, True),
        (Result.NO_CARRIER, 5.0, "1", CallResult.WRONG_NUMBER, False),
        (Result.NO_CARRIER, 5.0, "17", CallResult.BUSY, False),
        (Result.NO_CARRIER, 5.0, "18", CallResult.NO_ANSWER, False),
        (Result.NO_CARRIER, 1.0, "41", CallResult.NO_CARRIER, False),
        (Result.NO_CARRIER, 30.0, "16", CallResult.NO_CARRIER, False),
    ],
)
def test_whose_fault_it_was(result: Result, seconds: float, ceer: str, said: CallResult, *, ours: bool) -> None:
    verdict = judge(Reply(result, result.value), seconds, ceer)
    assert (verdict.result, verdict.ours) == (said, ours)
    assert verdict.detail


@pytest.mark.parametrize(("ceer", "worth"), [("57", True), ("88", True), ("8", False), ("1", False), ("17", False)])
def test_other_bearer_is_worth_a_try_only_where_the_bearer_may_be_wrong(ceer: str, *, worth: bool) -> None:
    assert judge(Reply(Result.NO_CARRIER, "NO CARRIER"), 0.5, ceer).other_bearer is worth


def test_refusal_is_said_in_words() -> None:
    assert "no SIM is in it" in refusal(Reply(Result.CME_ERROR, "+CME ERROR: 10", code=10))
    assert refusal(Reply(Result.CME_ERROR, "+CME ERROR: 999", code=999)) == "+CME ERROR: 999"
    assert refusal(Reply(Result.ERROR, "ERROR")) == "ERROR"
    assert "30" in judge(Reply(Result.CME_ERROR, "+CME ERROR: 30", code=30), 0.1, "").detail
