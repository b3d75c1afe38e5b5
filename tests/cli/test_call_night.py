"""``call night``, as a planner reads it in the morning."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult, Outcome
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import CallRecord, JobState, MeterRecord, Origin
from gateway_server.store.sql import SqlStore
from tests.cli.desk import NOW_MS, Desk

HOUR = 3_600_000
PRICED = '[calls]\nprice_per_minute = "1.50"\ncurrency = "RUB"\n'


def wanted(
    store: SqlStore, serial: str, state: JobState, detail: str = "", night: str = "1", ago_h: int = 5, tries: int = 4
) -> None:
    """A schedule's job of a meter, as it stands now."""
    if store.meter(serial) is None:
        store.put_meter(MeterRecord(serial, f"house {serial}", routes=(f"csd:+7916000000{serial}",)))
    at_ms = NOW_MS - ago_h * HOUR
    store.make_jobs([JobToMake(serial, "{}", Origin.SCHEDULE, "night", night, at_ms, by_modem=True)], at_ms)
    (job,) = [one for one in store.jobs() if (one.serial, one.night) == (serial, night)]
    store.update_job(replace(job, state=state, detail=detail, outcome=Outcome.LINE_LOST, tries=tries))


def called(store: SqlStore, serial: str, result: CallResult, modem: str = "m1", airtime_s: int = 0) -> None:
    at_ms = NOW_MS - 4 * HOUR
    connected = at_ms + 20_000 if airtime_s else None
    call = CallRecord(
        0, serial, modem, f"+7916000000{serial}", at_ms, connected, at_ms + 30_000, result, result.value,
        airtime_ms=airtime_s * 1000,
    )  # fmt: skip
    store.open_call(call)


def night(desk: Desk, *more: str) -> str:
    done = desk.run("call", "night", *more)
    assert done.status == 0, done.err
    return done.out


def test_meter_that_was_not_read_is_named_with_why_and_what_to_do(desk: Desk) -> None:
    with desk.store() as store:
        wanted(store, "1", JobState.DONE)
        called(store, "1", CallResult.OK, airtime_s=61)
        wanted(store, "2", JobState.FAILED, "busy; 4 of 4 attempts made")
        called(store, "2", CallResult.BUSY)
        wanted(store, "3", JobState.QUEUED)
    out = night(desk)
    assert out.splitlines()[0] == "1 of 3 meters read in the last 24 h, 1 not, 1 still wait"
    assert "2 calls" in out
    line = next(line for line in out.splitlines() if line.startswith("2 ") and "calls" not in line)
    assert "house 2" in line
    assert "its modem is in a call" in line
    assert "somebody else collects from it" in line
    assert not any(line.startswith(("1 ", "3 ")) for line in out.splitlines()[3:])


def test_meter_that_nobody_calls_any_more_is_named_every_morning(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord("7", routes=("csd:+79160000007",)))
        store.stop_plan("7", CallResult.REFUSED, "#0017 wrong access code", NOW_MS - 9 * 24 * HOUR)
    document = desk.run("call", "night", "--json").json
    (one,) = document["attention"]
    assert one["verdict"] == "refused: nobody calls it any more until somebody acts"
    assert "--password-file FILE" in one["next_step"]
    assert "since" in one["evidence"]
    assert (document["meters_read"], document["meters_not_read"], one["job"]) == (0, 0, None)


def test_last_job_of_a_meter_counts_and_one_that_only_waits_hides_nothing(desk: Desk) -> None:
    with desk.store() as store:
        wanted(store, "1", JobState.FAILED, "silent", night="1", ago_h=6)
        wanted(store, "1", JobState.DONE, night="2", ago_h=5)
        wanted(store, "2", JobState.FAILED, "silent", night="1", ago_h=6)
        wanted(store, "2", JobState.QUEUED, night="2", ago_h=5)
        wanted(store, "3", JobState.FAILED, "silent", night="1", ago_h=30)
    document = desk.run("call", "night", "--json").json
    assert [one["meter"] for one in document["attention"]] == ["2"]
    assert [one["meter"] for one in desk.run("call", "night", "--hours", "48", "--json").json["attention"]] == [
        "2",
        "3",
    ]


def test_meter_that_a_night_did_not_come_to_is_told_by_what_its_job_says(desk: Desk) -> None:
    with desk.store() as store:
        wanted(store, "2", JobState.FAILED, "its window ended", tries=0)
    (one,) = desk.run("call", "night", "--json").json["attention"]
    assert (one["verdict"], one["evidence"]) == ("nobody came to it: its window ended", "never tried")
    assert "`gateway-server call plan`" in one["next_step"]


def test_modem_that_failed_is_told_and_what_the_night_cost(desk: Desk) -> None:
    path = desk.folder / "gateway.toml"
    path.write_text(path.read_text() + PRICED)
    with desk.store() as store:
        wanted(store, "1", JobState.DONE)
        for result in (CallResult.MODEM_FAULT, CallResult.NO_DIALTONE, CallResult.MODEM_FAULT, CallResult.OK):
            called(store, "1", result, modem="m2", airtime_s=61 if result is CallResult.OK else 0)
        for result in (CallResult.MODEM_FAULT, CallResult.OK, CallResult.OK):
            called(store, "1", result, modem="m1")
    document = desk.run("call", "night", "--json").json
    assert document["modems"] == [{"modem": "m2", "calls": 4, "failed_by_its_own_fault": 3}]
    assert (document["airtime_s"], document["cost"], document["calls"]) == ("61.000", "3.00", 7)
    out = night(desk)
    assert "modem m2: 3 of 4 calls failed by its own fault" in out
    assert "3.00 RUB" in out
    assert "no meter needs a person" in out


def test_morning_without_a_schedule_is_said(desk: Desk) -> None:
    assert "no schedule wanted anything in the last 24 h" in night(desk)


def test_long_list_is_cut_on_a_terminal(desk: Desk) -> None:
    with desk.store() as store:
        for number in range(3):
            wanted(store, str(number), JobState.FAILED, "silent")
    done = desk.run("call", "night", "--limit", "2")
    assert "and 1 more" in done.err
