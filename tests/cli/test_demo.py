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
def test_demo_ends_by_itself_and_tells_what_it_read_by_then(desk: Desk) -> None:
    ended = ran(desk, "demo", "--meters", "1", "--seconds", "2")
    assert "ek270 41203377 Boiler house 4" in ended.out
    assert "meters were read in 1 sessions" in ended.out
    assert ended.status == ("0 meters were read" in ended.out)


def test_folder_that_is_not_the_demos_is_left_alone(desk: Desk) -> None:
    (desk.folder / "demo-data").mkdir()
    (desk.folder / "demo-data" / "mine").write_text("precious")
    assert desk.run("demo", "--seconds", "1").status == 2
    assert (desk.folder / "demo-data" / "mine").read_text() == "precious"
