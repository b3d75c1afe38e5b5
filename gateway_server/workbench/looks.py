"""What a file looks like to somebody who knows no protocol: a hint for whoever has to teach the gateway its format."""

from __future__ import annotations

import re
from collections import Counter

_SEEN = 1 << 14
_SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip"),
    (b"PK", "a zip archive or an office document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_ROOT = re.compile(r"<(?![?!])([^\s/>]+)")


def looks_like(data: bytes) -> str:
    """The look of a file, in words: ``separated text: semicolons, 8 columns, 25 lines``."""
    if not data:
        return "nothing: it is empty"
    for magic, words in _MAGIC:
        if data.startswith(magic):
            return words
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


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its first bytes: what is not UTF-8 is taken for CP1251; empty for binary data."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if any(byte < 0x20 and byte not in b"\t\n\r\f\x02\x03\x04\x1a" for byte in head):
        return ""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 3:  # not only a character that was cut through at the end
            return "cp1251"
    return "utf-8"
