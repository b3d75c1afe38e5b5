"""What is ordered of a meter and not done yet."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.cli.meter_orders import open_orders, stands
from gateway_server.model import ReadOrder
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import CallRecord, JobRecord, MeterRecord, Origin
from gateway_server.store.sql import SqlStore
from tests.cli.desk import NOW_MS, Desk

SERIAL = "41203377"


def night_call(store: SqlStore, *, modem: str = "m1") -> JobRecord:
    """A call of the night that is being made."""
    order = ReadOrder().to_json()
    store.make_jobs(
        [JobToMake(SERIAL, order, Origin.SCHEDULE, "night", "1", NOW_MS, NOW_MS + 60_000, by_modem=True)], NOW_MS
    )
    job = store.take_call(store.calls_wanted(NOW_MS)[0].id, NOW_MS, 60_000)
    assert job is not None
    if modem:
        store.open_call(CallRecord(0, SERIAL, modem, "+79160000001", NOW_MS, job=job.id))
    return job


def test_order_during_a_nights_call_says_which_modem_is_in_it(desk: Desk) -> None:
    with desk.store() as store:
        call = night_call(store)
        number = store.add_job(SERIAL, ReadOrder().to_json(), "", NOW_MS)
        said = {job.id: said for job, said in open_orders(store, SERIAL)}
        assert said[number] == "another call with this meter is running (modem m1)"
        assert said[call.id] == "waiting for the gateway"
        store.update_job(replace(call, progress="hourly rows"))
        assert stands(store, store.job(call.id) or call) == "hourly rows"


def test_order_behind_a_session_says_so_and_one_that_nobody_hinders_what_it_waits_for(desk: Desk) -> None:
    with desk.store() as store:
        store.add_job(SERIAL, ReadOrder().to_json(), "tcp:10.0.0.1:4001", NOW_MS)
        first = store.take_job(NOW_MS, 60_000)
        assert first is not None
        number = store.add_job(SERIAL, ReadOrder().to_json(), "", NOW_MS)
        waiting = store.job(number)
        assert waiting is not None
        assert stands(store, waiting) == f"another session with this meter is running (order {first.id})"
        store.update_job(replace(first, waits=True))
        assert stands(store, waiting) == "waiting for the gateway"
        assert stands(store, replace(waiting, progress="waits for a modem: no SIM card")).startswith("waits for a")


def test_meters_card_has_its_open_orders(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord(SERIAL, codec="lis200", routes=("csd:+79160000001",)))
        night_call(store)
    card = desk.run("meter", "show", SERIAL)
    assert "open orders" in card.out
    assert "night" in card.out
    (order,) = desk.run("meter", "show", SERIAL, "--json").json["open_orders"]
    assert (order["schedule"], order["state"], order["attempts"]) == ("night", "running", 0)
    assert order["window_end"] == "2014-05-02T12:01:00Z"
