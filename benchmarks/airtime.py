"""Air time of a whole read by modem: 9600 bit/s, 600 ms round trip, from CONNECT to when we begin to hang up.

A simulated modem behind RFC 2217 with a simulated EK270 at its number; ours is `gateway-server read --via csd:NUMBER`
of a meter that was read before, beside it PyPI's client on the same line. What counts is the modem's own account of
the call, in its own time: a month passes five times as fast.
"""

from __future__ import annotations

import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.anchors import iec62056_client
from benchmarks.figures import Figure
from benchmarks.processes import ROOT, environment
from benchmarks.servers import cli

ROUND_TRIP_S = 0.6
BYTES_A_SECOND = 960
SETUP_TURNS = 3  # identification, option, and the password, which a LIS-200 never asks for beyond its challenge
NUMBER = "+79160000001"
SERIAL = "41203377"
THEIR_ROWS_A_BLOCK = 10
LARGEST_BLOCK = 250  # of the simulated meter; no manual says what devices bear
CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[modem]]
name = "m1"
port = "%s"
"""
EARLY = """
[calls]
early_acknowledge = ["EK270"]
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is read, how fast the modem's time goes meanwhile, what is wanted of the ratio to the floor, and how the
    meter cuts its blocks; ``early`` is outside the standard, so the protocol's minimum is no measure of it."""

    name: str
    rows: int
    speed_up: float
    wanted: float
    largest_block: int = LARGEST_BLOCK
    early: bool = False


DAY = Subject("a day, 24 hourly rows", 24, 1, 1.5)
MONTH = Subject("a month, 720 hourly rows", 720, 5, 1.05)
EARLY_MONTH = Subject("a month in blocks of 10 rows, acknowledged early", 720, 5, 1.05, THEIR_ROWS_A_BLOCK, early=True)


@dataclass(frozen=True, slots=True)
class Call:
    """What the modem says of a call, and what was in it. ``blocks`` and ``row_bytes`` are the archive's."""

    air_s: float
    octets: int
    turns: int
    blocks: int
    row_bytes: int

    @property
    def minimum_s(self) -> float:
        """What the protocol needs for these octets in these blocks."""
        return ROUND_TRIP_S * (SETUP_TURNS + self.blocks - 1) + self.octets / BYTES_A_SECOND

    @property
    def floor_s(self) -> float:
        """What physics needs: one request, one answer of nothing but rows."""
        return ROUND_TRIP_S + self.row_bytes / BYTES_A_SECOND


@contextmanager
def modem(folder: Path, speed_up: float, largest_block: int = LARGEST_BLOCK) -> Iterator[str]:
    """A bank of one modem; gives its port. What it says of its calls stands in the folder afterwards."""
    order = ["simulate", "modems", "--rfc2217", "--speed-up", f"{speed_up}", "--setup-seconds", "1", "--seed", "1"]
    order += ["--failures", "registration_s=0", "--quirk", f"largest_block={largest_block}", "--dump", str(folder)]
    bank = subprocess.Popen(
        [sys.executable, "-m", "gateway_server", *order],
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        text=True,
    )
    assert bank.stdout is not None
    try:
        port = bank.stdout.readline().split()[1]
        while bank.stdout.readline() != "ready\n":
            pass
        yield port
    finally:
        bank.send_signal(signal.SIGTERM)
        bank.wait(30)
        bank.stdout.close()


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The hourly rows that the meter holds, oldest first."""
    rows: list[dict[str, Any]] = json.loads((folder / f"{SERIAL}.json").read_text("utf-8"))["archives"]["3"]["rows"]
    return rows


def last_call(folder: Path) -> dict[str, Any]:
    """What the modem that has ended says of its last call."""
    calls: list[dict[str, Any]] = json.loads((folder / "calls.json").read_text("utf-8"))
    return calls[-1]


def span(folder: Path, rows: int) -> tuple[str, str]:
    """The times of the first and the last of so many rows, as they stand in the meter."""
    held = rows_of(folder)[-rows - 2 : -2]
    return held[0]["time"], held[-1]["time"]


def run(folder: Path, *arguments: str) -> str:
    """A command of the program that must succeed; its standard output."""
    done = subprocess.run(cli(folder, *arguments), capture_output=True, env=environment(), cwd=ROOT, text=True)
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr}")
    return done.stdout


def iso(time: str) -> str:
    """A time of the meter's, as a command line takes it; simulated meters keep Moscow time."""
    return datetime.strptime(time, "%Y-%m-%d,%H:%M:%S").isoformat() + "+03:00"


