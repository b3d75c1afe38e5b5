"""The one hex view of this product: logs, screens, captures and test failures show bytes alike.

Uppercase, spaced, 16 per line, ASCII beside it; ``>`` stands before bytes for the meter, ``<`` before bytes from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway_server.model import Direction

PER_LINE = 16
_HEX_WIDTH = PER_LINE * 3 - 1
_SHOWN = bytes(b if 0x20 <= b < 0x7F else 0x2E for b in range(256))


def spaced(data: bytes) -> str:
    """Bytes as one row of hex: ``2F 3F 21 0D 0A``."""
    return data.hex(" ").upper()


def ascii_beside(data: bytes) -> str:
    """Bytes as the characters shown beside the hex: one each, a dot for what is not printable ASCII."""
    return data.translate(_SHOWN).decode("ascii")


def hex_lines(data: bytes, direction: Direction | None = None) -> Iterator[str]:
    """The view, line by line. A note (`Direction.NOTE`) is shown as its text."""
    if direction is Direction.NOTE:
        for text in data.decode("utf-8", "replace").splitlines() or [""]:
            yield f"{Direction.NOTE.value} {text}"
        return
    mark = f"{direction.value} " if direction else ""
    for at in range(0, len(data) or 1, PER_LINE):
        part = data[at : at + PER_LINE]
        yield f"{mark}{spaced(part):<{_HEX_WIDTH}}  {ascii_beside(part)}".rstrip()


def hexdump(data: bytes, direction: Direction | None = None) -> str:
    """The view as one text."""
    return "\n".join(hex_lines(data, direction))
