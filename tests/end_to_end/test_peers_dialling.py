"""Programs that nobody here wrote dial our simulated modems: chat, pyserial's RFC 2217 client, ser2net, sredird.

What counts as proof is what a meter says at the far end, and what the bank says of its calls afterwards.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
from serial import rfc2217

from tests.end_to_end.programs import first_line, free_port, program

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(\) is deprecated:DeprecationWarning"),  # as pyserial 3.5 does
]

NUMBER = "+79160000001"
IDENTIFICATION = b"/Els6EK270\r\n"
QUICK = ("--setup-seconds", "0.5", "--round-trip", "0.1", "--failures", "registration_s=0", "--days", "1")


@contextmanager
def modem(folder: Path, *options: str) -> Iterator[str]:
    """A bank of one modem; gives its port."""
    order = ("simulate", "modems", *QUICK, *options, "--dump", str(folder / "held"), "--seconds", "60")
    with program(*order) as bank:
        port = first_line(bank).partition(" ")[2]
        while first_line(bank) != "ready":
            pass
        yield port


def calls(folder: Path) -> list[dict[str, Any]]:
    """What the bank that has ended says of its calls."""
    made: list[dict[str, Any]] = json.loads((folder / "held" / "calls.json").read_text("utf-8"))
    return made


def needed(name: str) -> str:
    """Where a program is; skips the test if it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def chat(terminal: str, *script: str) -> subprocess.CompletedProcess[bytes]:
    """Runs chat on a terminal."""
    command = [needed("chat"), "-v", "-s", "-S", "ABORT", "BUSY", "ABORT", "NO CARRIER", "TIMEOUT", "8", *script]
    with open(terminal, "r+b", buffering=0) as end:
        return subprocess.run(command, stdin=end, stdout=end, stderr=subprocess.PIPE, timeout=60, check=False)


@contextmanager
def running(*command: str) -> Iterator[None]:
    between = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        between.terminate()
        between.wait(10)


def connected(port: int) -> socket.socket:
    """A connection to a program that is only starting."""
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            time.sleep(0.05)  # noqa: TID251 - real programs take real time
    raise AssertionError(f"nobody listens at {port}")


def awaited(port: Any, wanted: bytes, seconds: float = 10) -> bytes:
    """What a pyserial port hears up to ``wanted``."""
    heard = b""
    until = time.monotonic() + seconds
    while wanted not in heard:
        assert time.monotonic() < until, heard
        heard += port.read(1)
    return heard


def dials_and_reads(port: Any) -> None:
    """The conversation everybody has with the modem and its meter."""
    port.write(b"ATE0\r")
    awaited(port, b"OK\r\n")
    port.write(f"ATD{NUMBER}\r".encode("ascii"))
    awaited(port, b"\r\nCONNECT 9600\r\n")
    port.write(b"/?!\r\n")
    awaited(port, IDENTIFICATION)


def test_chat_dials_a_meter_and_hears_it(tmp_path: Path) -> None:
    with modem(tmp_path) as terminal:
        script = (
            "",
            "ATZ",
            "OK",
            f"ATD{NUMBER}",
            "CONNECT",
            r"/?!\r\n\c",
            "Els6EK270",
            r"\d\d+++\c",
            "OK",
            "ATH",
            "OK",
        )
        done = chat(terminal, *script)
    assert done.returncode == 0, done.stderr.decode()
    (call,) = calls(tmp_path)
    assert (call["number"], call["result"], call["sent"]) == (NUMBER, "hung up", 5 + 3)


def test_chat_gives_up_on_a_busy_number(tmp_path: Path) -> None:
    with modem(tmp_path, "--failures", "busy") as terminal:
        done = chat(terminal, "", "ATZ", "OK", f"ATD{NUMBER}", "CONNECT", "")
    assert done.returncode == 4, "chat's status is 4 for the first abort string, BUSY"
    assert [call["result"] for call in calls(tmp_path)] == ["BUSY"]