def blocks_in(exported: str) -> tuple[int, int]:
    """How many archive blocks stand in an exported session, and how many octets they are."""
    entries = [json.loads(line) for line in exported.splitlines()]
    heard = b"".join(bytes.fromhex(entry["bytes"]) for entry in entries if entry["direction"] == "<")
    # A block runs from STX to ETX or EOT and one octet of check behind it.
    blocks = [
        found for found in re.findall(rb"\x02\([^\x03\x04]*[\x03\x04].", heard, re.DOTALL) if b"(CRC Ok)" in found
    ]
    return len(blocks), sum(map(len, blocks))


def ours(place: Path, subject: Subject) -> Call:
    """Reads a span by modem with the product; the meter was met before, and its archive's layout is known."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        with modem(folder / "held", subject.speed_up, subject.largest_block) as port:
            (folder / "gateway.toml").write_text(CONFIG % port + (EARLY if subject.early else ""))
            since, until = span(folder / "held", subject.rows)
            route = f"csd:{NUMBER}"
            run(folder, "meter", "add", SERIAL, "--codec", "lis200", "--route", route)
            read = ["read", SERIAL, "--via", route, "--what", "archive", "--archive", "interval"]
            oldest = iso(rows_of(folder / "held")[0]["time"])
            run(folder, *read, "--from", oldest, "--to", oldest)
            run(folder, *read, "--from", iso(since), "--to", iso(until))
        told = last_call(folder / "held")
        session = json.loads(run(folder, "session", "list", "--json"))[0]["id"]
        blocks, row_bytes = blocks_in(run(folder, "session", "export", str(session), "--format", "jsonl", "-o", "-"))
        stored = json.loads(
            run(folder, "reading", "list", "--json", "--archive", "interval", "--from", iso(since), "--to", iso(until))
        )
        rows = {one["order_number"] for one in stored}
        if len(rows) != subject.rows:
            raise RuntimeError(f"{len(rows)} rows were stored instead of {subject.rows}")
        return Call(told["air_s"], told["sent"] + told["received"], told["turns"], blocks, row_bytes)


def theirs(place: Path, subject: Subject) -> Call:
    """The same rows with PyPI's client, in blocks of the size that everybody asks for."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        held = Path(name)
        with modem(held, subject.speed_up) as port:
            since, until = span(held, subject.rows)
            rows = iec62056_client.read(port, NUMBER, since, until, THEIR_ROWS_A_BLOCK, subject.speed_up)
        if rows != [row["cells"] for row in rows_of(held) if since <= row["time"] <= until]:
            raise RuntimeError("PyPI's client read other rows than the meter holds")
        told = last_call(held)
        blocks = -(-subject.rows // THEIR_ROWS_A_BLOCK)
        return Call(told["air_s"], told["sent"] + told["received"], told["turns"], blocks, 0)


def measure(place: Path, *, runs: int, subjects: tuple[Subject, ...]) -> list[Figure]:
    """Both in turn, for each subject."""
    figures: list[Figure] = []
    for subject in subjects:
        mine, others = [], []
        for _ in range(runs):
            mine.append(ours(place, subject))
            others.append(theirs(place, subject))
        air = [call.air_s for call in mine]
        waits = statistics.median(call.turns - 1 for call in mine)
        blocks = statistics.median(call.blocks for call in mine)
        name = f"air time of {subject.name}"
        if not subject.early:
            figures.append(
                Figure(
                    f"{name}, {blocks:.0f} blocks, {waits:.0f} round trips",
                    "s",
                    air,
                    "the protocol's minimum",
                    [call.minimum_s for call in mine],
                    higher_is_better=False,
                    wanted=1.03,
                )
            )
        figures += [
            Figure(
                name,
                "s",
                air,
                "the physical floor",
                [call.floor_s for call in mine],
                higher_is_better=False,
                wanted=subject.wanted,
            ),
            Figure(
                name,
                "s",
                air,
                f"iec62056-21 0.0.2, {THEIR_ROWS_A_BLOCK} rows a block",
                [call.air_s for call in others],
                higher_is_better=False,
            ),
        ]
    return figures
