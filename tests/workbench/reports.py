"""A file format of the tests' own, and a codec for it."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from decimal import Decimal

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading, OtherKind, UploadedFile
from gateway_server.errors import CodecError
from gateway_server.model import INTERVAL, Column, Event, Identify, Row, Span

VOLUME = Column("base_volume_total", "m3", cumulative=True)
REPORT = b"S41203377\n7 1042.5\n8 1043\nE9 0x2504\n"


class Report:
    """``S41``: serial number; ``<hour> <volume>``: a row; ``E<hour> <code>``: an event."""

    framer = LineFramer

    def __init__(
        self, name: str = "report", version: str = "1", *, scale: str = "1", shift: int = 0, utc: bool = False
    ) -> None:
        self.name = name
        self.version = version
        self._scale = Decimal(scale)
        self._shift = shift
        self._utc = utc

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def read_file(self, file: UploadedFile) -> FileReading | None:
        rows, events, identity, at = [], [], None, 0
        for line in file.data.splitlines(keepends=True):
            text, span = line.decode().strip(), Span(at, at + len(line))
            at += len(line)
            if text.startswith("S"):
                identity = Identify(text[1:])
            elif text.startswith("E"):
                events.append(Event(text[3:], "", datetime(2026, 3, 14, int(text[1])), span=span))
            elif text == "broken":
                raise CodecError(f"line at byte {span.start} is broken")
            elif text[:1].isdigit():
                hour, volume = text.split()
                moment = datetime(2026, 3, 14, int(hour) + self._shift)
                rows.append(Row((VOLUME,), (Decimal(volume) * self._scale,), INTERVAL, moment, int(hour), span=span))
        if not rows:
            raise OtherKind("no line is a row")
        return FileReading(Findings(tuple(rows), tuple(events)), identity, utc=self._utc)


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()
