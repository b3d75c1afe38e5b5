"""Frames in, durable, acknowledged: our whole product path beside bare Twisted with and without a store."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.machine import commits_per_s
from benchmarks.processes import can_count_syncs, generate, syncs_counted
from benchmarks.servers import server

SESSIONS = (1, 100, 1000)


def measure(place: Path, *, runs: int, seconds: float) -> list[Figure]:
    """Servers in turn (A B C A B C), a new store each time."""
    figures: list[Figure] = []
    for sessions in SESSIONS:
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for _ in range(runs):
            found["disk"]["commits_per_s"].append(commits_per_s(place))
            for name in ("null", "naive", "ours"):
                with tempfile.TemporaryDirectory(dir=place) as folder, server(name, Path(folder)) as running:
                    cpu, written = running.cpu_s(), running.written_bytes()
                    told = generate("load", running, sessions, seconds=seconds)
                    told["cpu_us"] = 1e6 * (running.cpu_s() - cpu) / told["frames"]
                    told["written"] = (running.written_bytes() - written) / told["frames"]
                for what, value in told.items():
                    found[name][what].append(value)
        figures += _figures(sessions, found)
        figures += _syncs(place, sessions, seconds)
    return figures


def _figures(sessions: int, found: dict[str, dict[str, list[float]]]) -> list[Figure]:
    ours, naive, null, commits = found["ours"], found["naive"], found["null"], found["disk"]["commits_per_s"]
    at = f"{sessions} session{'s' if sessions > 1 else ''}"
    rate, naive_name = "frames_per_s", "a transaction per frame"
    figures = []
    if sessions > 1:
        figures.append(Figure(f"durable frames, {at}", "1/s", ours[rate], naive_name, naive[rate], wanted=4))
        figures.append(Figure(f"durable frames, {at}", "1/s", ours[rate], "Twisted, nothing stored", null[rate]))
    else:
        floor = [p50 + 1000 / commit for p50, commit in zip(null["p50_ms"], commits, strict=True)]
        figures += [
            Figure(f"p50, {at}", "ms", ours["p50_ms"], "null + one commit", floor, higher_is_better=False, wanted=2),
            Figure(f"p50, {at}", "ms", ours["p50_ms"], naive_name, naive["p50_ms"], higher_is_better=False),
        ]
    figures += [
        Figure(f"p99, {at}", "ms", ours["p99_ms"], naive_name, naive["p99_ms"], higher_is_better=False),
        Figure(f"p99, {at}", "ms", ours["p99_ms"], "Twisted, nothing stored", null["p99_ms"], higher_is_better=False),
        Figure(f"processor, {at}", "µs/frame", ours["cpu_us"], naive_name, naive["cpu_us"], higher_is_better=False),
        Figure(
            f"written to disk, {at}", "B/frame", ours["written"], naive_name, naive["written"], higher_is_better=False
        ),
    ]
    return figures


WANTED_SYNCS = {100: 0.10, 1000: 0.03}


def _syncs(place: Path, sessions: int, seconds: float) -> list[Figure]:
    """In a run of their own under a tracer that stops only at sync calls; start and stop of the server included."""
    if why := can_count_syncs():
        return [Figure(f"syncs, {sessions} sessions: not counted, {why}", "1/frame", ())]
    counted = {}
    for name in ("ours", "naive"):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            report = Path(folder, "syncs")
            with server(name, Path(folder), count_syncs=report) as running:
                frames = generate("load", running, sessions, seconds=seconds)["frames"]
            counted[name] = syncs_counted(report) / frames
    return [
        Figure(
            f"syncs, {sessions} session{'s' if sessions > 1 else ''}",
            "1/frame",
            (counted["ours"],),
            wanted=WANTED_SYNCS.get(sessions),
            higher_is_better=False,
        ),
        Figure(
            f"syncs, {sessions} session{'s' if sessions > 1 else ''}",
            "1/frame",
            (counted["ours"],),
            "a transaction per frame",
            (counted["naive"],),
            higher_is_better=False,
        ),
    ]
