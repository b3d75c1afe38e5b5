"""Thousands of meters that are connected: what they cost while silent, and how they all come back at once.

What a program takes once, however many meters there are, is not memory per session. So before memory is counted each
contender works for some seconds, with a hundredth of the sessions: what these leave behind to be used again flatters
it by no more than that. Everything else counts, also that the store's page cache (64 MB at most) fills with what the
sessions say; a store that has been at work for a day has it full.

Beware: bare Twisted takes 1.07 kB a connection when its very first ones came one by one, and 1.68 kB when a hundred
came together, as they do in the field and in this warm-up.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.processes import generate, generator
from benchmarks.servers import server

STORM = 5000
WARM_UP_SECONDS = 3.0


def idle(place: Path, *, runs: int, sessions: int) -> list[Figure]:
    """Memory per identified session that has sent one frame and then says nothing."""
    memory: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        for name in ("null", "ours"):
            with (
                tempfile.TemporaryDirectory(dir=place) as folder,
                server(name, Path(folder), meters=sessions) as running,
            ):
                generate("load", running, sessions // 100, seconds=WARM_UP_SECONDS)
                before = running.resident_kb()
                with generator("hold", running, sessions) as process:
                    assert process.stdout is not None
                    if process.stdout.readline() != "holding\n":
                        raise RuntimeError("the generator could not hold its sessions")
                    memory[name].append((running.resident_kb() - before) / sessions)
                    process.communicate()
    what = f"memory, {sessions} identified idle sessions"
    return [Figure(what, "kB each", memory["ours"], "Twisted", memory["null"], higher_is_better=False, wanted=4)]


def storm(place: Path, *, runs: int, sessions: int = STORM) -> list[Figure]:
    """All meters connect at the same instant; each is identified."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(runs):
        for name in ("null", "stock", "ours"):
            with (
                tempfile.TemporaryDirectory(dir=place) as folder,
                server(name, Path(folder), meters=sessions) as running,
            ):
                for what, value in generate("storm", running, sessions).items():
                    found[name][what].append(value)
    ours, null, stock = found["ours"], found["null"], found["stock"]
    return [
        Figure(
            f"storm of {sessions}: {words} p99",
            "ms",
            ours[what],
            beside,
            figures[what],
            higher_is_better=False,
            wanted=wanted,
        )
        for what, words, beside, figures, wanted in (
            ("identified_p99_ms", "identified", "Twisted, backlog 4096", null, 1.5),
            ("connect_p99_ms", "connected", "Twisted, backlog 4096", null, 1.5),
            ("identified_p99_ms", "identified", "Twisted, its own backlog 50", stock, None),
        )
    ]
