"""``modem list`` and ``modem show``."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import CallResult
from gateway_server.store.modems import ModemRecord
from gateway_server.store.records import CallRecord
from tests.cli.desk import NOW_MS, Desk

READY = ModemRecord("m1", "ready", NOW_MS - 600_000, "the network had lost the modem", "MTS RUS", 18)
OUT = ModemRecord("m2", "out", NOW_MS - 3_600_000, "the SIM wants its PIN", next_ms=NOW_MS + 60_000)
CALL = CallRecord(
    0, "41203377", "m1", "+79161234567", NOW_MS - 100_000, NOW_MS - 80_000, NOW_MS - 10_000, CallResult.OK,
    airtime_ms=60_001,
)  # fmt: skip


def prepare(desk: Desk, *modems: ModemRecord, calls: tuple[CallRecord, ...] = ()) -> None:
    with (desk.folder / "gateway.toml").open("a") as file:
        file.write('[[modem]]\nname = "m1"\nport = "/dev/ttyUSB0"\n[[modem]]\nname = "m2"\nport = "/dev/ttyUSB1"\n')
    with desk.store() as store:
        for modem in modems:
            store.note_modem(modem)
        for call in calls:
            store.close_call(replace(call, id=store.open_call(call)))


def test_modems_are_shown_as_the_running_gateway_says(desk: Desk) -> None:
    fault = replace(CALL, result=CallResult.MODEM_FAULT, connected_ms=None, airtime_ms=0)
    old = replace(CALL, started_ms=NOW_MS - 90_000_000)
    prepare(desk, READY, OUT, calls=(CALL, fault, old))
    one, two = desk.run("modem", "list", "--json").json
    assert one == {
        "modem": "m1",
        "port": "/dev/ttyUSB0",
        "state": "ready",
        "live": True,
        "last_state": "ready",
        "since": "2014-05-02T11:50:00Z",
        "why": "the network had lost the modem",
        "next_try": None,
        "signal": 18,
        "operator": "MTS RUS",
        "call": None,
        "meter": None,
        "calls_24h": 2,
        "failed_by_its_own_fault_24h": 1,
        "airtime_s_24h": "60.001",
    }
    assert (two["state"], two["why"], two["next_try"]) == ("out", "the SIM wants its PIN", "2014-05-02T12:01:00Z")
    said = desk.run("modem", "list").out
    assert "the SIM wants its PIN" in said
    assert "the network had lost" not in said, "a modem that is ready has nothing to complain of"


def test_modem_that_no_gateway_has_is_stopped_and_shown_as_it_was(desk: Desk) -> None:
    prepare(desk, OUT)
    with desk.store() as store, store.connection.transaction("as if it had been killed"):
        store.connection.execute("UPDATE modem SET owner = 'another boot:1:1'")
    one, two = desk.run("modem", "list", "--json").json
    assert (one["state"], one["last_state"], one["since"]) == ("stopped", None, None)
    assert (two["state"], two["live"], two["last_state"], two["next_try"]) == ("stopped", False, "out", None)
    said = desk.run("modem", "list").out
    assert "no gateway has had it yet" in said
    assert "no gateway that runs has it; it was out: the SIM wants its PIN" in said


def test_modem_in_a_call_says_with_whom(desk: Desk) -> None:
    open_call = replace(CALL, ended_ms=None, result=None)
    prepare(desk, replace(READY, state="online"), calls=(CALL, open_call))
    assert "in a call with meter 41203377 (call 2)" in desk.run("modem", "list").out
    shown = desk.run("modem", "show", "m1", "--json").json
    assert (shown["call"], shown["meter"], [call["id"] for call in shown["calls"]]) == (2, "41203377", [2, 1])


def test_modem_of_another_gateway_on_the_store_is_shown_while_that_runs(desk: Desk) -> None:
    prepare(desk, replace(READY, name="far"))
    assert [one["modem"] for one in desk.run("modem", "list", "--json").json] == ["m1", "m2", "far"]
    assert "that of another gateway" in desk.run("modem", "show", "far").out


def test_one_modem_is_shown_with_its_last_calls(desk: Desk) -> None:
    prepare(desk, OUT, calls=(CALL, replace(CALL, modem="m2", result=CallResult.BARRED, detail="no data service")))
    said = desk.run("modem", "show", "m2").out
    assert "next try    2014-05-02 " in said
    assert "1 made, 1 failed by its own fault" in said
    assert "no data service" in said
    assert "41203377" in said
    assert "ok" not in said.split()


def test_modem_that_is_none_is_told_with_those_that_are(desk: Desk) -> None:
    prepare(desk)
    ran = desk.run("modem", "show", "m9")
    assert ran.status == 2
    assert "there are m1, m2" in ran.err
