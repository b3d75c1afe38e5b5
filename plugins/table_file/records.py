"""A row of a table before anybody knows what it means: texts by their places, and its bytes in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway_server.model import Span


@dataclass(frozen=True, slots=True)
class Record:
    """One row. ``text`` gives what stands at a place, None if the row has no such place."""

    text: Callable[[str], str | None]
    span: Span
    number: int  # of the line or element, from 1, for people


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of a file, and the text above them. ``broken`` says what ended them too early."""

    rows: Iterator[Record]
    head: str = ""
    broken: list[str] = field(default_factory=list)
