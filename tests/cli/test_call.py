"""``call list``: what was called, and what it cost."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult, Direction
from gateway_server.store.records import CallRecord, JobState, MeterRecord, SessionOpening
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


def test_calls_of_one_modem_are_filtered(desk: Desk) -> None:
    put(desk, CALL, replace(CALL, modem="m2"), BUSY)
    assert [call["id"] for call in desk.run("call", "list", "--json", "--modem", "m1").json] == [3, 1]
    both = desk.run("call", "list", "--json", "--modem", "m1", "--modem", "m2").json
    assert [call["id"] for call in both] == [3, 2, 1]


def test_call_that_is_being_made_says_how_far_it_is_and_costs_nothing_yet(desk: Desk) -> None:
    with (desk.folder / "gateway.toml").open("a") as file:
        file.write('[calls]\nprice_per_minute = "1.80"\n')
    with desk.store() as store:
        store.put_meter(MeterRecord("41203377", routes=("csd:+79161234567",)))
        number = store.add_job("41203377", "{}", "", NOW_MS)
        session = store.open_session(SessionOpening("csd", "x", NOW_MS - 100_000))
        for direction, data in (
            (Direction.TO_MODEM, b"ATD********4567\r"),
            (Direction.TO_METER, b"/?!\r\n"),
            (Direction.FROM_METER, b"/Els6EK270\r\n"),
        ):
            store.log([(session, NOW_MS - 70_000, direction, data)])
        (job,) = store.jobs()
        store.update_job(
            replace(job, state=JobState.RUNNING, progress="reading interval", progress_done=312, progress_total=840)
        )
        store.open_call(
            replace(CALL, ended_ms=None, result=None, airtime_ms=0, bytes=0, job=number, session=session.id)
        )
        (call,) = desk.run("call", "list", "--json", "--state", "open").json
        assert (call["airtime_s"], call["bytes"], call["cost"]) == ("80.000", 17, None)
        assert (call["progress"], call["done"], call["total"]) == ("reading interval (312 of 840)", 312, 840)
        shown = desk.run("call", "list").out
    assert "reading interval (312 of 840)" in shown
    assert "1 min 20 s" in shown
    assert "1.80" not in shown


def test_list_ends_with_what_all_that_were_asked_for_come_to(desk: Desk) -> None:
    with (desk.folder / "gateway.toml").open("a") as file:
        file.write('[calls]\nprice_per_minute = "1.80"\ncurrency = "RUB"\n')
    put(desk, CALL, CALL, BUSY, replace(CALL, inbound=True), replace(CALL, modem="m2"))
    last = desk.run("call", "list", "--limit", "1", "--modem", "m1").out.splitlines()[-1]
    assert last == "4 calls (1 taken), 3 ok, 2 min 0 s of air time, 7.20 RUB"
    assert desk.run("call", "list", "--from", "now").out == ""


def test_calls_are_summed_by_modem_and_by_the_meters_day(desk: Desk) -> None:
    midnight = NOW_MS + 8 * 3_600_000  # in Moscow
    with desk.store() as store:
        store.put_meter(MeterRecord("41203377", time_zone="Europe/Moscow"))
    late = replace(CALL, modem="m2", started_ms=midnight, connected_ms=midnight, ended_ms=midnight + 61_000)
    put(desk, CALL, BUSY, late)
    assert desk.run("call", "list", "--sum-by", "modem", "--json").json == [
        {"modem": "m1", "calls": 2, "taken": 0, "ok": 1, "airtime_s": "60.001", "paid_s": "70.000", "cost": None},
        {"modem": "m2", "calls": 1, "taken": 0, "ok": 1, "airtime_s": "60.001", "paid_s": "61.000", "cost": None},
    ]
    days = desk.run("call", "list", "--sum-by", "day", "--json").json
    assert [(one["day"], one["calls"]) for one in days] == [("2014-05-02", 2), ("2014-05-03", 1)]
    assert "41203377" in desk.run("call", "list", "--sum-by", "meter").out
