"""A meter that speaks a profile, read by the gateway that has the profile: what is stored is what the meter holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import first_line, program, said_by

pytestmark = pytest.mark.end_to_end

SERIAL = "20000001"


@pytest.mark.parametrize("way", ["--listen", "--pty"])
def test_archive_and_live_values_are_read_block_by_block(tmp_path: Path, way: str) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[store]\nurl = "sqlite:///gateway.db"\n')
    at = ("-c", str(config))
    dump = tmp_path / "held.json"
    place = [way, "127.0.0.1:0"] if way == "--listen" else [way]
    simulated = ("--profile", "reference-push", "--serial", SERIAL, "--days", "2", "--seed", "5", "--dump", str(dump))
    said_by("meter", "add", SERIAL, "--codec", "reference-push", "--time-zone", "Europe/Moscow", *at)
    with program("simulate", "meter", *place, *simulated, "--seconds", "60") as running:
        where = first_line(running).split()[-1]
        assert "read;" in said_by("read", SERIAL, "--via", where, *at)
        again = json.loads(said_by("read", SERIAL, "--via", where, "--what", "archive", "--json", *at))
    assert again["new_rows"].get("interval", 0) <= 1, "it goes on behind what is stored"
    held: list[dict[str, Any]] = json.loads(dump.read_text("utf-8"))["archives"]["interval"]
    assert len(held) == 49
    stored = json.loads(said_by("reading", "list", "--archive", "interval", "--json", *at))
    found = {(one["order_number"], one["quantity"]): one["value"] for one in stored}
    assert {(row["order_number"], name): text for row in held for name, text in row["values"].items()} == found
    live = {one["quantity"] for one in json.loads(said_by("reading", "list", "--archive", "current", "--json", *at))}
    assert {"base_volume_total", "actual_volume_total", "pressure", "temperature", "clock"} <= live
