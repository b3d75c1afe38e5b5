"""What a file looks like to somebody who knows no protocol: a hint for whoever has to teach the gateway its format."""

from __future__ import annotations

import re
from collections import Counter

from gateway_server.workbench.encodings import encoding_of

_SEEN = 1 << 14
_SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_ZIP = b"PK\x03\x04"
_WITHIN_ZIP = (  # names that stand in the archive as they are, in front of each packed part and in the list at its end
    (b"xl/workbook.", "an Excel workbook (xlsx)"),
    (b"xl/worksheets/", "an Excel workbook (xlsx)"),
    (b"word/document.", "a Word document (docx)"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (ods)"),
    (b"application/vnd.oasis.opendocument.text", "an OpenDocument text (odt)"),
    (b"[Content_Types].xml", "an office document"),
)
_ROOT = re.compile(r"<(?![?!])([^\s/>]+)")


def looks_like(data: bytes) -> str:
    """The look of a file, in words: ``separated text: semicolons, 8 columns, 25 lines``."""
    if not data:
        return "nothing: it is empty"
    for magic, words in _MAGIC:
        if data.startswith(magic):
            return words
    if data.startswith(_ZIP):
        return office_document(data) or "a zip archive"
    head = data[:_SEEN]
    encoding = encoding_of(head)
    if not encoding:
        return f"binary data, beginning {head[:16].hex(' ').upper()}"
    text = head.decode(encoding, "replace").lstrip("\ufeff")
    beginning = text.lstrip()
    if beginning.startswith("<"):
        root = _ROOT.search(beginning)
        return f"XML with the root element {root[1][:60]}" if root else "XML"
    if beginning.startswith(("{", "[")):
        return "JSON"
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if len(data) > _SEEN:
        lines = lines[:-1]  # cut by us
    how_many = f"{len(lines)} lines" if len(data) <= _SEEN else f"more than {len(lines)} lines"
    for separator, words in _SEPARATORS.items():
        counts = Counter(line.count(separator) for line in lines)
        (count, often), *_ = counts.most_common(1) or [(0, 0)]
        if count and often * 2 > len(lines):
            return f"separated text: {words}, {count + 1} columns, {how_many}"
    return f"text of {how_many}"


def office_document(data: bytes) -> str:
    """What kind of office document a zip archive is, in words; empty if it is none."""
    return next((words for name, words in _WITHIN_ZIP if name in data), "") if data.startswith(_ZIP) else ""
