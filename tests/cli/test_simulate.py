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
        ("modems", "--failures", "gremlins"),
        ("modems", "--share", "often"),
        ("modems", "--setup-seconds", "40-10"),
        ("modems", "--book", "missing.toml"),
        ("modems", "--tcp", "--listen", "nowhere"),
    ],
)
def test_what_cannot_be_simulated_is_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    refused = ran(desk, "simulate", *arguments)
    assert refused.status == 2
    assert "Traceback" not in refused.err


@pytest.mark.end_to_end
def test_modems_say_their_ports_and_phone_book_and_dump_what_came_of_it(desk: Desk) -> None:
    options = ("--tcp", "--count", "2", "--meters", "2", "--days", "1", "--dump", "held", "--failures", "busy")
    with started(desk, "simulate", "modems", *options, "--failures", "registration_s=0") as simulated:
        host, port = simulated.line("modem1 socket://").rsplit("//", 1)[1].split(":")
        assert simulated.line("modem2 socket://")
        assert simulated.line("+79160000002") == "+79160000002 ek270 41203378"
        assert simulated.line("ready")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(b"ATE0\rATD+79160000001\r")
            heard = b""
            while b"BUSY\r\n" not in heard:
                heard += line.recv(64)
        ended = simulated.end(signal.SIGTERM)
        assert (ended.status, ended.err) == (0, "")
    (call,) = json.loads((desk.folder / "held" / "calls.json").read_text(encoding="utf-8"))
    assert (call["number"], call["result"]) == ("+79160000001", "BUSY")
    assert json.loads((desk.folder / "held" / "41203378.json").read_text(encoding="utf-8"))["serial"] == "41203378"


def test_failures_of_modems_can_be_listed(desk: Desk) -> None:
    said = desk.run("simulate", "modems", "--list-failures").out
    assert "lost_silently_after=N" in said
    assert "sim_busy_s=SECONDS" in said
    assert "every kind of failing call" in said
