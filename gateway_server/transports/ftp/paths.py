"""Names as FTP clients write them: a tree that exists only in what clients say, below a root nobody leaves.

Nothing here is a path of the disk. Both slashes separate, because some clients run on systems that use the other one.
A name's bytes are kept: what is not UTF-8 travels as surrogates (PEP 383).
"""

from __future__ import annotations

MOST_NAME_BYTES = 255
MOST_PATH_BYTES = 1024
MOST_DEPTH = 16


class BadPath(ValueError):
    """What a client wrote is no path here; the message is meant for it."""


def text_of(raw: bytes) -> str:
    """Bytes of the control connection as text that `raw_of` turns back."""
    return raw.decode("utf-8", "surrogateescape")


def raw_of(text: str) -> bytes:
    """The bytes that `text_of` was given."""
    return text.encode("utf-8", "surrogateescape")


def readable(raw: bytes) -> str:
    """Bytes as a person may read them: UTF-8, else Windows-1251, which meters of the region use in names."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1251", "replace")


def resolve(folder: str, written: str) -> str:
    """The absolute path that ``written`` means in ``folder``. Raises `BadPath`."""
    if len(raw_of(written)) > MOST_PATH_BYTES:
        raise BadPath(f"A path has at most {MOST_PATH_BYTES} bytes")
    written = written.replace("\\", "/")
    parts = [] if written.startswith("/") else [part for part in folder.split("/") if part]
    for part in written.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                raise BadPath("This path leaves your folder")
            parts.pop()
            continue
        if any(character < " " or character == "\x7f" for character in part):
            raise BadPath("A name holds no control characters")
        if len(raw_of(part)) > MOST_NAME_BYTES:
            raise BadPath(f"A name has at most {MOST_NAME_BYTES} bytes")
        parts.append(part)
    if len(parts) > MOST_DEPTH:
        raise BadPath(f"Folders are at most {MOST_DEPTH} deep")
    return "/" + "/".join(parts)


def quoted(path: str) -> str:
    """A path as replies quote it (RFC 959, appendix II)."""
    return path.replace('"', '""')
