"""One session as a file of each kind."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from gateway_server.cli.session_export import FORMATS, export_session
from gateway_server.model import Direction, Outcome
from gateway_server.store.records import SessionRecord
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.view import ChunkView

AT = 1_399_010_400_000
RECORD = SessionRecord(7, "41203377", "tcp", "10.8.0.17:4001", AT, AT + 400, Outcome.READ, "", 3, 5, 0, "lis200", "1")
CHUNKS = (
    ChunkView(AT, 0, Direction.NOTE, 0, "связь есть".encode()),
    ChunkView(AT + 3, 3, Direction.TO_METER, 0, b"/?!\r\n"),
    ChunkView(AT + 311, 308, Direction.FROM_METER, 0, b"\x00/E"),
)


def export(form: str) -> bytes:
    return b"".join(export_session(form, RECORD, CHUNKS, ZoneInfo("Europe/Moscow")))


def test_json_lines_are_the_log() -> None:
    assert [json.loads(line) for line in export("jsonl").splitlines()] == [
        {"at": "2014-05-02T06:00:00Z", "direction": "-", "note": "связь есть"},
        {"at": "2014-05-02T06:00:00.003Z", "direction": ">", "bytes": "2f3f210d0a"},
        {"at": "2014-05-02T06:00:00.311Z", "direction": "<", "bytes": "002f45"},
    ]


def test_capture_can_be_read_back() -> None:
    capture = read_capture(export("capture").decode())
    assert (capture.header.meter, capture.header.codec, capture.header.zone) == ("41203377", "lis200", "Europe/Moscow")
    assert [(entry.at_ms, entry.direction, entry.data) for entry in capture.entries] == [
        (chunk.at_ms, chunk.direction, chunk.data) for chunk in CHUNKS
    ]


@pytest.mark.parametrize(
    ("form", "start"), [("pcapng", b"\x0a\x0d\x0d\x0a"), ("html", b"<!doctype html>"), ("capture", b"# capture 1")]
)
def test_each_kind_begins_as_it_must(form: str, start: bytes) -> None:
    assert form in FORMATS
    assert export(form).startswith(start)
