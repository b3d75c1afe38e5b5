"""The store's disk runs full under a fleet: nothing is acknowledged that is not kept, and it goes on by itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, program, said_by
from tests.end_to_end.test_killed_gateway import ARCHIVES, CONFIG, stored

pytestmark = pytest.mark.end_to_end

METERS = 20
SIZE = 24 << 20
LEFT = 3 << 20  # of it when the gateway starts; the fleet brings more


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, which nobody else can fill or free."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a disk to fill can only be mounted by root: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Somebody else's file, which leaves this much room."""
    ballast = disk / "ballast"
    room = os.statvfs(disk)
    with ballast.open("wb") as file:
        file.write(bytes(room.f_bavail * room.f_frsize - left))
    return ballast


def wait_for(what: Callable[[], bool], said: Callable[[], str], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, said()
        threading.Event().wait(0.05)


def turned_away(port: int) -> bool:
    """Whether a newcomer's connection is closed without a word. What little room is left may do for some yet."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as newcomer:
        try:
            return newcomer.recv(100) == b""
        except TimeoutError:
            return False


def test_full_disk_stops_the_acknowledgements_until_there_is_room(disk: Path, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(port=0).replace("sqlite:///gateway.db", f"sqlite:///{disk}/gateway.db"))
    at = ("-c", str(config))
    register = tmp_path / "meters.csv"
    rows = [f"{50000001 + number},caller:35{number + 1:013d}" for number in range(METERS)]
    register.write_text("\n".join(["serial,route", *rows]) + "\n")
    said_by("meter", "import", str(register), *at)
    ballast = fill(disk, LEFT)
    log = tmp_path / "gateway.log"
    acknowledged = tmp_path / "acknowledged.jsonl"

    with program("run", *at, log=log) as gateway:
        port = int(first_line(gateway).rpartition(":")[2])
        fleet = (
            *("simulate", "fleet", "--call", f"127.0.0.1:{port}", "--meters", str(METERS), "--rate", "20"),
            *("--days", "40", "--seconds", "90", "--reconnect-seconds", "0.5", "--acknowledged", str(acknowledged)),
        )
        with program(*fleet) as calling:
            wait_for(lambda: "disk is full" in log.read_text(), log.read_text)
            wait_for(lambda: turned_away(port), log.read_text)
            assert "the store's disk is full; nothing could be acknowledged" in log.read_text()
            assert gateway.poll() is None
            assert calling.poll() is None, "the fleet was read although the disk was too small for it"
            ballast.unlink()
            wait_for(lambda: "has room again" in log.read_text(), log.read_text)
            assert calling.wait(90) == 0

    told = [json.loads(line) for line in acknowledged.read_text("utf-8").splitlines()]
    wanted = {(one["serial"], ARCHIVES[archive], order) for one in told for archive, order in one["rows"]}
    found = stored(disk / "gateway.db")
    assert len(wanted) > METERS * 500
    assert wanted <= found, sorted(wanted - found)[:5]
    sessions = json.loads(said_by("session", "list", "--json", *at))
    refused = [session for session in sessions if session["outcome"] == "gateway_fault"]
    assert refused, "nobody was in the middle of anything"
    assert all("make room" in session["detail"] for session in refused), refused
    assert "Traceback" not in log.read_text()
    said_by("store", "check", *at)


def test_gateway_started_on_a_full_disk_waits_and_begins_when_there_is_room(disk: Path, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(port=0).replace("sqlite:///gateway.db", f"sqlite:///{disk}/gateway.db"))
    log = tmp_path / "gateway.log"
    ballast = fill(disk, 0)
    with program("run", "-c", str(config), log=log) as gateway:
        wait_for(lambda: "begins as soon as there is room" in log.read_text(), log.read_text)
        assert gateway.poll() is None
        ballast.unlink()
        assert first_line(gateway).startswith("ready")
    assert "has room again" in log.read_text()
    assert "Traceback" not in log.read_text()
    said_by("store", "check", "-c", str(config))


def test_gateway_that_waits_for_room_ends_when_it_is_told_to(disk: Path, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(port=0).replace("sqlite:///gateway.db", f"sqlite:///{disk}/gateway.db"))
    log = tmp_path / "gateway.log"
    fill(disk, 0)
    with program("run", "-c", str(config), log=log) as gateway:
        wait_for(lambda: "begins as soon as there is room" in log.read_text(), log.read_text)
        gateway.terminate()
        assert gateway.wait(30) == 0
    assert "the gateway has ended" in log.read_text()
