"""What should never come, comes to the real program: a clear outcome, nothing lost, others are read beside it."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.programs import simulated_meter
from tests.end_to_end.test_gateway_reads import IMEI, LISTENER, SERIAL, Place, calling_meter

pytestmark = pytest.mark.end_to_end

SILENT = 1000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, LISTENER.format(port=0) + "identify_timeout = 5.0\nidentify_bytes = 100000\n")


@contextmanager
def silent_lines(port: int, number: int) -> Iterator[list[socket.socket]]:
    """So many connections that say nothing, and read nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as open_lines:
        yield [open_lines.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(number)]


def received_until_closed(line: socket.socket, seconds: float) -> bytes:
    line.settimeout(seconds)
    came = b""
    while data := line.recv(4096):
        came += data
    return came


def test_meter_is_read_beside_a_thousand_connections_that_say_nothing(place: Place) -> None:
    place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"caller:{IMEI}")
    with place.gateway() as port, silent_lines(port, SILENT) as lines:
        began = time.monotonic()
        with calling_meter(port, "--registration", f"{IMEI}\\r\\n"):
            place.wait_for(
                lambda: "read" in {one["outcome"] for one in place.lists("session", "list", "--meter", SERIAL)}
            )
        for line in lines:
            received_until_closed(line, 15)  # raises if one of them is kept
        assert time.monotonic() - began < 30
        place.wait_for(lambda: None not in place.outcomes())
    sessions = place.lists("session", "list", "--outcome", "line_lost", "--outcome", "silent")
    assert len([session for session in sessions if session["bytes_received"] == 0]) == SILENT
    assert place.lists("reading", "list", "--meter", SERIAL, "--archive", "interval")


def test_meter_is_read_beside_one_that_sends_rubbish_without_end(place: Place) -> None:
    place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"caller:{IMEI}")
    rubbish = bytes(range(256)) * 4

    def pour(line: socket.socket) -> None:
        try:
            for _ in range(4096):
                line.sendall(rubbish)
        except OSError:
            return

    with place.gateway() as port, socket.create_connection(("127.0.0.1", port), 10) as line:
        pouring = threading.Thread(target=pour, args=(line,))
        pouring.start()
        with calling_meter(port, "--registration", f"{IMEI}\\r\\n"):
            place.wait_for(lambda: "read" in place.outcomes())
        pouring.join(20)
        assert not pouring.is_alive(), "the gateway takes all there is"
    (session,) = [one for one in place.lists("session", "list") if one["outcome"] != "read"]
    assert session["outcome"] == "garbled"
    assert 100_000 < session["bytes_received"] < 1_000_000
    place.says("session", "verify", str(session["id"]))


def test_caller_that_answers_as_another_meter_is_not_taken_for_its_own(place: Place) -> None:
    place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"caller:{IMEI}")
    with (
        place.gateway() as port,
        calling_meter(port, "--registration", f"{IMEI}\\r\\n", "--quirk", "other_serial=99887766"),
    ):
        place.wait_for(lambda: "unknown_meter" in place.outcomes())
    (session, *_) = place.lists("session", "list", "--outcome", "unknown_meter")
    shown = place.says("session", "show", str(session["id"]))
    assert SERIAL in shown
    assert "99887766" in shown
    assert place.lists("reading", "list") == []
    assert [meter["serial"] for meter in place.lists("meter", "list")] == [SERIAL]


def test_meter_whose_clock_is_years_ahead_is_read_and_every_value_says_so(place: Place) -> None:
    quirks = ("clock_offset_s=94608000", "counter_back", "check_failed", "unknown_columns", "russian_units")
    switches = [word for quirk in quirks for word in ("--quirk", quirk)]
    with simulated_meter("--days", "3", *switches) as meter:
        place.says("meter", "add", SERIAL, "--codec", "lis200", "--route", f"tcp:127.0.0.1:{meter}")
        place.says("read", SERIAL, "--what", "archive", "--archive", "interval")
    readings = place.lists("reading", "list", "--archive", "interval")
    qualities = {word for reading in readings for word in reading["quality"].split()}
    assert {"counter_back", "check_failed"} <= qualities
    assert all("clock_off" in reading["quality"] for reading in readings)
    assert "m3" in {reading["unit"] for reading in readings}
    orders = sorted({reading["order_number"] for reading in readings})
    assert orders == list(range(orders[0], orders[0] + len(orders)))
    assert len(orders) >= 70
    assert place.outcomes() == ["read"]
    assert "no change" in place.says("reprocess", "--dry-run")
