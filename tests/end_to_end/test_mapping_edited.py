"""Mappings that are added and corrected while the gateway runs: what comes from then on is read by them, whichever way
it comes; what came before is caught up with by `file reprocess`."""

from __future__ import annotations

import ftplib
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, program, said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop, wait_until

pytestmark = pytest.mark.end_to_end

TABLE = """
reads: table_file
time: {value: Time, format: "%d.%m.%Y %H:%M", zone: utc}
values: [{value: V, quantity: base_volume_total, scale: SCALE}]
"""
XML = """
reads: table_file
format: xml
root: Day
row: Row
time: {value: "@t", format: "%Y-%m-%dT%H:%M", zone: utc}
values: [{value: V, quantity: base_volume_total, scale: SCALE}]
"""
KINDS = {
    "table": (TABLE, "Time;V\r\n14.03.2026 {hour:02d}:00;1000\r\n"),
    "xml": (XML, '<Day><Row t="2026-03-14T{hour:02d}:00"><V>1000</V></Row></Day>'),
}


def uploaded(port: int, folder: Path, name: str, content: bytes) -> None:
    with ftplib.FTP(timeout=20) as client:
        client.connect("127.0.0.1", port)
        client.login(LOGIN, PASSWORD)
        assert client.storbinary(f"STOR {name}", io.BytesIO(content)).startswith("226")


def laid_down(port: int, folder: Path, name: str, content: bytes) -> None:
    path = folder / LOGIN / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = folder.parent / name
    new.write_bytes(content)
    an_hour_ago = time.time() - 3600
    os.utime(new, (an_hour_ago, an_hour_ago))
    new.rename(path)  # nobody sees half of it


@pytest.mark.parametrize("way", [uploaded, laid_down])
@pytest.mark.parametrize("kind", KINDS)
def test_running_gateway_reads_what_comes_by_the_mapping_as_it_is_then(
    kind: str, way: Callable[[int, Path, str, bytes], None], tmp_path: Path
) -> None:
    drop = Drop(tmp_path)
    watch = '[[watch]]\nname = "old server"\npath = "old"\nby_login = true\nevery = 1\nrest = 0\n'
    drop.config.write_text(f'{drop.config.read_text()}\n{watch}\n[plugins]\nfolders = ["plugins.d"]\n')
    drop.accounts(LOGIN)
    mapping = tmp_path / "plugins.d" / "day.yaml"
    mapping.parent.mkdir()
    (tmp_path / "old").mkdir()
    declared, content = KINDS[kind]

    def come(port: int, hour: int, state: str) -> None:
        way(port, tmp_path / "old", f"{hour}.dat", content.format(hour=hour).encode())
        wait_until(lambda: states().get(f"{hour}.dat") == state)

    def states() -> dict[str, str]:
        return {one.record.name: one.record.state.value for one in drop.stored()}

    def readings() -> dict[str, str]:
        told = json.loads(said_by("reading", "list", "--json", "-c", str(drop.config)))
        return {one["measured_at"][11:13]: one["value"] for one in told}

    with program("run", "-c", str(drop.config), log=tmp_path / "log") as running:
        port = int(first_line(running).rpartition(":")[2])
        come(port, 1, "unknown")
        mapping.write_text("reads: table_file\nvalues: half written")
        come(port, 2, "unknown")
        mapping.write_text(declared.replace("SCALE", "0.1"))
        come(port, 3, "decoded")
        mapping.write_text(declared.replace("SCALE", "0.01"))
        come(port, 4, "decoded")
        mapping.write_text("reads: table_file\nvalues: half written")
        come(port, 5, "decoded")
        assert readings() == {"03": "100.0", "04": "10.00", "05": "10.00"}
        mapping.write_text(declared.replace("SCALE", "0.01"))
        said_by("file", "reprocess", "-c", str(drop.config))  # beside the running gateway
        assert readings() == {f"{hour:02d}": "10.00" for hour in range(1, 6)}
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert f"{mapping}: changed; sessions that begin and files that come now use day" in log
