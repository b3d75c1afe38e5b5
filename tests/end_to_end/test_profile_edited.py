"""A profile that is corrected while the gateway runs: new sessions use it, and `reprocess` corrects the old ones."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, program, said_by

pytestmark = pytest.mark.end_to_end

CONFIG = """
[store]
url = "sqlite:///gateway.db"

[plugins]
folders = ["plugins.d"]

[[listener]]
name = "push"
endpoint = "tcp:0:interface=127.0.0.1"
codec = "box"
role = "listen"
identify = ["codec"]
"""
PROFILE = """
reads: meter_profile
source: invented
framing: {name: line, end: LF, characters: text}
messages:
  - name: push
    fields:
      - {name: serial, type: text, until: "';'"}
      - {name: number, type: number, until: "';'"}
      - {name: volume, type: number, scale: 0.1}
    identify: {serial: serial}
    rows: {archive: interval, order_number: number, values: {value: volume, quantity: base_volume_total}}
  - {name: stored, from: gateway, fields: [{name: number, type: number}]}
answer:
  - listen: {on: [{message: push, reply: {send: stored, with: {number: number}}}]}
"""


def push(port: int, line: bytes) -> bytes:
    """A meter calls, sends one line and waits for the answer."""
    with socket.create_connection(("127.0.0.1", port), 10) as line_:
        line_.settimeout(10)
        line_.sendall(line)
        return line_.recv(100)


def test_corrected_profile_counts_for_new_sessions_and_reprocess_corrects_the_old(tmp_path: Path) -> None:
    config, profile = tmp_path / "gateway.toml", tmp_path / "plugins.d/box.yaml"
    config.write_text(CONFIG)
    profile.parent.mkdir()
    profile.write_text(PROFILE)
    at = ("-c", str(config))
    said_by("meter", "add", "41203377", *at)
    with program("run", *at) as gateway:
        port = int(first_line(gateway).rpartition(":")[2])
        assert push(port, b"41203377;1;104250\n") == b"1\n"
        profile.write_text(PROFILE.replace("scale: 0.1}", "scale: 0.01}"))
        assert push(port, b"41203377;2;104260\n") == b"2\n"
        profile.write_text("reads: meter_profile\nframing: half written")
        assert push(port, b"41203377;3;104270\n") == b"3\n"
    profile.write_text(PROFILE.replace("scale: 0.1}", "scale: 0.01}"))

    def values() -> dict[int, str]:
        readings = json.loads(said_by("reading", "list", "--json", *at))
        return {one["order_number"]: one["value"] for one in readings}

    assert values() == {1: "10425.0", 2: "1042.60", 3: "1042.70"}
    versions = [one["codec_version"] for one in json.loads(said_by("session", "list", "--json", *at))]
    assert len(set(versions)) == 2
    would = said_by("reprocess", "--dry-run", *at)
    assert "10425.0" in would
    assert "1042.50" in would
    assert values()[1] == "10425.0"
    said_by("reprocess", *at)
    assert values() == {1: "1042.50", 2: "1042.60", 3: "1042.70"}
