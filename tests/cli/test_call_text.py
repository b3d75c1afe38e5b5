"""How one call is shown, and what it cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from gateway_server.cli.call_text import SeenCall, airtime_text, cost_of
from gateway_server.model import CallResult
from gateway_server.store.records import JobRecord, JobState
from tests.cli.desk import NOW_MS
from tests.cli.test_call import BUSY, CALL


def test_cost_is_reckoned_by_started_minute_and_a_call_taken_costs_nothing() -> None:
    price = Decimal("1.80")
    assert cost_of(CALL, price) == Decimal("3.60")
    assert cost_of(BUSY, price) == Decimal("0.00")
    assert cost_of(replace(CALL, airtime_ms=60_000, ended_ms=NOW_MS - 20_000), price) == Decimal("1.80")
    assert cost_of(replace(CALL, airtime_ms=50_000), price) == Decimal("3.60"), "it hangs up for 20 s"
    assert cost_of(replace(CALL, inbound=True), price) is None
    assert cost_of(replace(CALL, ended_ms=None, result=None), price) is None
    assert cost_of(CALL, None) is None
    assert airtime_text(BUSY.airtime_ms) == "0.000"


def test_call_without_a_total_says_what_it_does() -> None:
    job = JobRecord(1, "41203377", "{}", "", JobState.RUNNING, NOW_MS, progress="dialling")
    assert SeenCall(CALL, job).progress == "dialling"
    assert SeenCall(CALL, replace(job, progress_done=3, progress_total=24)).progress == "dialling (3 of 24)"
    assert SeenCall(replace(CALL, result=CallResult.OK)).progress == ""
