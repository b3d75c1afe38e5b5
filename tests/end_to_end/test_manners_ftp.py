"""The real gateway and simulated units with the manners of embedded clients: every file is whole in the end."""

from __future__ import annotations

import ftplib
import io
import json
import socket
from pathlib import Path

import pytest

from tests.end_to_end.programs import said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop

pytestmark = pytest.mark.end_to_end

MANNERS = (
    ("active",),
    ("extended",),
    ("active", "extended"),
    ("ascii",),
    ("append",),
    ("unique",),
    ("piece=700",),
    ("folder=2026/11",),
    ("stays",),
    ("cut=data",),
    ("cut=control",),
    ("cut=abort",),
    ("cut=data", "starts_anew"),
)
FIRST = 41000000
IDLE = 1000


def test_units_of_every_manner_get_their_files_in_byte_for_byte(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    serials = [str(FIRST + number) for number in range(len(MANNERS))]
    drop.accounts(*serials)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    wanted = {}
    with drop.gateway() as (port, _):
        for serial, manners in zip(serials, MANNERS, strict=True):
            told = tmp_path / serial
            command = ["simulate", "upload", "--call", f"127.0.0.1:{port}", "--password-file", str(password)]
            command += ["--serial", serial, "--retry-seconds", "0.2", "--seconds", "90", "--acknowledged", str(told)]
            for manner in manners:
                command += ["--manner", manner]
            assert "1/1 files acknowledged" in said_by(*command)
            wanted[serial] = json.loads(told.read_text())
    stored = drop.stored()
    for serial, manners in zip(serials, MANNERS, strict=True):
        whole = [one for one in stored if one.record.login == serial and one.record.state.value != "incomplete"]
        assert [one.sha256 for one in whole] == [wanted[serial]["sha256"]], manners
        name = wanted[serial]["name"]
        if "unique" not in manners:
            assert whole[0].record.name == ("2026/11/" + name if "folder=2026/11" in manners else name)
        # A resume completes what was cut; whoever starts anew leaves it.
        left = [one for one in stored if one.record.login == serial and one not in whole]
        assert len(left) == ("starts_anew" in manners), manners


def test_thousand_idle_connections_leave_room_for_one_that_uploads_and_are_sent_away(tmp_path: Path) -> None:
    drop = Drop(tmp_path, more="connections_per_address = 2000\nlogin_timeout = 4.0")
    drop.accounts(LOGIN)
    idle: list[socket.socket] = []
    try:
        with drop.gateway() as (port, _):
            idle += [socket.create_connection(("127.0.0.1", port), 60) for _ in range(IDLE)]
            with ftplib.FTP(timeout=60) as client:
                client.connect("127.0.0.1", port)
                client.login(LOGIN, PASSWORD)
                assert client.storbinary("STOR day.dat", io.BytesIO(b"(1)(2)\r\n")).startswith("226")
            for line in idle:
                line.settimeout(60)
                said = b""
                while data := line.recv(1000):
                    said += data
                assert b"421 " in said
    finally:
        for line in idle:
            line.close()
    assert [one.record.name for one in drop.stored()] == ["day.dat"]
