"""Files in by FTP, a session each: ours, durable before 226, beside stock pyftpdlib and vsftpd, which sync nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from benchmarks.anchors import ftp_server
from benchmarks.figures import Figure
from benchmarks.machine import commits_per_s
from benchmarks.processes import ROOT, Server, can_count_syncs, environment, syncs_counted
from benchmarks.servers import cli
from benchmarks.uploader import PASSWORD, login
from gateway_server.model import MeterState
from gateway_server.store.open import open_store
from gateway_server.store.passwords import hashed
from gateway_server.store.records import MeterRecord

CLIENTS = (1, 20, 200)
PYFTPDLIB, SYNCED, VSFTPD = "pyftpdlib", "synced", "vsftpd"
NAMES = {PYFTPDLIB: "pyftpdlib", SYNCED: "pyftpdlib that syncs", VSFTPD: "vsftpd"}
WANTED = {PYFTPDLIB: 1.0, VSFTPD: 3.0}  # at 20 clients
SIZE = 4096

CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[ftp]]
name = "drop"
listen = "127.0.0.1:0"
passive_ports = "20000-20999"
"""


def drop(folder: Path, *, count_syncs: Path | None = None) -> Server:
    """A gateway with an account for every uploader, not yet started."""
    (folder / "gateway.toml").write_text(CONFIG)
    secret = hashed(PASSWORD)
    with closing(open_store(f"sqlite:///{folder / 'gateway.db'}")) as store:
        meters = [
            MeterRecord(f"{number:08d}", "", "lis200", "", (f"ftp:{login(number)}",), state=MeterState.ACTIVE)
            for number in range(1, max(CLIENTS) + 1)
        ]
        store.put_meters((meter, None) for meter in meters)
        for number in range(1, max(CLIENTS) + 1):
            store.set_upload_secret(login(number), secret)
    return Server(cli(folder, "run", "--only", "ftp"), count_syncs=count_syncs)


def server(name: str, folder: Path) -> Server:
    """``ours``, or one of the anchors."""
    if name == "ours":
        return drop(folder)
    return Server([sys.executable, "-m", "benchmarks.anchors.ftp_server", name, str(folder / "drop")])


def upload(running: Server, clients: int, seconds: float, *options: str) -> dict[str, float]:
    """Lets uploaders loose on a server and gives their figures."""
    command = [sys.executable, "-m", "benchmarks.uploader", "--port", str(running.port), "--clients", str(clients)]
    command += ["--pid", str(running.pid)]
    command += ["--seconds", str(seconds), "--size", str(SIZE), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    if done.returncode:
        raise RuntimeError(f"the uploaders failed with {clients} clients:\n{done.stderr}")
    told = json.loads(done.stdout)
    figures: dict[str, float] = told["figures"]
    return figures


def measure(place: Path, *, runs: int, seconds: float) -> list[Figure]:
    """Servers in turn, a new store or folder each time."""
    contenders: dict[str, tuple[str, ...]] = {"ours": (), PYFTPDLIB: (), SYNCED: ()}
    if ftp_server.program() is not None:
        contenders[VSFTPD] = ("--folder", "pub/", "--account", "anonymous")
    figures: list[Figure] = []
    for clients in CLIENTS:
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for _ in range(runs):
            found["disk"]["commits_per_s"].append(commits_per_s(place))
            for name, options in contenders.items():
                with tempfile.TemporaryDirectory(dir=place) as folder, server(name, Path(folder)) as running:
                    told = upload(running, clients, seconds, *options)
                for what, value in told.items():
                    found[name][what].append(value)
        figures += _figures(clients, found)
    if VSFTPD not in contenders:
        figures.append(Figure("vsftpd: not measured, it is not installed", "", ()))
    return [*figures, *_syncs(place, seconds)]


def _figures(clients: int, found: dict[str, dict[str, list[float]]]) -> list[Figure]:
    ours = found["ours"]
    at = f"{clients} client{'s' if clients > 1 else ''}"
    figures = []
    for contender, name in NAMES.items():
        if contender in found:
            beside = found[contender]
            wanted = WANTED.get(contender) if clients == 20 or contender == PYFTPDLIB else None
            figures += [
                Figure(
                    f"uploads of 4 kB, {at}", "1/s", ours["uploads_per_s"], name, beside["uploads_per_s"], wanted=wanted
                ),
                Figure(f"p99 of a session, {at}", "ms", ours["p99_ms"], name, beside["p99_ms"], higher_is_better=False),
                Figure(f"failed sessions, {name}, {at}", "", beside["failed"], higher_is_better=False),
            ]
    figures += [
        Figure(f"failed sessions, ours, {at}", "", ours["failed"], wanted=0, higher_is_better=False),
        Figure(
            f"processor, {at}",
            "µs/upload",
            ours["cpu_us"],
            PYFTPDLIB,
            found[PYFTPDLIB]["cpu_us"],
            higher_is_better=False,
        ),
        Figure(f"first logins of their accounts, {at}", "1/s", ours["first_per_s"]),
    ]
    return figures


def _syncs(place: Path, seconds: float) -> list[Figure]:
    """In a run of its own under a tracer that stops only at sync calls; start and stop of the server included."""
    if why := can_count_syncs():
        return [Figure(f"syncs: not counted, {why}", "1/upload", ())]
    with tempfile.TemporaryDirectory(dir=place) as folder:
        report = Path(folder, "syncs")
        with drop(Path(folder), count_syncs=report) as running:
            files = upload(running, 20, seconds)["files"]
        counted = syncs_counted(report) / max(1.0, files)
    return [Figure("syncs, 20 clients", "1/upload", (counted,), higher_is_better=False)]
