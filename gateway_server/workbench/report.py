"""A session as one HTML file that needs nothing else: to be mailed, printed, kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from html import escape

from gateway_server.codec.codec import SENT
from gateway_server.model import Direction
from gateway_server.store.records import SessionRecord
from gateway_server.workbench.view import ChunkView, FrameView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222}
table{border-collapse:collapse}
th{text-align:left;padding-right:2em;font-weight:600;vertical-align:top}
.log{width:100%}
.log td{vertical-align:top;padding:.3em 1em .3em 0;border-top:1px solid #ddd}
.log th{padding:.3em 1em .3em 0}
pre,.t{font:12px/1.35 ui-monospace,monospace;margin:0;white-space:pre}
.to{background:#f2f6ff}.from{background:#f4fbf4}.note{background:#fbfbf2}.modem{background:#f7f2fb}
.fault{color:#b00020;font-weight:600}.noise{color:#8a6d00}.stored{color:#1b6e1b}
.fields td,.fields th{border:0;padding:0 1em 0 0;font-weight:400}
@media print{body{margin:0}}
"""


def html_report(record: SessionRecord, chunks: Iterable[ChunkView], home: tzinfo) -> Iterator[bytes]:
    """The report, piece by piece. Its end holds the SHA-256 of each direction's bytes as shown."""
    title = f"Session {record.id}"
    if record.meter:
        title += f", meter {record.meter}"
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>\n"
    ).encode()
    yield _head(record, home).encode()
    yield b'<table class="log"><tr><th>time<th>after, s<th><th>bytes<th>meaning\n'
    digests = {Direction.FROM_METER: hashlib.sha256(), Direction.TO_METER: hashlib.sha256()}
    for chunk in chunks:
        if chunk.direction in digests:
            digests[chunk.direction].update(chunk.data)
        yield _row(chunk, home).encode()
    yield (
        "</table><p class=t>SHA-256 of the bytes from the meter as shown "
        f"{digests[Direction.FROM_METER].hexdigest()}<br>SHA-256 of the bytes to the meter as shown   "
        f"{digests[Direction.TO_METER].hexdigest()}</p></html>\n"
    ).encode()


def _head(record: SessionRecord, home: tzinfo) -> str:
    outcome = record.outcome.value if record.outcome else "open"
    facts = {
        "meter": record.meter or "not identified",
        "transport": f"{record.transport} {record.remote}",
        "caller": record.caller,
        "started": _time(record.started_ms, home),
        "ended": _time(record.ended_ms, home) if record.ended_ms is not None else "",
        "outcome": f"{outcome}: {record.detail}" if record.detail else outcome,
        "bytes": f"{record.bytes_received} received, {record.bytes_sent} sent",
        "readings": str(record.readings),
        "codec": f"{record.codec} {record.codec_version}".strip(),
    }
    rows = "".join(f"<tr><th>{name}<td>{escape(value)}\n" for name, value in facts.items() if value)
    return f"<table>{rows}</table><p></p>\n"


def _row(chunk: ChunkView, home: tzinfo) -> str:
    when = _time(chunk.at_ms, home)[11:]
    start = (
        f'<td class="t">{when}<td class="t">+{chunk.since_ms / 1000:.3f}<td class="t">{escape(chunk.direction.value)}'
    )
    if chunk.direction is Direction.NOTE:
        return f'<tr class="note">{start}<td colspan="2">{escape(chunk.note)}\n'
    if chunk.direction.of_modem:
        return f'<tr class="modem">{start}<td colspan="2">modem: {escape(chunk.note)}\n'
    whose = "from" if chunk.direction is Direction.FROM_METER else "to"
    lines = escape("\n".join(chunk.hex_lines()))
    meaning = "".join(map(_frame, chunk.frames))
    if chunk.part_of:
        meaning += f"part of {escape(chunk.part_of)}"
    return f'<tr class="{whose}">{start}<td><pre>{lines}</pre><td>{meaning}\n'


def _frame(frame: FrameView) -> str:
    parts = []
    if frame.kind != SENT:
        kind = "noise" if frame.is_noise else "kind"
        parts.append(f'<span class="{kind}">{escape(frame.kind)} {frame.start}..{frame.end}</span>')
    if frame.fault:
        parts.append(f' <span class="fault">{escape(frame.fault)}</span>')
    rows = "".join(
        f"<tr><td>{escape(field.name)}<td class=t>{escape(field.value)}<td>{escape(field.meaning)}"
        for field in frame.fields
    )
    parts.append(f'<table class="fields">{rows}</table>')
    parts += [f'<div class="stored">stored: {escape(one.text)}</div>' for one in frame.stored]
    return "".join(parts)


def _time(ms: int, home: tzinfo) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(home).isoformat(sep=" ", timespec="milliseconds")
