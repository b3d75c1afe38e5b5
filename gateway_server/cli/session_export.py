"""One session as a file: pcapng, capture, JSON lines, or a report in HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import tzinfo

from gateway_server.model import Direction
from gateway_server.store.records import LogEntry, SessionRecord
from gateway_server.workbench.capture import CaptureHeader, capture_lines
from gateway_server.workbench.pcapng import pcapng
from gateway_server.workbench.readings import rfc3339
from gateway_server.workbench.report import html_report
from gateway_server.workbench.view import ChunkView

FORMATS = ("pcapng", "capture", "jsonl", "html")


def export_session(form: str, record: SessionRecord, chunks: Iterable[ChunkView], home: tzinfo) -> Iterator[bytes]:
    """The file, piece by piece; secrets are masked in all of them."""
    match form:
        case "pcapng":
            about = f"session {record.id}, meter {record.meter or 'unknown'}, {record.transport} {record.remote}"
            yield from pcapng(_entries(chunks), remote=record.remote, about=about)
        case "capture":
            header = CaptureHeader(
                record.transport, record.remote, record.codec, record.codec_version, record.meter, str(home)
            )
            for line in capture_lines(header, _entries(chunks)):
                yield f"{line}\n".encode()
        case "jsonl":
            for chunk in chunks:
                yield json.dumps(_json_line(chunk), ensure_ascii=False).encode() + b"\n"
        case _:
            yield from html_report(record, chunks, home)


def _entries(chunks: Iterable[ChunkView]) -> Iterator[LogEntry]:
    for chunk in chunks:
        yield LogEntry(chunk.at_ms, chunk.direction, chunk.data)


def _json_line(chunk: ChunkView) -> dict[str, str]:
    line = {"at": rfc3339(chunk.at_ms), "direction": chunk.direction.value}
    if chunk.direction is Direction.NOTE:
        return line | {"note": chunk.note}
    return line | {"bytes": chunk.data.hex()}
