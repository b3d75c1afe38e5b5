"""The newcomer's sitting of docs/profile.md, with the real program: verify, run, simulate, claim, read."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, program, said_by
from tests.plugins.first_profile import blocks, saved_in, tutorial

pytestmark = pytest.mark.end_to_end

SERIAL = "70004711"


def test_newcomer_gets_from_the_dump_to_stored_readings(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins.d"
    plugins.mkdir()
    profile, capture = saved_in(plugins)
    assert "100.0 %" in said_by("workbench", "verify", str(profile), str(capture))

    config = tmp_path / "gateway.toml"
    (listener,) = blocks(tutorial(), "toml")
    config.write_text('[store]\nurl = "sqlite:///gateway.db"\n' + listener.replace("4007", "0"), "utf-8")
    at = ("-c", str(config))
    dump = tmp_path / "held.json"
    with program("run", *at) as gateway:
        port = first_line(gateway).rpartition(":")[2]
        meter = ("--profile", str(profile), "--serial", SERIAL, "--call", f"127.0.0.1:{port}", "--days", "1")
        with program("simulate", "meter", *meter, "--dump", str(dump)) as simulated:
            first_line(simulated)
            for _ in range(100):
                known = json.loads(said_by("meter", "list", "--json", *at))
                if known:
                    break
                time.sleep(0.1)  # noqa: TID251 - real programs take real time
            assert [(one["serial"], one["state"]) for one in known] == [(SERIAL, "unclaimed")]
            time.sleep(1)  # noqa: TID251 - the rest of the rows
    said_by("meter", "claim", SERIAL, "--time-zone", "Europe/Moscow", *at)
    said_by("reprocess", "--meter", SERIAL, *at)
    readings = json.loads(said_by("reading", "list", "--meter", SERIAL, "--json", *at))
    held = json.loads(dump.read_text("utf-8"))["archives"]["interval"]
    assert len(held) == 25
    # The newcomer is to believe what he sees: a meter that shows 237.9 degrees teaches him nothing.
    assert all(-20 <= Decimal(row["values"]["temperature"]) <= 50 for row in held)
    assert all(1000 <= Decimal(row["values"]["base_volume_total"]) <= 1_000_000 for row in held)
    stored = {(one["order_number"], one["quantity"]): one["value"] for one in readings}
    assert stored == {
        (row["order_number"], quantity): value for row in held for quantity, value in row["values"].items()
    }