def test_rfc_2217_client_of_others_sees_the_carrier_and_hangs_up_by_dtr(tmp_path: Path) -> None:
    with modem(tmp_path, "--rfc2217") as port:
        client = rfc2217.Serial(port, 9600, timeout=1)
        try:
            carrier = [client.cd]
            assert client.cts
            dials_and_reads(client)
            carrier.append(client.cd)
            client.dtr = False
            awaited(client, b"OK\r\n")
            carrier.append(client.cd)
            assert carrier == [False, True, False]
            client.dtr = True
            client.baudrate = 19200
            client.write(b"AT\r")
            awaited(client, b"OK\r\n")
        finally:
            client.close()
    assert [call["result"] for call in calls(tmp_path)] == ["DTR dropped"]


def test_rfc_2217_client_at_the_wrong_speed_hears_rubbish_until_it_finds_the_right_one(tmp_path: Path) -> None:
    with modem(tmp_path, "--rfc2217", "--failures", "fixed_speed=19200") as port:
        client = rfc2217.Serial(port, 9600, timeout=0.5)
        try:
            client.write(b"AT\r")
            assert b"OK" not in client.read(50)
            client.baudrate = 19200
            client.write(b"\rAT\r")
            awaited(client, b"OK\r\n")
        finally:
            client.close()


def test_modem_behind_a_raw_serial_server_is_a_socket(tmp_path: Path) -> None:
    with modem(tmp_path, "--tcp") as port:
        client = serial.serial_for_url(port, timeout=1)
        try:
            dials_and_reads(client)
        finally:
            client.close()
    assert calls(tmp_path)[0]["received"] == len(IDENTIFICATION)


@pytest.mark.parametrize("kind", ["tcp", "telnet(rfc2217),tcp"])
def test_ser2net_stands_before_the_modem(tmp_path: Path, kind: str) -> None:
    ser2net = needed("ser2net")
    with modem(tmp_path) as terminal:
        port = free_port()
        config = tmp_path / "ser2net.yaml"
        config.write_text(
            f"connection: &modem\n  accepter: {kind},127.0.0.1,{port}\n"
            f"  connector: serialdev,{terminal},9600n81,local\n"
        )
        with running(ser2net, "-n", "-d", "-c", str(config)):
            connected(port).close()
            url = f"socket://127.0.0.1:{port}" if kind == "tcp" else f"rfc2217://127.0.0.1:{port}?ign_set_control"
            time.sleep(0.3)  # noqa: TID251 - ser2net lets go of its first user
            client = serial.serial_for_url(url, 9600, timeout=1)
            try:
                dials_and_reads(client)
            finally:
                client.close()
            # Closing TCP hangs up nothing: the next user is on line with the meter.
            with connected(port) as second:
                time.sleep(1.2)  # noqa: TID251 - the silence before an escape
                second.sendall(b"+++")
                heard = b""
                while b"OK\r\n" not in heard:
                    heard += second.recv(100)
                second.sendall(b"ATH\r")
                heard = b""
                while b"OK\r\n" not in heard:
                    heard += second.recv(100)
    (call,) = calls(tmp_path)
    assert call["result"] == "hung up"


def test_sredird_stands_before_the_modem(tmp_path: Path) -> None:
    sredird, socat = needed("sredird"), needed("socat")
    with modem(tmp_path) as terminal:
        port = free_port()
        listening = f"tcp-listen:{port},bind=127.0.0.1,fork,reuseaddr"
        with running(socat, listening, f"exec:{sredird} 5 {terminal} {tmp_path}/lock"):
            connected(port).close()
            time.sleep(0.5)  # noqa: TID251 - sredird lets go of its first user
            client = serial.serial_for_url(f"rfc2217://127.0.0.1:{port}?ign_set_control", 9600, timeout=1)
            try:
                dials_and_reads(client)
            finally:
                client.close()
    assert calls(tmp_path)[0]["received"] == len(IDENTIFICATION)
