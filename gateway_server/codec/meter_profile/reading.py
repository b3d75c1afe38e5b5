"""What reads a part of a message, and what it may leave: values, and a trace of where they stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway_server.codec.meter_profile.form import Field

Values = dict[str, Any]
Path = tuple[str | int, ...]
SPAN = "@"
"""Before the name of a field: where it began. Alone, in an element of a group: where that stood."""


class Seen(NamedTuple):
    """A field that was read: where it stood, what it said, and its bytes without what masked them."""

    path: Path
    field: Field
    start: int
    end: int
    value: Any
    raw: bytes


class Trace:
    """Where every field was, for the auditor's view and for putting a frame together again."""

    def __init__(self) -> None:
        self.path: Path = ()
        self.fields: list[Seen] = []

    def add(self, field: Field, start: int, end: int, value: Any, data: bytes) -> None:
        """A field was read."""
        self.fields.append(Seen((*self.path, field.name), field, start, end, value, data[start:end]))


Reader = Callable[[bytes, int, int, Values, Trace | None], int]
