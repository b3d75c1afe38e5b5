"""The contenders by name: the bare servers, and the gateway as an operator runs it.

The gateway is ``gateway-server run`` with a configuration file, a register of meters and the plugin `push64`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.processes import ROOT, Server, anchor, environment

CONFIG = """
[store]
url = "sqlite:///gateway.db"

[[listener]]
name = "push"
endpoint = "tcp:0:interface=127.0.0.1"
codec = "push64"
identify = ["registration"]
registration = '(?P<id>\\d{15})\\n'
role = "listen"

[limits]
sessions = 20000
sessions_per_address = 20000

[plugins]
folders = ["%s"]
"""


def cli(folder: Path, *arguments: str) -> list[str]:
    """A command of the program on the configuration in a folder."""
    return [sys.executable, "-m", "gateway_server", *arguments, "-c", str(folder / "gateway.toml")]


def gateway(folder: Path, *, meters: int, count_syncs: Path | None = None) -> Server:
    """A gateway with a new store and this many meters in its register, not yet started."""
    (folder / "gateway.toml").write_text(CONFIG % (ROOT / "benchmarks" / "plugins"))
    register = folder / "meters.csv"
    lines = [f"{number:06d},push64,caller:{number:015d}" for number in range(1, meters + 1)]
    register.write_text("\n".join(["serial,codec,route", *lines]) + "\n")
    bring_in = cli(folder, "meter", "import", str(register))
    subprocess.run(bring_in, check=True, capture_output=True, env=environment(), cwd=ROOT)
    return Server(cli(folder, "run", "--only", "tcp"), count_syncs=count_syncs)


def server(name: str, folder: Path, *, meters: int = 1000, count_syncs: Path | None = None) -> Server:
    """``ours``, ``null``, ``naive``, or ``stock``: null with the listen backlog that Twisted has by itself."""
    if name == "ours":
        return gateway(folder, meters=meters, count_syncs=count_syncs)
    if name == "stock":
        return anchor("null", folder, backlog=50, count_syncs=count_syncs)
    return anchor(name, folder, count_syncs=count_syncs)
