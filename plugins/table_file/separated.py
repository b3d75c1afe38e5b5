"""Separated text as records, line by line, each with its place in the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.model import Span

from .mapping import Mapping
from .records import Record, Records

_LINE = re.compile(rb"[^\r\n]+")
_HEAD = 4096
_LONGEST = 1 << 16
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    span: Span
    number: int


def separated_records(file: UploadedFile, mapping: Mapping) -> Records:
    """The rows of a file with the columns that the mapping wants. Raises `OtherKind` for any other file."""
    lines = _lines(file.data, mapping.encoding)
    above = [line.text for line in (next(lines, None) for _ in range(mapping.skip_lines)) if line is not None]
    columns: dict[str, int] = {}
    if mapping.header:
        head = next((line for line in lines if not _is_comment(line, mapping)), None)
        if head is None:
            raise OtherKind("it has no line with the names of columns")
        names = [name.strip() for name in _cells(head.text, mapping)]
        columns = {name: at for at, name in reversed(list(enumerate(names)))}
        if absent := [place for place in mapping.required if _position(place, columns) is None]:
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            said = f"it has no column {absent[0]!r}; its columns: {shown}"[:400]
            if mapping.encoding not in ("", "utf-8") and not file.data.isascii() and _is_utf8(file.data):
                said += f"; it is text in utf-8, not in {mapping.encoding}"
            raise OtherKind(said)
    return Records(_records(lines, columns, mapping), "\n".join(above)[:_HEAD])


def _records(lines: Iterator[_Line], columns: dict[str, int], mapping: Mapping) -> Iterator[Record]:
    for line in lines:
        if not _is_comment(line, mapping):
            cells = _cells(line.text, mapping)

            def text(place: str, cells: Sequence[str] = cells) -> str | None:
                at = _position(place, columns)
                return cells[at] if at is not None and at < len(cells) else None

            yield Record(text, line.span, line.number)


def _position(place: str, columns: dict[str, int]) -> int | None:
    """A column by its name, else by its number from 1."""
    at = columns.get(place)
    if at is None and place.isascii() and place.isdecimal() and 0 < int(place) <= 10_000:
        return int(place) - 1
    return at


def _is_comment(line: _Line, mapping: Mapping) -> bool:
    return bool(mapping.comment) and line.text.lstrip().startswith(mapping.comment)


def _cells(text: str, mapping: Mapping) -> list[str]:
    if not mapping.separator:
        return text.split()
    if mapping.quote not in text:
        return text.split(mapping.separator)
    try:
        return next(csv.reader([text], delimiter=mapping.separator, quotechar=mapping.quote), [])
    except csv.Error:  # longer than any cell of a table
        return []


def _lines(data: bytes, encoding: str) -> Iterator[_Line]:
    """The lines that are not blank; without an encoding UTF-8, and CP1251 for what is none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or encoding.startswith("utf-16"):
        yield from _wide_lines(data, encoding or "utf-16")
        return
    if not encoding:
        encoding = "utf-8" if _is_utf8(data) else "cp1251"
    number = 0
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    for number, found in enumerate(_LINE.finditer(data, start), 1):
        if found.end() - found.start() > _LONGEST:
            raise OtherKind(f"line {number} is longer than any line of a table")
        try:
            text = found.group().decode(encoding)
        except UnicodeDecodeError:
            raise OtherKind(f"line {number} is no text in {encoding}") from None
        if "\0" in text:
            raise OtherKind(f"line {number} is no text")
        if text.strip(" \t\x1a"):
            yield _Line(text, Span(*found.span()), number)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide_lines(data: bytes, encoding: str) -> Iterator[_Line]:
    """Lines of UTF-16, whose characters of two octets make their places."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise OtherKind("it is no text in UTF-16") from None
    at = 2 if data[:2] in (b"\xff\xfe", b"\xfe\xff") and not text.startswith("\ufeff") else 0
    for number, piece in enumerate(re.split(r"(?<=[\r\n])", text), 1):
        end = at + 2 * len(piece) + 2 * sum(char > "\uffff" for char in piece)
        if len(piece) > _LONGEST:
            raise OtherKind(f"line {number} is longer than any line of a table")
        bare = piece.strip("\r\n\ufeff")
        if bare.strip():
            yield _Line(bare, Span(at, end), number)
        at = end
