"""Meters are called by modem with the real program: over terminals, raw TCP and RFC 2217, through serial servers that
nobody here wrote, beside a running gateway, and after one was killed in the middle of a call.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import ROOT, first_line, free_port, program, said_by
from tests.end_to_end.test_peers_dialling import connected, needed, running

pytestmark = pytest.mark.end_to_end

SERIAL = "41203377"
NUMBER = "+79160000001"
QUICK = ("--setup-seconds", "0.5", "--round-trip", "0.1", "--bytes-per-second", "0", "--days", "3")


@contextmanager
def modems(folder: Path, *options: str) -> Iterator[list[str]]:
    """A bank of modems; gives their ports."""
    order = ("simulate", "modems", *QUICK, "--failures", "registration_s=0", *options)
    with program(*order, "--dump", str(folder / "held"), "--seconds", "120") as bank:
        ports = []
        while (line := first_line(bank)) != "ready":
            name, _, place = line.partition(" ")
            if name.startswith("modem"):
                ports.append(place)
        yield ports


class Site:
    """A configuration with one modem, and meter 41203377 behind its number."""

    def __init__(self, folder: Path, port: str, more: str = "") -> None:
        self.config = folder / "gateway.toml"
        self.config.write_text(
            f'[store]\nurl = "sqlite:///gateway.db"\n[[modem]]\nname = "m1"\nport = "{port}"\nguard = 1.1\n{more}'
        )
        self.ask("meter", "add", SERIAL, "--codec", "lis200", "--route", f"csd:{NUMBER}")

    def ask(self, *arguments: str) -> str:
        return said_by(*arguments, "-c", str(self.config))

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ask(*arguments, "--json"))

    def read(self, *more: str) -> Any:
        return self.json("read", SERIAL, "--archive", "daily", *more)

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("call", "list")
        return found


def is_read(site: Site) -> None:
    read = site.read()
    assert read["outcome"] == "read"
    assert read["new_rows"]["daily"] >= 3
    (call,) = site.calls()
    assert (call["meter"], call["modem"], call["number"], call["result"]) == (SERIAL, "m1", NUMBER, "ok")
    assert 0 < float(call["airtime_s"]) < 20
    assert call["session"] == read["session"]["id"]
    assert read["session"]["transport"] == "csd"


@pytest.mark.parametrize("kind", ["--pty", "--tcp", "--rfc2217"])
def test_meter_is_called_without_a_running_gateway(tmp_path: Path, kind: str) -> None:
    with modems(tmp_path, kind) as (port,):
        is_read(Site(tmp_path, port))


def test_session_shows_the_modems_dialogue_and_where_the_time_went(tmp_path: Path) -> None:
    with modems(tmp_path) as (port,):
        site = Site(tmp_path, port)
        site.read()
    said = site.ask("session", "show", "1", "--no-pager")
    assert "modem: ATD********0001" in said
    assert "modem: CONNECT 9600" in said
    for phase in ("dial", "wake-up", "sign-on", "data", "hang-up"):
        assert f"\n{phase} " in said
    assert NUMBER not in said
    assert "NOT" not in site.ask("session", "verify", "1")
    assert "no change" in site.ask("reprocess", "--dry-run")


@pytest.mark.parametrize("kind", ["tcp", "telnet(rfc2217),tcp"])
def test_ser2net_stands_between(tmp_path: Path, kind: str) -> None:
    ser2net = needed("ser2net")
    with modems(tmp_path) as (terminal,):
        port = free_port()
        config = tmp_path / "ser2net.yaml"
        config.write_text(
            f"connection: &modem\n  accepter: {kind},127.0.0.1,{port}\n"
            f"  connector: serialdev,{terminal},9600n81,local\n"
        )
        with running(ser2net, "-n", "-d", "-c", str(config)):
            connected(port).close()
            is_read(Site(tmp_path, f"{'socket' if kind == 'tcp' else 'rfc2217'}://127.0.0.1:{port}"))


def test_port_that_another_user_of_ser2net_has_is_said(tmp_path: Path) -> None:
    ser2net = needed("ser2net")
    with modems(tmp_path) as (terminal,):
        port = free_port()
        config = tmp_path / "ser2net.yaml"
        config.write_text(
            f"connection: &modem\n  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{terminal},9600n81,local\n"
        )
        with running(ser2net, "-n", "-d", "-c", str(config)), connected(port):
            site = Site(tmp_path, f"socket://127.0.0.1:{port}", "[calls]\nwait_for_modem = 3\n")
            command = [sys.executable, "-m", "gateway_server", "read", SERIAL, "-c", str(site.config)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 1
    assert "another program has the port" in done.stderr


def test_sredird_stands_between(tmp_path: Path) -> None:
    sredird, socat = needed("sredird"), needed("socat")
    with modems(tmp_path) as (terminal,):
        port = free_port()
        listening = f"tcp-listen:{port},bind=127.0.0.1,fork,reuseaddr"
        with running(socat, listening, f"exec:{sredird} 5 {terminal} {tmp_path}/lock"):
            connected(port).close()
            time.sleep(0.5)  # noqa: TID251 - sredird lets go of its first user
            is_read(Site(tmp_path, f"rfc2217://127.0.0.1:{port}"))


def test_order_to_a_running_gateway_is_called_and_its_progress_told(tmp_path: Path) -> None:
    with modems(tmp_path, "--count", "1") as (port,):
        site = Site(tmp_path, port)
        with program("run", "--only", "csd,scheduler", "-c", str(site.config)) as gateway:
            assert first_line(gateway).startswith("ready")
            said = site.ask("read", SERIAL, "--archive", "daily", "--via", f"csd:{NUMBER}@m1")
        assert "daily" in said
    (call,) = site.calls()
    assert (call["result"], call["job"]) == ("ok", 1)


def test_gateway_that_was_killed_in_a_call_leaves_no_modem_off_hook_when_it_is_back(tmp_path: Path) -> None:
    with modems(tmp_path, "--failures", "far_silent", "--share", "100%") as (port,):
        site = Site(tmp_path, port)
        gateway = subprocess.Popen(
            [sys.executable, "-m", "gateway_server", "run", "--only", "csd,scheduler", "-c", str(site.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        assert gateway.stdout is not None
        gateway.stdout.readline()
        order = [sys.executable, "-m", "gateway_server", "read", SERIAL, "--no-wait", "-c", str(site.config)]
        subprocess.run(order, cwd=ROOT, check=True, capture_output=True, timeout=60)
        until = time.monotonic() + 60
        while not [call for call in site.calls() if call["connected"]]:
            assert time.monotonic() < until
            time.sleep(0.2)  # noqa: TID251 - the other program takes its time
        gateway.send_signal(signal.SIGKILL)
        gateway.wait(10)
        gateway.stdout.close()
        (call,) = site.calls()  # opening the store ends what the killed one left open
        assert (call["result"], call["detail"]) == ("interrupted", "the gateway was killed during the call")
        with program(
            "run",
            "--only",
            "csd",
            "-c",
            str(site.config),
            log=tmp_path / "log",
        ) as again:
            assert first_line(again).startswith("ready")
            time.sleep(9)  # noqa: TID251 - AT, silence, +++, ATH take their time
    (simulated,) = json.loads((tmp_path / "held" / "calls.json").read_text("utf-8"))
    assert simulated["result"] in ("hung up", "DTR dropped"), "left on line with the meter"


@contextmanager
def iaxmodem() -> Iterator[str]:
    """Somebody else's modem in software: its AT parser on a pseudo terminal, and no telephone network behind it."""
    found = needed("iaxmodem")
    name = f"gateway-{os.getpid()}"
    config = Path("/etc/iaxmodem") / name
    if not os.access(config.parent, os.W_OK):
        pytest.skip("iaxmodem reads its configuration from /etc/iaxmodem, where this user may not write")
    device = Path(tempfile.mkdtemp(prefix="iax")) / "tty"  # longer names it cuts off
    config.write_text(
        f"device {device}\nowner root:root\nmode 660\nport {free_port()}\nrefresh 0\nserver 127.0.0.1\n"
        "peername iaxmodem\nsecret password\ncidname Test\ncidnumber +0000000000\ncodec slinear\n"
    )
    try:
        with running(found, name):
            until = time.monotonic() + 10
            while not device.exists():
                assert time.monotonic() < until
                time.sleep(0.05)  # noqa: TID251 - it makes its terminal when it likes
            yield str(device)
    finally:
        config.unlink()
        device.parent.rmdir()


