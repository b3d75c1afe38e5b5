"""The running gateway reads a meter behind a transparent modem that nobody here wrote: socat, and ser2net.

The meter sits on a pseudo terminal; the modem calls the gateway's listener and carries octets, nothing else.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import first_line, program, said_by

pytestmark = pytest.mark.end_to_end

SERIAL = "41203377"
IMEI = "350000000000001"
QUANTITIES = {
    "Vb": "base_volume",
    "VbT": "base_volume_total",
    "VT": "actual_volume_total",
    "p.MP": "pressure_mean",
    "T.MP": "temperature_mean",
    "C.MP": "conversion_factor_mean",
}
CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[listener]]
name = "gprs"
endpoint = "tcp:0:interface=127.0.0.1"
codec = "lis200"
"""
REGISTRATION = """identify = ["registration", "codec"]
registration = '(?P<id>\\d{15})\\r?\\n'
"""


@contextmanager
def running(*command: str) -> Iterator[None]:
    modem = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        modem.terminate()
        modem.wait(10)


@contextmanager
def socat(terminal: str, port: int, folder: Path) -> Iterator[None]:
    """A modem that registers with its IMEI, then carries octets."""
    script = folder / "modem.sh"
    script.write_text(f"#!/bin/sh\nprintf '{IMEI}\\r\\n'\nexec socat STDIO '{terminal},raw,echo=0'\n")
    script.chmod(0o755)
    with running("socat", f"tcp:127.0.0.1:{port},forever,interval=1,keepalive", f"EXEC:{script}"):
        yield


@contextmanager
def ser2net(terminal: str, port: int, folder: Path) -> Iterator[None]:
    """A modem that says nothing of its own: the gateway has to ask who is there."""
    config = folder / "ser2net.yaml"
    config.write_text(
        "connection: &meter\n"
        f"  accepter: conacc(retry-time=1000),serialdev,{terminal},9600n81,local\n"
        f"  connector: tcp,127.0.0.1,{port}\n"
    )
    with running("ser2net", "-n", "-d", "-c", str(config)):
        yield


def wait_for_reading(config: str) -> list[dict[str, Any]]:
    """The sessions, once one of them has read its meter."""
    for _ in range(60):
        sessions: list[dict[str, Any]] = json.loads(said_by("session", "list", "--json", "-c", config))
        if any(session["outcome"] == "read" for session in sessions):
            return sessions
        time.sleep(0.5)  # noqa: TID251 - real programs take real time
    raise AssertionError(f"never read: {sessions}")


@pytest.mark.parametrize(("name", "modem"), [("socat", socat), ("ser2net", ser2net)])
def test_meter_behind_a_modem_of_others_is_read(
    tmp_path: Path, name: str, modem: Callable[[str, int, Path], Any]
) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG + (REGISTRATION if modem is socat else ""))
    dump = tmp_path / "held.json"
    at = ("-c", str(config))
    said_by("meter", "add", SERIAL, "--route", f"caller:{IMEI}", *at)
    meter = ("simulate", "meter", "--pty", "--serial", SERIAL, "--days", "2", "--dump", str(dump), "--seconds", "100")
    with program(*meter) as simulated, program("run", *at) as gateway:
        terminal = first_line(simulated).partition("serial:")[2]
        ready = first_line(gateway)
        assert ready.startswith("ready gprs=127.0.0.1:")
        with modem(terminal, int(ready.rpartition(":")[2]), tmp_path):
            sessions = wait_for_reading(str(config))
    assert {session["meter"] for session in sessions if session["outcome"] == "read"} == {SERIAL}
    rows = json.loads(dump.read_text("utf-8"))["archives"]["3"]["rows"]
    assert len(rows) in (48, 49)
    stored = json.loads(said_by("reading", "list", "--json", "--archive", "interval", *at))
    found = {(one["order_number"], one["quantity"]): one["value"] for one in stored}
    for row in rows[:48]:
        for column, quantity in QUANTITIES.items():
            assert found[row["order_number"], quantity] == row["values"][column]
