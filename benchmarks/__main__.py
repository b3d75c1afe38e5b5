"""``python -m benchmarks``: measures, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import airtime, codec, connections, ftp, ingest, night, profile, readside
from benchmarks.figures import Figure, as_markdown, as_table
from benchmarks.machine import describe
from benchmarks.processes import many_files

Measure = Callable[[Path, bool, int], list[Figure]]

SUBJECTS: dict[str, Measure] = {
    "ingest": lambda place, quick, runs: ingest.measure(place, runs=runs, seconds=0.7 if quick else 2.0),
    "idle": lambda place, quick, runs: connections.idle(
        place, runs=1 if quick else 3, sessions=2000 if quick else 10_000
    ),
    "storm": lambda place, quick, runs: connections.storm(place, runs=runs, sessions=1000 if quick else 5000),
    "ftp": lambda place, quick, runs: ftp.measure(place, runs=runs, seconds=1.0 if quick else 3.0),
    "codec": lambda place, quick, runs: codec.measure(runs=runs, seconds=0.1 if quick else 0.5),
    "profile": lambda place, quick, runs: profile.measure(runs=runs, seconds=0.1 if quick else 0.5),
    "airtime": lambda place, quick, runs: airtime.measure(
        place, runs=runs, subjects=(airtime.DAY,) if quick else (airtime.DAY, airtime.MONTH, airtime.EARLY_MONTH)
    ),
    "night": lambda place, quick, runs: night.measure(place, runs=runs, meters=200 if quick else 1000),
    "readside": lambda place, quick, runs: readside.measure(place, runs=runs, meters=20 if quick else 200),
}


def main() -> int:
    """Runs what was asked for; 1 if something that was wanted is not reached."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument(
        "--quick", action="store_true", help="one short run of each: less than a minute, less to trust"
    )
    options.add_argument("--only", action="append", choices=list(SUBJECTS), help="this subject; may be repeated")
    options.add_argument("--runs", type=int, help="runs of each contender, in turn (5; with --quick 1)")
    options.add_argument("--folder", type=Path, help="where the stores are made: a folder on the disk to be measured")
    options.add_argument("--json", type=Path, help="every single figure, as one JSON document, into this file")
    options.add_argument("--markdown", type=Path, help="the table for docs/performance.md, into this file")
    chosen = options.parse_args()
    runs = chosen.runs or (1 if chosen.quick else 5)
    many_files()
    messages = Console(stderr=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        place = Path(folder)
        machine = describe(place)
        for subject in chosen.only or SUBJECTS:
            messages.print(f"measuring {subject} ...")
            figures += SUBJECTS[subject](place, chosen.quick, runs)
    Console(width=None if sys.stdout.isatty() else 160).print(as_table(figures))
    if chosen.json:
        document = {"machine": machine, "runs": runs, "figures": [figure.as_json() for figure in figures]}
        chosen.json.write_text(json.dumps(document, indent=1))
    if chosen.markdown:
        lines = [*(f"- {name}: {value}" for name, value in machine.items()), "", as_markdown(figures), ""]
        chosen.markdown.write_text("\n".join(lines))
    return 1 if any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
