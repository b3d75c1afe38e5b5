"""Why a meter is silent, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.cli.why import clock, standing
from gateway_server.model import CallResult, MeterState, Outcome
from gateway_server.store.plan_records import PlanStop
from gateway_server.store.records import CallRecord, MeterRecord, SessionRecord, StoredReading

HOUR = 3_600_000
NOW = 1_399_032_000_000
METER = MeterRecord("41203377", routes=("tcp:10.8.0.17:4001",))


def ended(number: int, outcome: Outcome | None, hours_ago: int = 1, detail: str = "") -> SessionRecord:
    at = NOW - hours_ago * HOUR
    return SessionRecord(
        number, "41203377", "tcp", "10.8.0.17:4001", at, None if outcome is None else at, outcome, detail,
        100, 50, 24, "lis200", "1",
    )  # fmt: skip


def test_meter_that_was_just_read_is_well() -> None:
    stands = standing(METER, [ended(9, Outcome.READ)], NOW)
    assert stands.well
    assert "session 9" in stands.evidence
    assert stands.next_step == ""


def test_silent_meter_shows_how_often_since_when_and_what_to_do() -> None:
    sessions = [ended(9, Outcome.SILENT, detail="3 requests"), ended(8, Outcome.SILENT, 3), ended(7, Outcome.READ, 5)]
    stands = standing(METER, sessions, NOW)
    assert not stands.well
    assert stands.verdict.startswith("silent, 2 times in a row")
    assert "3 requests" in stands.evidence
    assert "last good session 7" in stands.evidence
    assert "session show 9" in stands.next_step


@pytest.mark.parametrize(
    "outcome", [one for one in Outcome if one not in (Outcome.READ, Outcome.PARTIAL, Outcome.IDLE)]
)
def test_every_bad_outcome_has_a_cause_and_a_next_step(outcome: Outcome) -> None:
    stands = standing(METER, [ended(9, outcome)], NOW)
    assert not stands.well
    assert stands.verdict.startswith(outcome.value)
    assert stands.next_step
    assert "{" not in stands.next_step


def test_meter_that_stopped_calling_after_a_good_session_is_not_well() -> None:
    stands = standing(METER, [ended(9, Outcome.READ, 52)], NOW)
    assert not stands.well
    assert "2 d 4 h" in stands.verdict


def test_meter_read_in_part_says_what_is_missing() -> None:
    stands = standing(METER, [ended(9, Outcome.PARTIAL, detail="the monthly archive was refused")], NOW)
    assert stands.well
    assert "monthly archive" in stands.verdict


def test_meter_never_seen_tells_whether_it_was_to_call_or_to_be_called() -> None:
    assert "read 41203377" in standing(METER, [], NOW).next_step
    caller = replace(METER, routes=("caller:356938035643809",))
    assert "caller:356938035643809" in standing(caller, [], NOW).evidence
    assert "--route" in standing(replace(METER, routes=()), [], NOW).next_step


def test_unclaimed_meter_is_to_be_claimed_and_a_disabled_one_is_left_alone() -> None:
    assert (
        "claim"
        in standing(replace(METER, state=MeterState.UNCLAIMED), [ended(1, Outcome.UNKNOWN_METER)], NOW).next_step
    )
    assert "switched off" in standing(replace(METER, state=MeterState.DISABLED), [], NOW).verdict


def test_open_session_is_no_reason_for_alarm() -> None:
    assert standing(METER, [ended(9, None)], NOW).well


def test_session_that_our_side_ended_is_not_blamed_on_the_line() -> None:
    stands = standing(METER, [ended(9, Outcome.LINE_LOST, detail="the gateway stops; what came is stored")], NOW)
    assert "our side ended it" in stands.verdict
    assert "read 41203377" in stands.next_step


def test_meter_claimed_since_its_last_session_is_in_care() -> None:
    detail = "nobody has claimed meter 41203377; its bytes are kept: `gateway-server meter claim 41203377`"
    stands = standing(METER, [ended(9, Outcome.UNKNOWN_METER, detail=detail)], NOW)
    assert stands.well
    assert "read 41203377" in stands.next_step
    caller = replace(METER, routes=("caller:1",))
    assert "calls again" in standing(caller, [ended(9, Outcome.UNKNOWN_METER, detail=detail)], NOW).next_step


def test_heartbeats_of_an_open_line_say_nothing_of_the_reading() -> None:
    sessions = [ended(9, Outcome.IDLE), ended(8, Outcome.SILENT), ended(7, Outcome.IDLE)]
    assert "silent" in standing(METER, sessions, NOW).verdict
    alone = standing(METER, sessions[:1], NOW)
    assert alone.well
    assert "keeps the line open" in alone.verdict


def test_first_session_that_is_still_open_shows_since_when_and_where_to_look() -> None:
    stands = standing(METER, [ended(9, None)], NOW)
    assert stands.evidence == "session 9 over tcp 10.8.0.17:4001, begun 1 h 0 min ago"
    assert stands.next_step == "`gateway-server session show 9` has what was said so far"


def test_what_was_just_now_is_not_measured_in_milliseconds() -> None:
    assert "less than a minute ago" in standing(METER, [ended(9, Outcome.SILENT, 0)], NOW).evidence


def called(number: int, result: CallResult | None, minutes_ago: int, **said: object) -> CallRecord:
    at_ms = NOW - minutes_ago * 60_000
    call = CallRecord(number, "41203377", "m1", "+79161234567", at_ms, None, at_ms + 20_000, result)
    return replace(call, **said)  # type: ignore[arg-type]  # fields of the record


CALLED = MeterRecord("41203377", routes=("csd:+79161234567",))


def test_meter_that_cannot_be_called_says_how_often_why_and_by_which_modems() -> None:
    calls = [
        called(9, CallResult.BUSY, 10, cause="17", detail="busy"),
        called(8, CallResult.BUSY, 70, modem="m2"),
        called(7, CallResult.NO_ANSWER, 130),
    ]
    stands = standing(CALLED, [ended(3, Outcome.READ, 30)], NOW, calls)
    assert stands.verdict == "busy, 2 times in a row: its modem is in a call"
    assert stands.evidence == "call 9 by modem m1, 9 min 0 s ago, cause 17: busy; by modems m1, m2; last good session 3"
    assert "switched off and on" in stands.next_step
    assert not stands.well


def test_session_that_holds_only_a_modems_dialogue_is_no_word_of_the_meter() -> None:
    calls = [called(9, CallResult.BUSY, 10, session=5), called(8, CallResult.BUSY, 70, session=4)]
    sessions = [ended(5, Outcome.LINE_LOST, 0), ended(4, Outcome.LINE_LOST, 1), ended(3, Outcome.READ, 30)]
    stands = standing(CALLED, sessions, NOW, calls)
    assert stands.verdict == "busy, 2 times in a row: its modem is in a call"
    assert "last good session 3" in stands.evidence


def test_meter_that_was_heard_by_another_way_after_the_failed_call_is_not_called_busy() -> None:
    calls = [called(9, CallResult.BUSY, 70, session=4)]
    stands = standing(CALLED, [ended(5, Outcome.READ, 0), ended(4, Outcome.LINE_LOST, 1)], NOW, calls)
    assert (stands.well, stands.verdict) == (True, "read")


@pytest.mark.parametrize("result", [one for one in CallResult if one.value not in ("ok", "silent", "refused", "lost")])
def test_every_call_that_reached_nobody_has_a_cause_and_a_next_step(result: CallResult) -> None:
    stands = standing(CALLED, [], NOW, [called(1, result, 5)])
    assert stands.verdict.startswith(result.value)
    assert stands.next_step
    assert "{" not in stands.next_step


def test_calls_are_no_matter_once_the_meter_was_heard_of_again() -> None:
    stands = standing(CALLED, [ended(3, Outcome.READ, 1)], NOW, [called(9, CallResult.BUSY, 90)])
    assert stands.well
    during = standing(CALLED, [], NOW, [called(9, None, 1), called(8, CallResult.NO_ANSWER, 9)])
    assert during.verdict.startswith("no_answer")


def test_meter_that_nobody_calls_any_more_says_since_when_and_what_starts_it_again() -> None:
    stop = PlanStop("41203377", CallResult.REFUSED, "#0017 wrong access code", "", NOW - 3 * 3_600_000)
    stands = standing(CALLED, [], NOW, [called(4, CallResult.REFUSED, 180, session=7)], stop)
    assert stands.verdict == "refused: nobody calls it any more until somebody acts"
    assert "#0017 wrong access code; call 4 by modem m1" in stands.evidence
    assert "--password-file FILE" in stands.next_step
    assert "call resume 41203377" in stands.next_step
    number = standing(CALLED, [], NOW, (), replace(stop, result=CallResult.WRONG_NUMBER))
    assert "--route csd:NUMBER" in number.next_step
    barred = standing(CALLED, [], NOW, (), replace(stop, result=CallResult.BARRED, until_ms=NOW + 2 * 3_600_000))
    assert barred.verdict == "barred: nobody calls it any more for 2 h 0 min"
    assert "ask the SIM's operator" in barred.next_step


def drift(value: str, minutes_ago: int = 0, quantity: str = "clock_drift") -> StoredReading:
    at = NOW - minutes_ago * 60_000
    return StoredReading(
        "41203377", quantity, "", "", value, "s", at, at, "current", None, "", "", "", 9, 0, 0, "lis200", "3"
    )  # fmt: skip


def test_clock_that_is_off_is_told_with_what_to_do() -> None:
    said = clock("41203377", [drift("12", 900), drift("94608000.250", 90), drift("1", 0, "pressure")], NOW)
    assert said.startswith("1095 d ahead, 1 h 30 min ago: have it set at the device")
    assert "meter add 41203377 --time-zone" in clock("41203377", [drift("-10800")], NOW)


def test_clock_that_is_right_is_told_without_advice_and_an_unknown_one_not_at_all() -> None:
    assert clock("41203377", [drift("47", 60)], NOW) == "47 s ahead, 1 h 0 min ago"
    assert clock("41203377", [drift("1", 0, "pressure")], NOW) == ""
    assert clock("41203377", [drift("no number")], NOW) == ""