def test_at_parser_that_nobody_here_wrote_is_prepared_and_dials_in_vain(tmp_path: Path) -> None:
    with iaxmodem() as device:
        site = Site(tmp_path, device, 'type = "analogue"\ndial_timeout = 10\n[calls]\nwait_for_modem = 60\n')
        command = [sys.executable, "-m", "gateway_server", "read", SERIAL, "-c", str(site.config)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=100, check=False)
    assert done.returncode == 1
    (call,) = site.calls()
    assert call["modem"] == "m1"
    assert call["result"] in ("no_answer", "no_carrier", "busy")
    said = site.ask("session", "show", "1", "--no-pager")
    assert "modem: ATD********0001" in said


def test_unplugged_terminal_is_opened_again_when_it_is_back(tmp_path: Path) -> None:
    unplugged = "unplugged_after=40,unplugged_s=1"
    with modems(tmp_path, "--links", str(tmp_path / "links"), "--failures", unplugged) as (port,):
        site = Site(tmp_path, port, "[dialling]\ngaps = 0.05\n")
        with program("run", "--only", "csd,scheduler", "-c", str(site.config), log=tmp_path / "log") as gateway:
            assert first_line(gateway).startswith("ready")
            with program("read", SERIAL, "-c", str(site.config), log=tmp_path / "read"):
                until = time.monotonic() + 90
                while len(calls := [call for call in site.calls() if call["ended"]]) < 2:
                    assert time.monotonic() < until, (calls, (tmp_path / "log").read_text())
                    time.sleep(0.5)  # noqa: TID251 - real programs, one of them pulls the plug
    assert [call["result"] for call in calls] == ["modem_fault"] * len(calls)
    assert all(call["connected"] for call in calls), "the second call got through: the modem was back"
