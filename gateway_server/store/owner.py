"""Who writes to the store: a name for this process that no other process ever has, and whether one still lives."""

from __future__ import annotations

import os
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """Our name: the machine's boot, our process number and when we were started (numbers are used again)."""
    pid = os.getpid()
    return f"{_boot()}:{pid}:{_started(pid)}"


def alive(owner: str) -> bool:
    """Whether the process of this name runs on this machine since its last boot."""
    boot, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    if not pid.isdecimal() or boot != _boot():
        return False
    return runs(int(pid)) and _started(int(pid)) == started


def runs(pid: int) -> bool:
    """Whether there is such a process; one that has ended and waits to be fetched by its parent is none any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _stat(pid)[:1] not in (["Z"], ["X"])


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return "boot"  # not Linux: process numbers alone must do


def _started(pid: int) -> str:
    """Clock ticks between boot and the start of the process: field 22 of proc(5) stat."""
    return (_stat(pid)[19:20] or [""])[0]


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) stat from the third on, its state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []  # not Linux, or gone
