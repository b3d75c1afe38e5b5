"""Servers and generators as processes of their own, and what the kernel says of them. Ended by their number only."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
CLOCK_TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 30  # seconds a server may take to start or stop


def many_files() -> None:
    """Lets this process and its children hold as many connections as the system allows at all."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def environment() -> dict[str, str]:
    """Ours, with the repository importable."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def cpu_s(pid: int) -> float:
    """Processor time a process has used so far, all threads, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICK


class Server:
    """A server process that says ``ready ... HOST:PORT`` on its standard output."""

    def __init__(self, command: Sequence[str], *, count_syncs: Path | None = None) -> None:
        self.command = list(command)
        self.count_syncs = count_syncs
        if count_syncs is not None:
            # With --seccomp-bpf only the calls asked for stop the process: everything else runs at full speed.
            tracer = ["strace", "-f", "--seccomp-bpf", "-qq", "-c", "-U", "name,calls", "-o", str(count_syncs)]
            self.command = [*tracer, "-e", "trace=fsync,fdatasync,sync_file_range,msync", *self.command]

    def __enter__(self) -> Server:
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=self.said,
            stdin=subprocess.DEVNULL,
            env=environment(),
            cwd=ROOT,
            text=True,
            preexec_fn=many_files,
        )
        assert self.process.stdout is not None
        self.port = self._port_said_on(self.process.stdout)
        self.pid = self.process.pid
        if self.count_syncs is not None:
            self.pid = int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.said.close()

    def _port_said_on(self, stream: IO[str]) -> int:
        for line in stream:
            if line.startswith("ready") and (found := re.search(r"127\.0\.0\.1:(\d+)", line)):
                return int(found[1])
        self.said.seek(0)
        raise RuntimeError(f"the server ended before it was ready:\n{self.said.read()}")

    def resident_kb(self) -> int:
        """Memory the process holds in RAM, in kB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1])  # type: ignore[index]

    def cpu_s(self) -> float:
        """Processor time used so far, all threads, seconds."""
        return cpu_s(self.pid)

    def written_bytes(self) -> int:
        """Bytes the process caused to be written to the disk so far."""
        return int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{self.pid}/io").read_text(), re.M)[1])  # type: ignore[index]


def anchor(kind: str, folder: Path, *, backlog: int = 4096, count_syncs: Path | None = None) -> Server:
    """One of the bare Twisted servers."""
    command = [sys.executable, "-m", "benchmarks.anchors.twisted_server", kind, "--backlog", str(backlog)]
    return Server([*command, "--store", str(folder / "naive.db")], count_syncs=count_syncs)


def generate(kind: str, server: Server, sessions: int, **options: float) -> dict[str, float]:
    """Runs the generator to its end and gives its figures."""
    with generator(kind, server, sessions, **options) as process:
        out, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"the generator failed at {sessions} sessions ({kind})")
    figures: dict[str, float] = json.loads(out)
    return figures


def generator(kind: str, server: Server, sessions: int, **options: float) -> subprocess.Popen[str]:
    """Starts the generator."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.generator",
        kind,
        "--port",
        str(server.port),
        "--sessions",
        str(sessions),
    ]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        text=True,
    )


def can_count_syncs() -> str:
    """Empty if system calls can be counted here, otherwise why not."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = subprocess.run(["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync", "true"], capture_output=True)
    return "" if probe.returncode == 0 else "strace may not trace here"


def syncs_counted(report: Path) -> int:
    """Sync calls in a report of strace -c -U name,calls."""
    lines = (line.split() for line in report.read_text().splitlines())
    return sum(int(line[1]) for line in lines if len(line) == 2 and line[0] in {"fsync", "fdatasync", "msync"})
