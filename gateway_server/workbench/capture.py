r"""Sessions as text: the ``.capture`` file, which a person reads, a test replays and a version control system compares.

    # capture 1
    transport: tcp
    codec: gasbox
    zone: Europe/Moscow

    2026-08-22T07:00:00.120Z < 53 4E 3D 34 31 32 30 33 33 37 37 0D 0A           SN=41203377..
    2026-08-22T07:00:00.123Z > 56 3F 0D 0A                                      V?..
    2026-08-22T07:00:00.480Z - the meter took 357 ms

One line per chunk of the wire: when, which way (``>`` to the meter, ``<`` from it, ``}`` to the modem on the way
to it, ``{`` from that, ``-`` a remark), hex, characters.
A chunk of more than 16 bytes goes on in the next lines, which have no time. Lines that start with ``#`` are comments.
Notes and header values are text with ``\n``, ``\\`` and the like for what is not printable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from gateway_server.codec.hexdump import hex_lines
from gateway_server.errors import OperatorError
from gateway_server.model import Direction
from gateway_server.store.records import LogEntry

FIRST_LINE = "# capture 1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS = {direction.value: direction for direction in Direction}
_ENTRY = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|\s+) ?(?P<mark>[<>{}-])(?: (?P<rest>.*))?")
_ESCAPED = re.compile(r"\\(?:([\\nrt])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_SIMPLE = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_SIMPLE_BACK = {plain: f"\\{letter}" for letter, plain in _SIMPLE.items()}
_TIME_WIDTH = len("2026-08-22T07:00:00.120Z")


class CaptureError(OperatorError):
    """A capture that cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class CaptureHeader:
    """What is known of a captured session besides its bytes; ``zone`` is the meter's own, ``about`` its origin."""

    transport: str = "capture"
    remote: str = ""
    codec: str = ""
    codec_version: str = ""
    meter: str = ""
    zone: str = "UTC"
    about: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured session."""

    header: CaptureHeader
    entries: list[LogEntry]


def write_capture(capture: Capture) -> str:
    """The capture as the text of a ``.capture`` file."""
    return "\n".join(capture_lines(capture.header, capture.entries)) + "\n"


def capture_lines(header: CaptureHeader, entries: Iterable[LogEntry]) -> Iterator[str]:
    """The lines of a ``.capture`` file, for sessions too long to be held whole."""
    yield FIRST_LINE
    for name in _HEADER_NAMES:
        if value := getattr(header, name):
            yield f"{name}: {_escape(value)}"
    yield ""
    for entry in entries:
        time = _time_text(entry.at_ms)
        if entry.direction is Direction.NOTE:
            yield f"{time} - {_escape(entry.data.decode('utf-8', 'surrogateescape'))}".rstrip()
            continue
        for line in hex_lines(entry.data, entry.direction):
            yield f"{time} {line}"
            time = " " * _TIME_WIDTH


def read_capture(text: str) -> Capture:
    """A ``.capture`` file's text. Raises `CaptureError` with the line's number."""
    lines = text.split("\n")
    if lines[0].rstrip() != FIRST_LINE:
        raise CaptureError(f"line 1: a capture starts with the line {FIRST_LINE!r}")
    header: dict[str, str] = {}
    at = 1
    while at < len(lines) and lines[at].strip():
        if not lines[at].startswith("#"):
            _read_header_line(lines[at].rstrip("\r"), at + 1, header)
        at += 1
    entries: list[LogEntry] = []
    for number, line in enumerate(lines[at:], at + 1):
        if line.strip() and not line.startswith("#"):
            _read_entry_line(line.rstrip("\r"), number, entries)
    return Capture(CaptureHeader(**header), entries)


_HEADER_NAMES = tuple(field.name for field in fields(CaptureHeader))


def _read_header_line(line: str, number: int, header: dict[str, str]) -> None:
    name, colon, value = line.partition(":")
    if not colon or name not in _HEADER_NAMES:
        raise CaptureError(f"line {number}: {line!r} is no header line; there are: {', '.join(_HEADER_NAMES)}")
    if name in header:
        raise CaptureError(f"line {number}: {name} stands there twice")
    header[name] = _unescape(value.strip(), number)


def _read_entry_line(line: str, number: int, entries: list[LogEntry]) -> None:
    match = _ENTRY.fullmatch(line)
    if match is None:
        raise CaptureError(f"line {number}: expected a time, one of < > {{ }} -, and hex; got {line!r}")
    direction = _MARKS[match["mark"]]
    rest = match["rest"] or ""
    goes_on = not match["time"].strip()
    if direction is Direction.NOTE:
        if goes_on:
            raise CaptureError(f"line {number}: a note has a time and takes one line; write \\n for a line end")
        data = _unescape(rest, number).encode("utf-8", "surrogateescape")
    else:
        data = _hex(rest, number)
    if not goes_on:
        entries.append(LogEntry(_time_ms(match["time"], number), direction, data))
    elif entries and entries[-1].direction is direction:
        last = entries.pop()
        entries.append(LogEntry(last.at_ms, direction, last.data + data))
    else:
        raise CaptureError(f"line {number}: a line without a time goes on with the chunk before, which is another's")


def _hex(rest: str, number: int) -> bytes:
    digits, _, characters = rest.partition("  ")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        raise CaptureError(f"line {number}: {digits!r} is not hex") from None
    if characters.strip():
        beside = next(hex_lines(data)).partition("  ")[2].strip()
        if characters.strip() != beside:
            # Whoever masks a secret in one half and forgets the other is told before the file is shared.
            raise CaptureError(f"line {number}: the characters {characters.strip()!r} are not what the hex says")
    return data


def _time_text(at_ms: int) -> str:
    return f"{(_EPOCH + timedelta(milliseconds=at_ms)).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _time_ms(text: str, number: int) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CaptureError(f"line {number}: there is no such time: {text}") from None
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _escape(text: str) -> str:
    """Text on one line. A space at either end is escaped: editors and readers drop it."""
    shown = "".join(_escaped(char) if char == "\\" or not char.isprintable() else char for char in text)
    if shown.endswith(" "):
        shown = f"{shown[:-1]}\\x20"
    return f"\\x20{shown[1:]}" if shown.startswith(" ") else shown


def _escaped(char: str) -> str:
    if char in _SIMPLE_BACK:
        return _SIMPLE_BACK[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescape(text: str, number: int) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPED.sub("", text)
    if "\\" in plain:
        raise CaptureError(f"line {number}: a lone backslash; write \\\\ for one")
    return _ESCAPED.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    simple, *codes = match.groups()
    return _SIMPLE[simple] if simple else chr(int(next(code for code in codes if code), 16))
