"""What the demo shows of calls."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import pytest

from gateway_server.cli.demo_calls import CallNews, CallsShown, calls_told_once
from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord

DIALLED = CallRecord(1, "30500118", "m1", "+79165550101", 1000)
CONNECTED = replace(DIALLED, connected_ms=4400)
OVER = replace(CONNECTED, ended_ms=25_400, result=CallResult.OK, airtime_ms=21_000)


def shown() -> tuple[CallsShown, list[str]]:
    said: list[str] = []
    return CallsShown(lambda serial: f"meter {serial}", said.append), said


def test_call_is_followed_from_its_dial_to_its_end_and_nothing_is_said_twice() -> None:
    calls, said = shown()
    for record in (DIALLED, DIALLED, CONNECTED, CONNECTED, OVER, OVER):
        calls.news(CallNews([record]))
    assert said == [
        "meter 30500118 ☎ m1 dials",
        "meter 30500118 ☎ connected after 3.400 s",
        "meter 30500118 ☎ ok, 21.000 s of air time (call 1)",
    ]
    assert calls.over == {1}
    assert calls.summary() == "1 calls were made by modem, 21 s of air time in all"


def test_meter_is_seen_filling_up_in_steps() -> None:
    calls, said = shown()
    for rows in (0, 9, 12, 15, 22):
        calls.news(CallNews([], Counter({"30500118": rows})))
    assert said == ["meter 30500118 ☎ 12 rows so far", "meter 30500118 ☎ 22 rows so far"]


def test_call_that_fails_says_why_and_that_the_meter_was_never_connected() -> None:
    calls, said = shown()
    assert calls.summary() == ""
    calls.news(CallNews([replace(DIALLED, ended_ms=6000, result=CallResult.BUSY, detail="the number is busy")]))
    assert said[1:] == ["meter 30500118 ☎ busy: the number is busy (call 1)"]


@pytest.mark.parametrize(("verbose", "told"), [(0, []), (1, ["busy", "later"])])
def test_planner_does_not_tell_of_calls_that_are_shown_anyway(
    caplog: pytest.LogCaptureFixture, verbose: int, told: list[str]
) -> None:
    planner = logging.getLogger("gateway_server.scheduler.dialling")
    with calls_told_once(verbose):
        planner.warning("busy")
        if verbose:
            planner.error("later")
    assert [record.message for record in caplog.records] == told
    planner.warning("heard again")
    assert caplog.records[-1].message == "heard again"
