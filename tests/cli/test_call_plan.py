"""``call plan`` and ``call resume``, as a planner uses them."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult, ReadOrder
from gateway_server.store.modems import ModemRecord
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import CallRecord, MeterRecord, Origin
from tests.cli.desk import NOW_MS, Desk

PLAN = """
[[modem]]
name = "m1"
port = "/dev/ttyUSB0"
[[modem]]
name = "m2"
port = "/dev/ttyUSB1"
[[schedule]]
name = "night"
cron = "0 1 * * *"
window = "01:00-05:30"
"""


def planned(desk: Desk, text: str = PLAN) -> None:
    path = desk.folder / "gateway.toml"
    path.write_text(path.read_text() + text)
    with desk.store() as store:
        store.put_meters(
            (MeterRecord(f"4000000{number}", codec="lis200", routes=(f"csd:+7916000000{number}",)), None)
            for number in range(3)
        )
        store.put_meter(MeterRecord("5", routes=("ftp:five",)))


def test_coming_night_is_shown_with_order_modem_and_times(desk: Desk) -> None:
    planned(desk)
    done = desk.run("call", "plan", "--json")
    assert done.status == 0, done.err
    plan = done.json
    assert plan["modems"] == 2
    assert plan["summary"].startswith("3 calls")
    assert [call["meter"] for call in plan["calls"]] == ["40000000", "40000001", "40000002"]
    assert [call["modem"] for call in plan["calls"]] == ["m1", "m2", "m1"]
    first = plan["calls"][0]
    assert (first["start"], first["window_end"]) == ("2014-05-02T21:00:00Z", "2014-05-03T01:30:00Z")
    assert (first["schedule"], first["attempt"], first["rows"], first["job"]) == ("night", 1, 840, None)
    assert {one["meter"]: one["why"] for one in plan["not_called"]}["5"] == (
        "the schedule may use none of the meter's routes"
    )


def test_night_is_costed_where_a_price_is_known(desk: Desk) -> None:
    planned(desk, PLAN + '[calls]\nprice_per_minute = "1.50"\ncurrency = "RUB"\n')
    plan = desk.run("call", "plan", "--json").json
    minutes = sum(-(-int(call["expected_s"]) // 60) for call in plan["calls"])
    assert plan["cost"] == f"{minutes * 1.5:.2f}"
    assert f"about {minutes * 1.5:.2f} RUB" in desk.run("call", "plan").out


def test_terminal_says_first_whether_the_night_fits(desk: Desk) -> None:
    planned(desk)
    out = desk.run("call", "plan").out
    assert out.splitlines()[0].endswith("fits")
    assert "40000002" in out
    assert "not called" in out
    later = desk.run("call", "plan", "--night", "2014-05-09", "--json").json
    assert later["start"] == "2014-05-08T21:00:00Z"


def test_plan_is_shortened_and_narrowed_and_its_figures_are_the_whole_nights(desk: Desk) -> None:
    planned(desk, PLAN + '[calls]\nprice_per_minute = "1.50"\n')
    with desk.store() as store:
        store.put_meter(MeterRecord("40000001", codec="lis200", routes=("csd:+79160000001",), group="north/a"))
    whole = desk.run("call", "plan", "--json").json
    short = desk.run("call", "plan", "--json", "--limit", "1").json
    assert [call["meter"] for call in short["calls"]] == ["40000000"]
    assert (short["summary"], short["cost"]) == (whole["summary"], whole["cost"])
    (one,) = desk.run("call", "plan", "--json", "--meter", "40000002").json["calls"]
    assert (one["meter"], one["place"]) == ("40000002", 3)
    group = desk.run("call", "plan", "--json", "--group", "north").json
    assert [call["meter"] for call in group["calls"]] == ["40000001"]
    assert group["not_called"] == []
    shown = desk.run("call", "plan", "--group", "north").out
    assert "40000001" in shown
    assert "40000000" not in shown


def test_calls_in_progress_are_shown_with_how_far_they_are(desk: Desk) -> None:
    planned(desk)
    with desk.store() as store:
        plan = JobToMake(
            "40000001", ReadOrder(frozenset({"archive"})).to_json(), Origin.SCHEDULE, "night", "2014-05-02T01:00",
            NOW_MS, NOW_MS + 3_600_000, by_modem=True,
        )  # fmt: skip
        store.make_jobs([plan], NOW_MS)
        job = store.take_call(1, NOW_MS, 3_600_000)
        assert job is not None
        store.update_job(replace(job, progress="hourly rows", progress_done=10, progress_total=24))
        store.open_call(CallRecord(0, "40000001", "m2", "+79160000001", NOW_MS - 5000, job=job.id))
    document = desk.run("call", "plan", "--json").json
    (running,) = document["in_progress"]
    assert (running["meter"], running["modem"], running["start"]) == ("40000001", "m2", "2014-05-02T11:59:55Z")
    assert (running["progress"], running["done"], running["total"]) == ("hourly rows", 10, 24)
    assert "40000001" not in [call["meter"] for call in document["calls"]]
    out = desk.run("call", "plan").out
    assert "in progress" in out
    assert "hourly rows (10 of 24)" in out


def test_schedule_that_no_meter_is_of_is_noted(desk: Desk) -> None:
    planned(desk, PLAN + 'groups = ["nroth"]\n')
    assert 'note: schedule night: no meter is in group "nroth"' in desk.run("call", "plan").err


def test_night_is_a_day(desk: Desk) -> None:
    done = desk.run("call", "plan", "--night", "tonight")
    assert done.status == 2
    assert "write it like 2026-11-28" in done.err


def test_nobody_is_to_be_called_without_a_schedule(desk: Desk) -> None:
    assert "nobody is to be called" in desk.run("call", "plan").out


def test_meter_that_refused_is_called_again_after_resume_and_not_before(desk: Desk) -> None:
    planned(desk)
    with desk.store() as store:
        store.stop_plan("40000001", CallResult.REFUSED, "#0017 wrong access code", NOW_MS)
    why = {one["meter"]: one["why"] for one in desk.run("call", "plan", "--json").json["not_called"]}
    assert why["40000001"] == "#0017 wrong access code"
    shown = desk.run("meter", "show", "40000001").out
    assert "nobody calls it any more until somebody acts" in shown
    assert "call resume 40000001" in shown
    assert "is called again" in desk.run("call", "resume", "40000001").out
    assert desk.run("call", "resume", "40000001").status == 1
    assert "40000001" in [call["meter"] for call in desk.run("call", "plan", "--json").json["calls"]]


def test_rows_thought_lost_can_be_asked_for_again(desk: Desk) -> None:
    planned(desk)
    with desk.store() as store:
        store.note_asked("40000001", "interval", [(NOW_MS, NOW_MS)], NOW_MS, none_there=True)  # type: ignore[list-item]
    assert "1 stretches" in desk.run("call", "resume", "40000001", "--lost").out


def test_modem_that_is_out_of_service_now_is_not_counted_with(desk: Desk) -> None:
    planned(desk)
    with desk.store() as store:
        store.note_modem(ModemRecord("m1", "out", NOW_MS, "no SIM is in it", next_ms=NOW_MS + 60_000))
    plan = desk.run("call", "plan", "--json").json
    assert {call["modem"] for call in plan["calls"]} == {"m2"}
    assert plan["modems_out_of_service"] == [
        {"modem": "m1", "state": "out", "why": "no SIM is in it", "next_try": "2014-05-02T12:01:00Z"}
    ]
    assert "modem m1 is not counted with: out (no SIM is in it)" in desk.run("call", "plan").err
    later = desk.run("call", "plan", "--night", "2014-05-09", "--json").json
    assert {call["modem"] for call in later["calls"]} == {"m1", "m2"}
    with desk.store() as store, store.connection.transaction("as if the gateway had been killed"):
        store.connection.execute("UPDATE modem SET owner = 'another boot:1:1'")
    assert desk.run("call", "plan", "--json").json["modems"] == 2


def test_sim_cards_are_those_that_the_network_names(desk: Desk) -> None:
    planned(desk, PLAN + '[dialling.operators]\n"40000000" = "MTS"\n"40000001" = "MTS RUS"\n')
    assert {one["meter"] for one in desk.run("call", "plan", "--json").json["not_called"]} == {
        "40000000", "40000001", "5",
    }  # fmt: skip
    with desk.store() as store:
        store.note_modem(ModemRecord("m1", "ready", NOW_MS, "", "MTS RUS"))
        store.note_modem(ModemRecord("m2", "ready", NOW_MS, "", "Beeline"))
    plan = desk.run("call", "plan", "--json").json
    assert {call["meter"]: call["modem"] for call in plan["calls"]}["40000001"] == "m1"
    assert {one["meter"]: one["why"] for one in plan["not_called"]}["40000000"] == (
        "no modem in service has a SIM card of MTS"
    )
    assert plan["slips"] == ['dialling: operators "40000000" wants a SIM card of MTS; the modems have Beeline, MTS RUS']
