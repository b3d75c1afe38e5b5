"""Meters in lists: with how whole they are."""

from __future__ import annotations

from gateway_server.model import MeterState
from gateway_server.store.records import MeterRecord
from tests.cli.desk import NOW_MS, Desk
from tests.cli.test_meter_completeness import TOP, with_holes


def test_list_says_how_whole_each_meter_in_care_is(desk: Desk) -> None:
    with_holes(desk)
    with desk.store() as store:
        store.put_meter(MeterRecord("8", routes=("tcp:10.0.0.8:4001",)))
        store.put_meter(MeterRecord("9", state=MeterState.DISABLED))
    lines = {line.split()[0]: line for line in desk.run("meter", "list").out.splitlines()}
    assert "complete" in lines["serial"]
    assert " 97.00 %" in lines["7"]
    assert " 0.00 %" in lines["8"]
    assert "%" not in lines["9"]


def test_document_has_it_for_those_who_ask(desk: Desk) -> None:
    with_holes(desk)
    (plain,) = [one for one in desk.run("meter", "list", "--json").json if one["serial"] == "7"]
    assert "completeness" not in plain
    (full,) = [one for one in desk.run("meter", "list", "--completeness", "--json").json if one["serial"] == "7"]
    (part,) = full.pop("completeness")
    assert full == plain
    assert (part["archive"], part["percent"], part["missing"]) == ("interval", "97.00", 1)
    assert part["oldest_missing_age_s"] == (NOW_MS - TOP) // 1000 + 30 * 3600
