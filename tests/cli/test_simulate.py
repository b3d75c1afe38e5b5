"""``simulate``: what an operator may say to the simulators."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from tests.cli.desk import Desk
from tests.cli.programs import ran, started


@pytest.mark.end_to_end
def test_meter_says_where_it_is_answers_there_and_dumps_what_it_holds(desk: Desk) -> None:
    options = ("--listen", "127.0.0.1:0", "--serial", "7001", "--days", "1", "--dump", "held.json")
    with started(desk, "simulate", "meter", *options) as simulated:
        host, port = simulated.line("ek270 7001").rsplit("tcp:", 1)[1].split(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(b"/?!\r\n")
            assert line.recv(64).startswith(b"/Els")
        assert simulated.end(signal.SIGTERM).status == 0
    assert json.loads((desk.folder / "held.json").read_text(encoding="utf-8"))["serial"] == "7001"


@pytest.mark.end_to_end
def test_fleet_that_nobody_reads_is_status_1(desk: Desk) -> None:
    ended = ran(desk, "simulate", "fleet", "--call", "127.0.0.1:1", "--meters", "2", "--seconds", "1")
    assert ended.status == 1
    assert "127.0.0.1:1" in ended.err


@pytest.mark.end_to_end
def test_upload_that_no_server_takes_is_status_1(desk: Desk) -> None:
    ended = ran(desk, "simulate", "upload", "--call", "127.0.0.1:1", "--files", "2", "--seconds", "1")
    assert ended.status == 1
    assert "0/2 files acknowledged" in ended.out
    assert "127.0.0.1:1" in ended.err


def test_quirks_and_manners_can_be_listed(desk: Desk) -> None:
    assert "never_answers" in desk.run("simulate", "meter", "--list-quirks").out
    assert "piece=N" in desk.run("simulate", "upload", "--list-manners").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("meter",),
        ("meter", "--listen", "nowhere"),
        ("meter", "--pty", "--quirk", "wings"),
        ("fleet", "--models", "x"),
        ("upload", "--manner", "cut=ears"),
        ("upload", "--call", "nowhere"),
    ],
)
def test_what_cannot_be_simulated_is_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    refused = ran(desk, "simulate", *arguments)
    assert refused.status == 2
    assert "Traceback" not in refused.err
