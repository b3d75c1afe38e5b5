"""A gateway beside somebody's old FTP server: what is in its folder, and what comes there, becomes readings."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, program, said_by

pytestmark = pytest.mark.end_to_end

CODEC = '''
"""One volume a file."""

from decimal import Decimal

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading
from gateway_server.model import Quantity, Reading


class Volume:
    name = "volume"
    version = "1"
    framer = LineFramer

    def dissect(self, frame):
        return [Field("unknown", 0, len(frame.data))]

    def read_file(self, file):
        if not file.data.startswith(b"V="):
            return None
        reading = Reading("", Quantity("base volume", unit="m3"), Decimal(file.data[2:].decode()), "m3")
        return FileReading(Findings(readings=(reading,)))


codec = Volume()
'''


def put(folder: Path, name: str, data: bytes) -> None:
    """A file that nobody has written for an hour."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def decoded(config: str, count: int) -> list[str]:
    """The values of ``count`` files, as soon as they are there."""
    until = time.monotonic() + 30
    while True:
        readings = json.loads(said_by("reading", "list", "-c", config, "--json"))
        values = sorted(one["value"] for one in readings)
        if len(values) >= count or time.monotonic() > until:
            return values


def test_what_lies_in_a_watched_folder_and_what_comes_becomes_readings(tmp_path: Path) -> None:
    (tmp_path / "plugins.d").mkdir()
    (tmp_path / "plugins.d" / "volume.py").write_text(CODEC)
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[plugins]\nfolders = ["plugins.d"]\n'
        '[[watch]]\nname = "old server"\npath = "old"\nby_login = true\nevery = 1\nrest = 0\n'
    )
    said_by("meter", "add", "41203377", "-c", str(config), "--route", "ftp:boiler4")
    put(tmp_path / "old", "boiler4/1.TXT", b"V=1000.25")
    with program("run", "-c", str(config)) as running:
        assert first_line(running) == "ready"
        assert decoded(str(config), 1) == ["1000.25"]
        put(tmp_path / "old", "boiler4/2.TXT", b"V=1001.50")
        assert decoded(str(config), 2) == ["1000.25", "1001.50"]
    files = json.loads(said_by("file", "list", "-c", str(config), "--json"))
    assert {(one["name"], one["meter"], one["state"], one["codec"]) for one in files} == {
        ("1.TXT", "41203377", "decoded", "volume"),
        ("2.TXT", "41203377", "decoded", "volume"),
    }
    assert "known" in said_by("file", "import", "-c", str(config), str(tmp_path / "old"), "--by-login", "--json")
    assert json.loads(said_by("store", "check", "-c", str(config), "--json"))["problems"] == []
