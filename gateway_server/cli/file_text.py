"""A received file for the eyes: text as text, everything else as hex, and what each codec said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway_server.cli.errors import harmless
from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import pairs
from gateway_server.cli.moments import local
from gateway_server.codec.hexdump import hex_lines
from gateway_server.store.records import FilePart, FileRecord, FileState
from gateway_server.workbench.looks import encoding_of, looks_like
from gateway_server.workbench.sniff import Attempt

_HEAD = 1 << 14

STATE_WORDS = {
    FileState.INCOMPLETE: "incomplete: cut off, or arriving still; the meter may resume it",
    FileState.STORED: "stored: waits to be decoded",
    FileState.DECODED: "decoded",
    FileState.UNKNOWN: "unknown: kept, without readings until now",
    FileState.DUPLICATE: "duplicate",
    FileState.FAILED: "failed: it is kept",
}


def file_lines(record: FileRecord, parts: Iterable[FilePart], zones: Zones) -> Iterator[str]:
    """Whose file it is, how it came, and how far it is."""
    state = STATE_WORDS[record.state]
    yield from pairs(
        [
            ("meter", record.meter or "not known"),
            ("name", record.name),
            ("name as sent", record.raw_name.hex(" ").upper()),
            ("account", record.login),
            ("from", f"{record.transport} {record.remote}"),
            ("received", local(record.received_at_ms, zones.of(record.meter), precise=True)),
            ("size", f"{record.size} bytes"),
            ("sha256", record.sha256),
            ("state", f"{state}: {record.detail}" if record.detail else state),
            ("codec", f"{record.codec} {record.codec_version}".strip()),
            ("readings", str(record.readings) if record.state is FileState.DECODED else ""),
            ("sessions", ", ".join(_part(one) for one in parts) or str(record.session)),
        ]
    )


def tried_lines(tried: Iterable[Attempt], trouble: str) -> Iterator[str]:
    """What every codec that was asked said of the file, and why none has it."""
    yield from (f"  {'reads it' if one.reads else 'not it  '}  {one.codec}: {harmless(one.said)}" for one in tried)
    if trouble:
        yield f"  {harmless(trouble)}"


def content_lines(data: bytes, *, as_hex: bool | None) -> Iterator[str]:
    """The bytes as lines of text where they are text (or where hex is not wanted), else as hex."""
    encoding = encoding_of(data[:_HEAD])
    if as_hex or (as_hex is None and not encoding):
        for number, line in enumerate(hex_lines(data)):
            yield f"{16 * number:08X}  {line}"
        return
    text = data.decode(encoding or "latin-1", "replace").replace("\r\n", "\n").replace("\r", "\n")
    yield from (harmless(line, keep="\t") for line in text.removesuffix("\n").split("\n"))


def look_of(data: bytes) -> str:
    """What it looks like to somebody who knows no protocol."""
    return harmless(looks_like(data))


def _part(part: FilePart) -> str:
    return f"{part.session} (bytes {part.span_start} to {part.span_end})"
