"""A received file for the eyes: text as text, everything else as hex, and what each codec said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway_server.cli.errors import harmless
from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import JsonValue, pairs
from gateway_server.cli.moments import local
from gateway_server.codec.hexdump import hex_lines
from gateway_server.errors import OperatorError
from gateway_server.store.records import FilePart, FileRecord, FileState
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerError, ContainerLimits, Opened, kind_of, opened
from gateway_server.workbench.encodings import encoding_of, is_guess
from gateway_server.workbench.looks import looks_like, office_document
from gateway_server.workbench.sniff import Attempt

_HEAD = 1 << 14
_MOST_MEMBERS = 50

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


def content_lines(data: bytes, *, as_hex: bool | None, encoding: str = "") -> Iterator[str]:
    """The bytes as lines of text where they are text (or where hex is not wanted), else as hex.

    An ``encoding`` that was named makes text of anything. One that is only likely is said.
    """
    head = data[:_HEAD]
    assumed = encoding or encoding_of(head)
    if as_hex or (as_hex is None and not assumed):
        for number, line in enumerate(hex_lines(data)):
            yield f"{16 * number:08X}  {line}"
        return
    if not encoding and is_guess(head):
        yield f"(text as {assumed}, a guess by its letters; --encoding NAME shows it otherwise)"
    text = data.decode(assumed or "latin-1", "replace").replace("\r\n", "\n").replace("\r", "\n")
    yield from (harmless(line, keep="\t") for line in text.removesuffix("\n").split("\n"))


@dataclass(frozen=True, slots=True)
class Contents:
    """What is within a file that is a container: ``files``, or the ``trouble`` with it. Without both it is none.

    ``office`` says what kind of office document it is: a container, too, but one that no person looks into.
    """

    files: tuple[Opened, ...] = ()
    trouble: str = ""
    office: str = ""

    @property
    def first(self) -> Opened | None:
        """What is shown where nobody says what to show."""
        return self.files[0] if self.files and not self.office else None

    @property
    def json(self) -> list[JsonValue]:
        """The files within."""
        return [
            {
                "number": number,
                "name": one.name,
                "within": list(one.within),
                "size": len(one.data),
                "looks_like": look_of(one.data),
            }
            for number, one in enumerate(self.files, 1)
        ]

    def member(self, wanted: str) -> Opened:
        """The file with this number or name. Raises `OperatorError`."""
        if wanted.isdecimal() and 1 <= int(wanted) <= len(self.files):
            return self.files[int(wanted) - 1]
        named = [one for one in self.files if one.name == wanted]
        if len(named) == 1:
            return named[0]
        if self.trouble:
            raise OperatorError(f"the file cannot be opened: {self.trouble}")
        if not self.files:
            raise OperatorError("the file is not packed, so there is nothing within it; leave out --member")
        raise OperatorError(
            f"within the file are {'several' if named else 'none'} named {wanted!r}; say which by its number, 1 to"
            f" {len(self.files)}"
        )

    def lines(self) -> Iterator[str]:
        """The files within, one a line, or why they cannot be told."""
        if self.trouble:
            yield f"what is within it cannot be told: {harmless(self.trouble)}"
        if self.office:
            yield "its rows are shown by the program it was made with (`file export`)"
        if self.files:
            yield "what is within it (--member N shows it):"
        for number, one in enumerate(self.files[:_MOST_MEMBERS], 1):
            place = "/".join(one.within[1:])
            name = harmless(f"{place}/{one.name}" if place else one.name)
            yield f"  {number:>3}  {name}, {len(one.data)} bytes: {look_of(one.data)}"
        if (more := len(self.files) - _MOST_MEMBERS) > 0:
            yield f"  and {more} more; --json has them"


def contents_of(name: str, data: bytes, limits: ContainerLimits = DEFAULT_LIMITS) -> Contents:
    """What is within a file, if it is packed."""
    if not kind_of(data):
        return Contents()
    try:
        return Contents(tuple(opened(name, data, limits)), office=office_document(data))
    except ContainerError as error:
        return Contents(trouble=str(error))


def known_encoding(name: str) -> str:
    """The encoding of this name. Raises `OperatorError` if there is none."""
    try:
        b"x".decode(name, "replace")
    except LookupError:
        raise OperatorError(
            f"there is no encoding {name!r}; known are cp1251, koi8-r, cp866, utf-8, utf-16 ..."
        ) from None
    return name


def look_of(data: bytes) -> str:
    """What it looks like to somebody who knows no protocol."""
    return harmless(looks_like(data))


def _part(part: FilePart) -> str:
    return f"{part.session} (bytes {part.span_start} to {part.span_end})"
