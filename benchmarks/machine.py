"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter


def processor() -> str:
    """The processor's name as the kernel gives it."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1].strip() if found else platform.machine()


def memory_gib() -> float:
    """Memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def file_system(folder: Path) -> str:
    """The type of the file system a folder is on."""
    said = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def describe(folder: Path) -> dict[str, str]:
    """The machine and the programs in words."""
    return {
        "processor": f"{os.cpu_count()} cores, {processor()}",
        "memory": f"{memory_gib():.0f} GiB",
        "file system": file_system(folder),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Twisted": version("twisted"),
        "load at start": f"{os.getloadavg()[0]:.1f}",
    }


def commits_per_s(folder: Path, seconds: float = 0.5) -> float:
    """Durable one-row SQLite transactions per second (WAL, synchronous=FULL): what the disk allows without groups."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        connection = sqlite3.connect(Path(place, "commit.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, data BLOB)")
        data, done, end = bytes(64), 0, perf_counter() + seconds
        began = perf_counter()
        while perf_counter() < end:
            connection.execute("INSERT INTO t(data) VALUES(?)", (data,))
            done += 1
        took = perf_counter() - began
        connection.close()
    return done / took
