"""Register maps against Modbus servers that nobody here wrote: over TCP, over a port, behind a transparent modem."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import ROOT, first_line, free_port, program, said_by

pytestmark = pytest.mark.end_to_end

SERIAL = "41206129"
MAP = """
reads: modbus
source: manual
framing: {framing}
unit: 17
timeout: 1
serial: {{at: 0, type: uint32}}
registers:
  - {{at: 16, type: uint32, scale: 0.001, quantity: base_volume_total}}
  - {{at: 20, type: float32, digits: 2, words: low_first, quantity: temperature}}
  - {{at: 0, table: input, quantity: battery_life}}
  - {{at: 3, table: coil, quantity: valve, own: yes, names: {{0: closed, 1: open}}}}
"""
WHAT_IT_HOLDS = {"base_volume_total": "123.456", "temperature": "23.70", "battery_life": "48", "valve": "open"}
CONFIG = """
[store]
url = "sqlite:///gateway.db"

[plugins]
folders = ["plugins.d"]
"""
LISTENER = """
[[listener]]
name = "gprs"
endpoint = "tcp:0:interface=127.0.0.1"
codec = "boiler-house"
"""
servers = pytest.mark.parametrize("server", ["modbus-tk", "pymodbus"])


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield started
    finally:
        started.terminate()
        started.communicate(timeout=10)


@contextmanager
def modbus_server(server: str, way: str, place: str = "0") -> Iterator[str]:
    """A server of others; gives its port or terminal."""
    script = str(ROOT / "tests/end_to_end/modbus_server.py")
    with running(sys.executable, script, server, way, place) as started:
        yield first_line(started)


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two terminals that are joined, as by a cable."""
    if shutil.which("socat") is None:
        pytest.skip("socat is not installed")
    with running("socat", "-d", "-d", "pty,raw,echo=0", "pty,raw,echo=0") as joined:
        assert joined.stderr is not None
        ends: list[str] = []
        while len(ends) < 2:
            ends += re.findall(r"PTY is (\S+)", joined.stderr.readline())
        yield ends[0], ends[1]


class Place:
    """A folder with a configuration, a register map and a store."""

    def __init__(self, folder: Path, framing: str, more: str = "") -> None:
        self.config = folder / "gateway.toml"
        self.config.write_text(CONFIG + more)
        (folder / "plugins.d").mkdir()
        (folder / "plugins.d/boiler-house.yaml").write_text(MAP.format(framing=framing))
        self.says("meter", "add", SERIAL, "--codec", "boiler-house")

    def says(self, *arguments: str) -> str:
        return said_by(*arguments, "-c", str(self.config))

    def lists(self, *arguments: str) -> Any:
        return json.loads(self.says(*arguments, "--json"))

    def values(self) -> dict[str, str]:
        return {one["quantity"]: one["value"] for one in self.lists("reading", "list")}


@servers
def test_modbus_tcp_is_read_by_a_map_and_no_code(tmp_path: Path, server: str) -> None:
    place = Place(tmp_path, "tcp")
    with modbus_server(server, "tcp") as port:
        assert "read;" in place.says("read", SERIAL, "--via", f"tcp:127.0.0.1:{port}")
    assert place.values() == WHAT_IT_HOLDS
    (session,) = place.lists("session", "list")
    assert (session["outcome"], session["codec"]) == ("read", "boiler-house")
    shown = place.says("session", "show", str(session["id"]))
    assert "read holding registers" in shown
    # These servers refuse registers that they do not have: the request joined over the gap was parted.
    assert "illegal data address" in shown
    assert "without the gaps" in shown


@servers
def test_modbus_rtu_is_read_over_a_port(tmp_path: Path, server: str) -> None:
    place = Place(tmp_path, "rtu")
    with cable() as (ours, theirs), modbus_server(server, "rtu", theirs):
        said = place.says("read", SERIAL, "--via", f"serial:{ours}:9600:8N1")
    assert "read;" in said
    assert place.values() == WHAT_IT_HOLDS


def test_modbus_rtu_is_read_behind_a_transparent_modem_that_calls_in(tmp_path: Path) -> None:
    place = Place(tmp_path, "rtu", LISTENER)
    with (
        cable() as (modem, theirs),
        modbus_server("modbus-tk", "rtu", theirs),
        program("run", "-c", str(place.config)) as gateway,
    ):
        port = first_line(gateway).rpartition(":")[2]
        with running("socat", f"tcp:127.0.0.1:{port},forever,interval=1", f"{modem},raw,echo=0"):
            for _ in range(60):
                if any(one["outcome"] == "read" for one in place.lists("session", "list")):
                    break
                time.sleep(0.5)  # noqa: TID251 - real programs take real time
    assert place.values() == WHAT_IT_HOLDS


