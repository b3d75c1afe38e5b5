"""kill -9 among two hundred meters that push by a profile: all that was acknowledged is there, and only once."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from gateway_server.store.open import open_store
from gateway_server.store.records import Filter
from tests.end_to_end.programs import first_line, free_port, program, said_by

pytestmark = pytest.mark.end_to_end

METERS = 200
FIRST = 50000001
CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[listener]]
name = "push"
endpoint = "tcp:{port}:interface=127.0.0.1"
codec = "reference-push"
role = "listen"
identify = ["codec"]
"""


def stored(place: Path) -> Counter[tuple[str, str, int]]:
    """Meter, archive and order number of every row and event in the store, and how often each is there."""
    store = open_store(f"sqlite:///{place}", create=False)
    rows = [(one.meter, one.row.archive, one.row.order_number or 0) for one in store.rows(Filter())]
    events = [(one.meter, "events", one.order_number or 0) for one in store.events(Filter())]
    store.close()
    return Counter([*rows, *events])


def test_no_acknowledged_frame_is_missing_and_none_is_stored_twice(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(port=port))
    register = tmp_path / "meters.csv"
    register.write_text("\n".join(["serial", *(str(FIRST + number) for number in range(METERS))]) + "\n")
    at = ("-c", str(config))
    said_by("meter", "import", str(register), *at)
    acknowledged = tmp_path / "acknowledged.jsonl"
    fleet = (
        *("simulate", "fleet", "--profile", "reference-push", "--call", f"127.0.0.1:{port}"),
        *("--meters", str(METERS), "--rate", "400", "--days", "1", "--seconds", "90", "--registration", ""),
        *("--reconnect-seconds", "0.3", "--patience-seconds", "1", "--first-serial", str(FIRST)),
        *("--acknowledged", str(acknowledged)),
    )
    with program(*fleet) as calling:
        for seconds in (1.0, 0.5, 0.7):
            with program("run", *at) as gateway:
                first_line(gateway)
                time.sleep(seconds)  # noqa: TID251 - into the middle of the pushing
                gateway.kill()
                gateway.wait(10)
        with program("run", *at) as gateway:
            first_line(gateway)
            assert calling.wait(90) == 0
    said_by("store", "check", *at)
    found = stored(tmp_path / "gateway.db")
    told = [json.loads(line) for line in acknowledged.read_text("utf-8").splitlines()]
    wanted = {(one["serial"], archive, number) for one in told for archive, number in one["rows"]}
    sessions = json.loads(said_by("session", "list", "--json", *at))
    assert len(sessions) > METERS, "nobody had to call twice: the gateway was killed when all was over"
    assert len(told) == METERS
    assert len(wanted) > METERS * 25
    assert wanted <= found.keys(), sorted(wanted - found.keys())[:5]
    assert {key: count for key, count in found.items() if count > 1} == {}
