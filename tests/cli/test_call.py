"""``call list``: what was called, and what it cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from gateway_server.cli.call import airtime_text, cost_of
from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord
from tests.cli.desk import NOW_MS, Desk

FIELDS = "id, meter, modem, number, started, connected, ended, result, bytes, airtime_s, attempt"
CALL = CallRecord(
    0,
    "41203377",
    "m1",
    "+79161234567",
    NOW_MS - 100_000,
    NOW_MS - 80_000,
    NOW_MS - 10_000,
    CallResult.OK,
    bytes=3500,
    airtime_ms=60_001,
    signal=18,
)
BUSY = replace(
    CALL, connected_ms=None, result=CallResult.BUSY, airtime_ms=0, bytes=0, cause="17", detail="the number is busy"
)


def put(desk: Desk, *calls: CallRecord) -> None:
    with desk.store() as store:
        for call in calls:
            store.close_call(replace(call, id=store.open_call(call)))


def test_calls_have_the_contracts_fields_first(desk: Desk) -> None:
    put(desk, CALL)
    (call,) = desk.run("call", "list", "--json").json
    assert ", ".join(list(call)[:11]) == FIELDS
    assert call["airtime_s"] == "60.001"
    assert call["number"] == "+79161234567"
    assert call["started"].endswith("Z")
    assert (call["result"], call["cost"], call["session"]) == ("ok", None, None)


def test_calls_are_filtered(desk: Desk) -> None:
    put(desk, CALL, BUSY, replace(CALL, meter="2", ended_ms=None, result=None))
    assert [call["result"] for call in desk.run("call", "list", "--json", "--outcome", "busy").json] == ["busy"]
    assert [call["id"] for call in desk.run("call", "list", "--json", "--state", "open").json] == [3]
    assert [call["id"] for call in desk.run("call", "list", "--json", "--meter", "2").json] == [3]
    assert [call["id"] for call in desk.run("call", "list", "--json", "--limit", "1").json] == [3]
    assert desk.run("call", "list", "--json", "--from", "now").json == []


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


def test_terminal_shows_result_cause_and_cost(desk: Desk) -> None:
    with (desk.folder / "gateway.toml").open("a") as file:
        file.write('[calls]\nprice_per_minute = "1.80"\ncurrency = "RUB"\n')
    put(desk, BUSY, CALL)
    said = desk.run("call", "list").out
    assert "3.60 RUB" in said
    assert "the number is busy (cause 17)" in said
    assert "1 min 0 s" in said


def test_help_lists_what_planners_ask(desk: Desk) -> None:
    out = desk.run("call", "--help").out
    assert "plan" in out
    assert "resume" in out