def test_probe_finds_somebody_who_speaks_modbus_although_no_register_is_known(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[store]\nurl = "sqlite:///gateway.db"\n[plugins]\nfolders = ["plugins.d"]\n')
    (tmp_path / "plugins.d").mkdir()
    (tmp_path / "plugins.d/who-is-there.yaml").write_text(
        "reads: modbus\nunit: [1, 17]\nspeeds: [19200 8N1]\ntimeout: 0.5\nrepeats: 1\nprobe: [{at: 0}]\n"
    )
    # A probe gives LIS-200 its 25 seconds to wake up first; here another plugin of that name spares them.
    (tmp_path / "plugins.d/lis200.yaml").write_text("reads: modbus\nregisters: [{at: 0, quantity: pressure}]\n")
    with cable() as (ours, theirs), modbus_server("modbus-tk", "rtu", theirs):
        found = json.loads(said_by("read", "--probe", ours, "--json", "-c", str(config)))
    assert found["meter"] == "who-is-there-17"
    assert found["route"] == f"serial:{ours}:19200:8N1"
    assert [one["codec"] for one in found["attempts"]] == ["bpek-modbus", "who-is-there"]


def test_gateway_reads_what_another_client_reads_from_the_same_server(tmp_path: Path) -> None:
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed")
    place = Place(tmp_path, "tcp")
    with modbus_server("modbus-tk", "tcp") as port:
        place.says("read", SERIAL, "--via", f"tcp:127.0.0.1:{port}")
        theirs = {
            quantity: mbpoll(port, table, first, form)
            for quantity, table, first, form in (
                ("base_volume_total", "4:int", 16, "-B"),
                ("temperature", "4:float", 20, ""),
                ("battery_life", "3", 0, ""),
            )
        }
    ours = place.values()
    assert Decimal(ours["base_volume_total"]) == Decimal(theirs["base_volume_total"]) / 1000
    assert Decimal(ours["temperature"]) == Decimal(theirs["temperature"]).quantize(Decimal("0.01"))
    assert ours["battery_life"] == theirs["battery_life"]


def mbpoll(port: str, table: str, first: int, order: str) -> str:
    """What mbpoll reads there: one value; ``-B`` for the high word first."""
    command = ["mbpoll", "-m", "tcp", "-p", port, "-a", "17", "-0", "-r", str(first), "-c", "1", "-t", table, "-1"]
    done = subprocess.run(
        [*command, *filter(None, [order]), "127.0.0.1"], capture_output=True, text=True, timeout=20, check=False
    )
    found = re.search(rf"\[{first}\]:\s+(\S+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return found[1]


@servers
def test_modbus_rtu_is_read_over_csd(tmp_path: Path, server: str) -> None:
    if "modems" not in said_by("simulate", "--help"):
        pytest.skip("this version has no simulated modems yet")
    book, number = tmp_path / "book.toml", "+79160000009"
    with ExitStack() as stack:
        if server == "pymodbus":
            there = stack.enter_context(modbus_server(server, "rtu-over-tcp"))
        else:
            ours, theirs = stack.enter_context(cable())
            stack.enter_context(modbus_server(server, "rtu", theirs))
            there = str(free_port())
            carried = f"tcp-listen:{there},bind=127.0.0.1,fork,reuseaddr"
            stack.enter_context(running("socat", carried, f"{ours},raw,echo=0"))
        book.write_text(f'[[number]]\nnumber = "{number}"\naddress = "127.0.0.1:{there}"\n')
        quick = ("--setup-seconds", "0.5", "--round-trip", "0.2", "--failures", "registration_s=0", "--seconds", "60")
        bank = stack.enter_context(program("simulate", "modems", "--book", str(book), *quick))
        modem = next(line.split()[-1] for line in iter(lambda: first_line(bank), "ready") if line.startswith("modem"))
        place = Place(tmp_path, "rtu", f'[[modem]]\nname = "m1"\nport = "{modem}"\nguard = 1.1\n')
        assert "read;" in place.says("read", SERIAL, "--via", f"csd:{number}")
    assert place.values() == WHAT_IT_HOLDS
    (session,) = place.lists("session", "list")
    assert session["transport"] == "csd"
