"""The folder of another FTP server, and a codec for the format of its files."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.desk import NOW_MS, Desk

DAY = b"T;41203377\r\n2014-05-01 10:00;1000.25\r\n2014-05-01 11:00;1001.50\r\n"
WRITTEN_MS = NOW_MS - 3_600_000
CODEC = '''
"""Times and volumes, a semicolon between them."""

from datetime import datetime
from decimal import Decimal

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading
from gateway_server.model import Column, Identify, Row, Span

COLUMNS = (Column("base volume", "m3", cumulative=True),)


class Times:
    name = "times"
    version = "VERSION"
    framer = LineFramer

    def dissect(self, frame):
        return [Field("unknown", 0, len(frame.data))]

    def read_file(self, file):
        if not file.data.startswith(b"T;"):
            return None
        rows, at = [], 0
        for line in file.data.splitlines(keepends=True):
            time, _, value = line.decode().strip().partition(";")
            if time == "T":
                serial = value
            else:
                rows.append(Row(COLUMNS, (Decimal(value) * FACTOR,), "interval", datetime.fromisoformat(time),
                                span=Span(at, at + len(line))))
            at += len(line)
        return FileReading(Findings(rows=tuple(rows)), Identify(serial) if serial else None)


codec = Times()
'''


def put(desk: Desk, name: str, data: bytes, written_ms: int = WRITTEN_MS) -> Path:
    """A file in the folder of the old server."""
    path = desk.folder / "old" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(written_ms * 1_000_000, written_ms * 1_000_000))
    return path


def learn(desk: Desk, version: str = "1", factor: str = "1") -> None:
    """Gives the gateway a codec for the format; each version in a folder of its own, as one process loads one once."""
    folder = desk.folder / f"plugins.{version}"
    folder.mkdir()
    code = CODEC.replace("VERSION", version).replace("FACTOR", factor)
    (folder / "times.py").write_text(code)
    (desk.folder / "gateway.toml").write_text(
        f'[store]\nurl = "sqlite:///gateway.db"\n[plugins]\nfolders = ["{folder.name}"]\n'
    )


def values(desk: Desk) -> list[str]:
    return sorted(reading["value"] for reading in desk.run("reading", "list", "--json").json)
