"""``demo``: the whole product on loopback."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.desk import Desk
from tests.cli.programs import ran, started


@pytest.mark.end_to_end
def test_demo_reads_meters_says_how_to_look_and_the_commands_work(desk: Desk) -> None:
    with started(desk, "demo", "--meters", "6") as demo:
        uploaded = demo.line("ek280 30012277 Hospital")
        read = demo.line("ek260 60000001")
        listed = ran(desk, "meter", "list", "--json", "-c", "demo-data/gateway.toml")
        ended = demo.end(signal.SIGINT)
    assert "readings, committed" in uploaded
    assert "hourly rows" in read
    assert "committed" in read
    assert "60000001" in {meter["serial"] for meter in json.loads(listed.out)}
    assert ended.status == 0
    assert "session show" in ended.out
    assert "meters were read" in ended.out
    assert "3 of them could be read" in ended.out
    assert "Traceback" not in ended.err
    readings = desk.run("reading", "list", "-c", "demo-data/gateway.toml", "--json", "--meter", "60000001")
    assert len(readings.json) > 90
    files = desk.run("file", "list", "-c", "demo-data/gateway.toml", "--json").json
    assert sorted(file["state"] for file in files) == ["decoded", "decoded", "decoded", "unknown"]


@pytest.mark.end_to_end
def test_demo_dials_meters_that_fill_up_one_that_is_busy_and_one_that_is_lost(desk: Desk) -> None:
    with started(desk, "demo", "--meters", "1") as demo:
        awaited = {
            "ek270 30500118 Village Lesnoye ☎ ok",
            "tc220 30500127 Dairy ☎ ok",
            "ek280 30500133 Sanatorium ☎ busy",
            "ek260 30500142 Brickworks ☎ lost",
            "tc215 30500150 Old mill ☎ connected",
        }
        while awaited:  # in whatever order they come
            line = demo.line("")
            awaited = {start for start in awaited if not line.startswith(start)}
        ended = demo.end(signal.SIGINT)
    assert ended.status == 0
    assert "calls were made by modem" in ended.out
    calls = desk.run("call", "list", "-c", "demo-data/gateway.toml", "--json").json
    results = {call["meter"]: call["result"] for call in calls}
    assert {results["30500118"], results["30500127"]} == {"ok"}
    assert (results["30500133"], results["30500142"]) == ("busy", "lost")
    rows = desk.run("reading", "list", "-c", "demo-data/gateway.toml", "--json", "--archive", "interval").json
    orders = {(one["meter"], one["order_number"]) for one in rows}
    assert sum(meter == "30500118" for meter, _ in orders) >= 48
    assert sum(meter == "30500142" for meter, _ in orders) in (12, 24), "what came before the carrier was lost is kept"


@pytest.mark.end_to_end
def test_demo_ends_by_itself_and_tells_what_it_read_by_then(desk: Desk) -> None:
    ended = ran(desk, "demo", "--meters", "1", "--seconds", "2")
    assert "ek270 41203377 Boiler house 4" in ended.out
    assert "meters were read in " in ended.out
    assert ended.status == ("0 meters were read" in ended.out)


def test_folder_that_is_not_the_demos_is_left_alone(desk: Desk) -> None:
    (desk.folder / "demo-data").mkdir()
    (desk.folder / "demo-data" / "mine").write_text("precious")
    assert desk.run("demo", "--seconds", "1").status == 2
    assert (desk.folder / "demo-data" / "mine").read_text() == "precious"
