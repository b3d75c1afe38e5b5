"""The real program reads real bytes: called, calling, over TLS, over a port on the desk, and refused in words."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway_server.testing.fake_meter import FakeMeter
from tests.end_to_end.programs import ROOT, first_line, program, said_by, simulated_meter

pytestmark = pytest.mark.end_to_end

SERIAL = "41203377"
IMEI = "350000000000001"
LISTENER = """
[[listener]]
name = "gprs"
endpoint = "tcp:{port}:interface=127.0.0.1"
codec = "lis200"
identify = ["registration", "codec"]
registration = '(?P<id>\\d{{15}})\\r?\\n'
registration_timeout = 1.0
"""


class Place:
    """A folder with a configuration and a store."""

    def __init__(self, folder: Path, config: str) -> None:
        self.config = folder / "gateway.toml"
        self.config.write_text(config)

    def says(self, *arguments: str) -> str:
        return said_by(*arguments, "-c", str(self.config))

    def lists(self, *arguments: str) -> list[dict[str, Any]]:
        document: list[dict[str, Any]] = json.loads(self.says(*arguments, "--json"))
        return document

    @contextmanager
    def gateway(self) -> Iterator[int]:
        """The running gateway; gives the port of its first listener."""
        with program("run", "-c", str(self.config)) as running:
            yield int(first_line(running).rpartition(":")[2])

    def wait_for(self, what: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, f"it did not happen; sessions: {self.lists('session', 'list')}"
            threading.Event().wait(0.1)

    def outcomes(self) -> list[str]:
        return [session["outcome"] for session in self.lists("session", "list")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, LISTENER.format(port=0))


def calling_meter(port: int, *arguments: str):  # type: ignore[no-untyped-def]
    return program("simulate", "meter", "--call", f"127.0.0.1:{port}", "--days", "2", "--seconds", "60", *arguments)


def test_meter_behind_a_gprs_modem_is_read_when_it_calls_and_again_when_a_person_asks(place: Place) -> None:
    place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"caller:{IMEI}")
    with place.gateway() as port, calling_meter(port, "--registration", f"{IMEI}\\r\\n"):
        place.wait_for(lambda: place.outcomes() == ["read"])
        assert "read" in place.says("read", SERIAL, "--what", "current")
        sessions = place.lists("session", "list")
    assert [session["meter"] for session in sessions] == [SERIAL] * 2
    assert {session["caller"] for session in sessions} == {IMEI}
    assert [session["remote"] for session in sessions[1:]] == [sessions[0]["remote"]], "over the same line"
    assert place.lists("reading", "list", "--archive", "interval")


def test_heartbeats_of_an_open_line_are_shown_and_stand_every_check(tmp_path: Path) -> None:
    place = Place(tmp_path, LISTENER.format(port=0) + 'heartbeats = ["LOG"]\n')
    place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"caller:{IMEI}")
    beating = ("--registration", f"{IMEI}\\r\\n", "--heartbeat", "LOG", "--heartbeat-seconds", "0.2")
    with place.gateway() as port, calling_meter(port, *beating):
        place.wait_for(lambda: place.outcomes() == [None, "read"])
        place.says("read", SERIAL, "--what", "current")
        place.wait_for(lambda: place.outcomes() == [None, "read", "idle", "read"])
    (last, *_), idle = place.lists("session", "list"), place.lists("session", "list", "--outcome", "idle")
    assert last["outcome"] == "idle", "the gateway that stops closes it"
    for session in idle:
        place.says("session", "verify", str(session["id"]))
        assert "LOG" in place.says("session", "show", str(session["id"]))
        assert (session["meter"], session["bytes_received"] % 3) == (SERIAL, 0)
    assert "no change" in place.says("reprocess", "--dry-run")


def test_unknown_caller_is_kept_and_read_as_soon_as_somebody_claims_it(place: Place) -> None:
    with place.gateway() as port, calling_meter(port):
        place.wait_for(lambda: "unknown_meter" in place.outcomes())
        (stranger,) = place.lists("meter", "list", "--state", "unclaimed")
        assert stranger["serial"] == SERIAL
        place.says("meter", "claim", SERIAL)
        place.says("read", SERIAL, "--what", "current")
        assert place.outcomes()[0] == "read"


def test_meter_that_is_a_server_is_read_through_the_gateway_and_without_it(place: Place) -> None:
    with simulated_meter("--days", "2") as meter:
        place.says("meter", "add", SERIAL, "--route", f"tcp:127.0.0.1:{meter}")
        with place.gateway():
            place.says("read", SERIAL, "--what", "current")
        place.says("read", SERIAL, "--what", "archive", "--archive", "interval")
    assert place.outcomes() == ["read", "read"]
    assert [session["job"] for session in place.lists("session", "list")] == [None, 1]


def test_unit_on_the_desk_is_read_and_found_over_its_port(place: Place) -> None:
    place.says("meter", "add", SERIAL)
    with program("simulate", "meter", "--pty", "--days", "2", "--seconds", "60") as meter:
        port = first_line(meter).split()[-1].removeprefix("serial:")
        place.says("read", SERIAL, "--what", "current", "--via", f"serial:{port}")
        found = json.loads(place.says("read", "--probe", port, "--json"))
    assert found["meter"] == SERIAL
    assert found["route"] == f"serial:{port}:19200:8N1"
    assert {session["transport"] for session in place.lists("session", "list")} == {"serial"}


def test_optical_head_is_signed_on_at_300_baud_and_read_at_the_speed_it_offers(place: Place) -> None:
    place.says("meter", "add", SERIAL)
    head = ("simulate", "meter", "--pty", "--baud", "300", "--days", "1", "--seconds", "200")
    with program(*head) as meter:
        port = first_line(meter).split()[-1].removeprefix("serial:")
        for _ in range(2):
            place.says("read", SERIAL, "--what", "current", "--via", f"serial:{port}:300:7E1")
    assert place.outcomes() == ["read", "read"]


def test_meter_is_read_over_tls(tmp_path: Path) -> None:
    certificate = certified(tmp_path)
    place = Place(
        tmp_path,
        '[[listener]]\nname = "tls"\ncodec = "lis200"\n'
        'endpoint = "ssl:0:interface=127.0.0.1:privateKey=key.pem:certKey=certificate.pem"\n',
    )
    place.says("meter", "add", SERIAL)
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    with (
        place.gateway() as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain) as line,
    ):
        answer_until_read(line)
        place.wait_for(lambda: place.outcomes() == ["read"])
    (session,) = place.lists("session", "list")
    assert (session["transport"], session["listener"]) == ("tcp", "tls")


def answer_until_read(line: socket.socket) -> None:
    """A simulated meter at this end of a socket, until the gateway has signed off."""
    now = datetime(2026, 3, 1, 12)
    meter = FakeMeter(days=1, now=now)
    while not meter.sign_offs:
        data = line.recv(4096)
        assert data, "the gateway hung up"
        for reply in meter.received(data):
            line.sendall(reply.data)


def certified(folder: Path) -> Path:
    """A key and a certificate of its own, as an operator would make them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway.test")])
    today = datetime.fromtimestamp(time.time(), UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def run_to_its_end(config: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "gateway_server", "run", "-c", str(config)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


def test_port_that_is_taken_is_told_with_the_listeners_name(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        place = Place(tmp_path, LISTENER.format(port=port))
        status, said = run_to_its_end(place.config)
    assert status == 2
    assert 'listener "gprs"' in said
    assert f"tcp:{port}" in said
    assert "Traceback" not in said


def test_second_gateway_on_a_store_is_refused(place: Place) -> None:
    with place.gateway():
        status, said = run_to_its_end(place.config)
    assert status == 2
    assert "another gateway runs on the store" in said


def test_gateway_that_is_told_to_stop_ends_its_sessions_and_leaves_a_sound_store(place: Place) -> None:
    with program("run", "-c", str(place.config)) as running:
        port = int(first_line(running).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"350000000000001\r\n")
            place.wait_for(lambda: len(place.lists("session", "list")) == 1)
            running.terminate()
            assert running.wait(10) == 0
    (session,) = place.lists("session", "list")
    assert session["outcome"] == "line_lost"
    assert "the gateway stops" in session["detail"]
    assert session["bytes_received"] == 17
    place.says("store", "check")
