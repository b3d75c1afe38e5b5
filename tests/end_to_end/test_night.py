"""A night of the real program: simulated modems and meters are called by plan, and a killed gateway goes on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_server.store.records import JobState
from tests.end_to_end.programs import first_line, program
from tests.end_to_end.test_calls import NUMBER, SERIAL, Site, modems
from tests.store.samples import opened

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

PLAN = """
[[schedule]]
name = "night"
cron = "* * * * *"
window = "00:00-23:59"
attempts = 8
[completeness]
first_days = 2
[jobs]
lease = 5
"""


def until(said: Callable[[], bool], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end
        threading.Event().wait(0.5)


def connected(folder: Path) -> int:
    """How many calls were answered; asked of the store itself, because a program takes long to start."""
    with opened(folder / "gateway.db") as store:
        return sum(call.connected_ms is not None for call in store.calls())


def whole(folder: Path) -> bool:
    """Whether a job of the plan is done."""
    with opened(folder / "gateway.db") as store:
        return any(job.state is JobState.DONE and job.session for job in store.jobs())


def completeness(site: Site) -> Any:
    (part,) = [one for one in site.json("meter", "show", SERIAL)["completeness"] if one["archive"] == "interval"]
    return part


def test_meter_is_called_by_plan_until_it_is_whole_though_the_gateway_is_killed_in_the_middle(tmp_path: Path) -> None:
    with modems(tmp_path, "--bytes-per-second", "960") as (port,):
        site = Site(tmp_path, port, PLAN)
        (planned,) = site.json("call", "plan")["calls"][:1]
        assert (planned["meter"], planned["modem"]) == (SERIAL, "m1")
        assert planned["rows"] in (47, 48)  # a row within its grace is not missed yet
        assert completeness(site)["percent"] == "0.00"
        run = ("run", "--only", "csd,scheduler", "-c", str(site.config))
        with program(*run, log=tmp_path / "first.log") as gateway:
            assert first_line(gateway).startswith("ready")
            until(lambda: bool(connected(tmp_path)))
            gateway.send_signal(signal.SIGKILL)
            gateway.wait(10)
        with program(*run, log=tmp_path / "second.log") as gateway:
            assert first_line(gateway).startswith("ready")
            until(lambda: whole(tmp_path))
        part = completeness(site)
        calls = site.calls()
        readings = site.json("reading", "list", "--archive", "interval", "--quantity", "base_volume_total")
    assert part["percent"] == "100.00"
    assert {call["number"] for call in calls} == {NUMBER}
    assert [call["result"] for call in calls][-1] == "interrupted"
    assert "ok" in {call["result"] for call in calls}
    times = [reading["measured_at"] for reading in readings]
    assert len(times) == len(set(times)) >= 47
    assert not [reading for reading in readings if "conflict" in reading["quality"]]
