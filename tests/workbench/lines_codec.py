"""A codec of lines, whose versions read the same bytes otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Findings, Found, Note
from gateway_server.codec.registry import Registry
from gateway_server.model import INTERVAL, Column, Event, Identify, Row, Span


class Listener:
    """``S41``: serial number; ``<hour> <volume> <pressure>``: a row; ``E<hour> <code>``: an event."""

    def __init__(self, codec: Lines) -> None:
        self._codec = codec

    def sent(self, data: bytes) -> None:
        """Requests mean nothing here."""

    def received(self, frame: Frame) -> Sequence[Found]:
        text = frame.text
        if text.startswith("S"):
            return [Identify(text[1:])]
        if text.startswith("N"):
            return [Note(text[1:])]
        span = Span(frame.start, frame.end)
        if text.startswith("E"):
            hour, code = text[1:].split()
            at = datetime(2024, 3, 1, int(hour))
            return [Findings(events=(Event(code, self._codec.words + code, at, int(hour), span=span),))]
        hour, volume, pressure = text.split()
        at = datetime(2024, 3, 1, int(hour) + self._codec.shift)
        if hour in self._codec.blind_to:
            return []
        values = (Decimal(volume) * self._codec.scale, Decimal(pressure))
        row = Row(self._codec.columns, values, INTERVAL, at, int(hour), self._codec.status, span=span)
        return [Findings(rows=(row,))]


class Lines:
    """A codec whose versions read the same bytes otherwise."""

    name = "lines"

    def __init__(
        self,
        version: str = "1",
        *,
        scale: str = "1",
        shift: int = 0,
        status: str = "",
        words: str = "event ",
        blind_to: str = "",
        pressure: str = "p",
    ) -> None:
        self.version = version
        self.scale = Decimal(scale)
        self.shift = shift
        self.status = status
        self.words = words
        self.blind_to = blind_to.split()
        self.columns = (Column("volume", "m3", name="Vb"), Column("pressure", "bar", name=pressure))

    def framer(self) -> LineFramer:
        return LineFramer(64)

    def interpreter(self) -> Listener:
        return Listener(self)

    def dissect(self, frame: Frame) -> Sequence[Field]:
        return [Field("line", 0, len(frame.data))]


def registry(*codecs: object) -> Registry:
    found = Registry()
    for codec in codecs:
        found.add(codec, Path(f"{codec}.py"))
    assert found.problems == []
    return found
