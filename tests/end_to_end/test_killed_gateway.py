"""kill -9 in the middle of a fleet: what was acknowledged is there after the restart, and the store is sound."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gateway_server.store.open import open_store
from gateway_server.store.records import Filter
from tests.end_to_end.programs import first_line, free_port, program, said_by

pytestmark = pytest.mark.end_to_end

METERS = 30
ARCHIVES = {
    1: "monthly",
    2: "monthly2",
    3: "interval",
    4: "events",
    5: "changes",
    7: "daily",
    9: "calibration",
    13: "extended",
}
CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[listener]]
name = "gprs"
endpoint = "tcp:{port}:interface=127.0.0.1"
codec = "lis200"
identify = ["registration", "codec"]
registration = '(?P<id>\\d{{15}})\\r?\\n'
"""


def stored(place: Path) -> set[tuple[str, str, int]]:
    """Meter, archive and order number of every row and event in the store."""
    store = open_store(f"sqlite:///{place}", create=False)
    rows = {(one.meter, one.row.archive, one.row.order_number or 0) for one in store.rows(Filter())}
    events = {(one.meter, "events", one.order_number or 0) for one in store.events(Filter())}
    store.close()
    return rows | events


def test_acknowledged_rows_outlive_a_killed_gateway(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(port=port))
    register = tmp_path / "meters.csv"
    rows = [f"{50000001 + number},caller:35{number + 1:013d}" for number in range(METERS)]
    register.write_text("\n".join(["serial,route", *rows]) + "\n")
    at = ("-c", str(config))
    said_by("meter", "import", str(register), *at)
    acknowledged = tmp_path / "acknowledged.jsonl"
    fleet = (
        *("simulate", "fleet", "--call", f"127.0.0.1:{port}", "--meters", str(METERS), "--rate", "100"),
        *("--days", "4", "--seconds", "60", "--reconnect-seconds", "0.3", "--quirk", "reply_delay_s=0.02"),
        *("--acknowledged", str(acknowledged)),
    )
    with program(*fleet) as calling:
        for seconds in (0.8, 0.5, 0.6):
            with program("run", *at) as gateway:
                first_line(gateway)
                time.sleep(seconds)  # noqa: TID251 - into the middle of the readings
                gateway.kill()
                gateway.wait(10)
        with program("run", *at) as gateway:
            first_line(gateway)
            assert calling.wait(60) == 0
    said_by("store", "check", *at)
    found = stored(tmp_path / "gateway.db")
    told = [json.loads(line) for line in acknowledged.read_text("utf-8").splitlines()]
    wanted = {(one["serial"], ARCHIVES[archive], order) for one in told for archive, order in one["rows"]}
    sessions = json.loads(said_by("session", "list", "--json", *at))
    assert any(session["outcome"] != "read" for session in sessions), "nobody was in the middle of anything"
    assert len(told) == METERS
    assert len(wanted) > METERS * 50
    assert wanted <= found, sorted(wanted - found)[:5]
