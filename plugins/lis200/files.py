"""LIS-200 data in uploaded files: archive rows and values as text, telegrams as they were on the wire.

What a modem of this maker or a БПЭК unit really uploads is not published (lis200.md 3.1, 6). Read is what is known
from the wire, wherever it stands in lines: rows ``(640)(2014-05-02,10:00:00)...(CRC Ok)``, values ``2:302(12.5*m3)``,
an identification ``/Els6EK270``, whole telegrams with their check. Inferred and so marked, in a note and by the quality
``inferred`` of each row: rows of cells between semicolons, tabs or bars, and a head that names the columns (the "ABL
with archive head" of the manual may look so).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.codec.parity import is_even_coded, strip
from gateway_server.errors import CodecError
from gateway_server.model import CURRENT, Event, Identify, Quality, Row, Span

from . import addresses, frames, interpreter, messages, models, objects, values
from .file_names import comftp_name
from .sections import Section

MOST_NOTES = 50

_LINE = re.compile(r"[^\r\n]+")
_CELLS = re.compile(r"(?P<head>[^()]*)\((?P<cells>.*)\)")
_VALUE = re.compile(r"(?P<address>(?:\d+-)?\d+:[0-9A-Fa-f]{3,}[^()]*)\((?P<value>[^()]*)\)")
_SEPARATED = re.compile(r"[^;\t|]*(?P<separator>[;\t|])")
_IDENTIFICATION = re.compile(r"/(?P<maker>[A-Za-z]{3})[0-9A-I](?P<ident>[^\x00-\x1f]+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_LONGEST_LINE = 1 << 14
_GIVEN_UP = 1000
_PIECE = 4096
_Found = TypeVar("_Found", Row, Event)
_BLANK = "\x00\x1a \t"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of text and where its bytes stand."""

    text: str
    start: int

    @property
    def span(self) -> Span:
        """Its bytes in the file."""
        return Span(self.start, self.start + len(self.text))


def read_file(file: UploadedFile) -> FileReading | None:
    """What a file tells, None if nothing in it is LIS-200. Raises `CodecError` if most of it is not."""
    reader = _FileReader(file)
    for text, start in reader.texts():
        for found in _LINE.finditer(text):
            bare = found.group().rstrip(_BLANK)
            if bare.strip(_BLANK):
                # One character is one octet, so a place in the text is a place in the file.
                reader.take(_Line(bare, start + found.start()))
                if reader.hopeless:
                    return reader.result()
    return reader.result()


def _frames(data: bytes) -> Iterator[Frame]:
    framer = frames.Lis200Framer()
    for at in range(0, len(data), _PIECE):
        framer.feed(data[at : at + _PIECE])
        while (frame := framer.next_frame()) is not None:
            yield frame
    while (frame := framer.flush()) is not None:
        yield frame


class _FileReader:
    """Goes through the lines of one file."""

    def __init__(self, file: UploadedFile) -> None:
        self._file = file
        self._section = Section()
        self._rows: list[Row] = []
        self._events: list[Event] = []
        self._values: list[Row] = []
        self._notes: list[str] = []
        self._about: dict[str, str] = {}
        self._manufacturer = self._ident = ""
        self._understood = 0
        self._strange = 0
        self._damaged = 0
        self._inferred = False

    def texts(self) -> Iterator[tuple[str, int]]:
        """The text of the file and where it begins: in telegrams what they carry, else everything."""
        data = self._file.data
        if b"\x02" not in data and not data.startswith((b"\x82", b"\xaf")):
            yield (strip(data) if is_even_coded(data) else data).decode("latin-1"), 0
            return
        between: list[str] = []
        start = end = 0
        for frame in _frames(data):
            if self.hopeless:
                return
            if frame.kind in (NOISE, frames.IDENTIFICATION):
                if end != frame.start:
                    yield "".join(between), start
                    between, start = [], frame.start
                between.append(messages.characters(frame.data))
                end = frame.end
            elif frame.fault:
                self._note(f"a telegram at byte {frame.start} is left out: {frame.fault}")
                self._damaged += 1
            elif frame.kind in (frames.BLOCK, frames.PARTIAL):
                yield "".join(between), start
                between, start, end = [], frame.end, frame.end
                yield messages.characters(frame.data)[1:-2], frame.start + 1
        yield "".join(between), start

    def take(self, line: _Line) -> None:
        """One line more."""
        text = line.text
        if len(text) > _LONGEST_LINE:
            self._strange += 1
        elif found := _VALUE.fullmatch(text):
            self._value(line, addresses.core(found["address"].strip()), found["value"])
        elif (found := _CELLS.fullmatch(text)) and ")(" in text:
            self._cells(found["head"].strip(), found["cells"].split(")("), line)
        elif found := _IDENTIFICATION.fullmatch(text):
            maker = found["maker"]
            self._manufacturer = interpreter.MANUFACTURERS.get(maker.upper(), maker)
            self._ident = found["ident"]
            self._understood += 1
        elif found := _SEPARATED.match(text):
            self._separated(text.removesuffix(found["separator"]).split(found["separator"]), line)
        else:
            self._strange += 1

    @property
    def hopeless(self) -> bool:
        """Whether so many lines mean nothing that the others need not be looked at."""
        return self._strange + self._damaged > self._understood + _GIVEN_UP

    def result(self) -> FileReading | None:
        """What all the lines told."""
        self._flush()
        if not self._understood or not (self._rows or self._events or self._values or self._about):
            return None
        if self._strange > self._understood:
            raise CodecError(
                f"{self._understood} of {self._understood + self._strange} lines look like rows or values of LIS-200,"
                " the others do not: that is too few to read it"
            )
        if self._strange:
            self._note(f"{self._strange} lines are neither rows nor values and are left out")
        named = next((name for one in self._file.names if (name := comftp_name(one))), None)
        clock = values.time(self._about.get(objects.CLOCK, ""))
        if self._inferred:
            self._note("inferred: the columns are those of archive rows, though no document describes such a file")
        return FileReading(
            Findings((*self._rows, *self._timed(clock)), tuple(self._events)),
            self._identity(),
            named.hints if named else (),
            made_at_ms=named.made_at_ms if named else None,
            notes=tuple(self._notes),
        )

    def _timed(self, clock: datetime | None) -> Iterator[Row]:
        """The values: as old as the clock among them says, else as the file."""
        for row in self._values:
            yield row if clock is None else row._replace(measured_at=clock)

    def _identity(self) -> Identify | None:
        serial = self._about.get(interpreter.SERIAL, "")
        model = self._profile().model or self._about.get(interpreter.TYPE, "")
        software = self._about.get(interpreter.SOFTWARE, "")
        return Identify(serial, self._manufacturer, model, software) if serial else None

    def _profile(self) -> models.Profile:
        return models.profile_of(self._ident, self._about.get(interpreter.TYPE, ""))

    # lines

    def _value(self, line: _Line, address: str, content: str) -> None:
        text, unit = values.split_unit(content)
        known = objects.BY_ADDRESS.get(address)
        if address in (interpreter.SERIAL, interpreter.TYPE, interpreter.SOFTWARE, objects.CLOCK):
            self._about[address] = values.plain(text.strip())
        elif known is not None and known.quantity is not None:
            columns = interpreter.live_columns(address, values.unit(unit))
            value = values.value(text.strip())
            self._values.append(Row(columns, (value,), CURRENT, span=line.span))
        else:
            self._note(f"value {address} is not read: nobody knows what it is")
        self._understood += 1

    def _cells(self, address: str, cells: Sequence[str], line: _Line) -> None:
        if _has_time(cells):
            archive = addresses.archive(address) if address else None
            if archive is not None and archive[0] != self._section.number:
                self._flush()
                self._section.number = archive[0]
            self._row(cells, line)
        else:
            self._head(cells)

    def _separated(self, cells: Sequence[str], line: _Line) -> None:
        trimmed = [cell.strip() for cell in cells]
        trimmed = [cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell for cell in trimmed]
        if not _has_time(trimmed):
            self._head(trimmed)
        elif any(_is_mark(cell) for cell in trimmed):
            self._section.inferred = self._inferred = True
            self._row(trimmed, line)
        else:
            self._strange += 1

    def _row(self, cells: Sequence[str], line: _Line) -> None:
        self._section.add(cells, line.span)
        self._understood += 1

    def _head(self, cells: Sequence[str]) -> None:
        """A line of cells without a time: names, units or sources of what follows, or nothing we know."""
        if self._section.rows:
            self._flush()
        if self._section.head(cells):
            self._inferred = True
            self._understood += 1
        else:
            self._strange += 1

    def _flush(self) -> None:
        section, self._section = self._section, Section()
        found = section.read(self._profile(), self._file.meter)
        inferred = section.inferred
        self._rows.extend(_doubted(row) if inferred else row for row in found.rows)
        self._events.extend(_doubted(event) if inferred else event for event in found.events)
        self._understood -= found.unread
        self._strange += found.unread
        for note in found.notes:
            self._note(note)

    def _note(self, text: str) -> None:
        if text not in self._notes and len(self._notes) < MOST_NOTES:
            self._notes.append(text)


def _has_time(cells: Sequence[str]) -> bool:
    return any(_TIME.fullmatch(cell) for cell in cells[:3])


def _is_mark(cell: str) -> bool:
    """What no other separated text has: an event code, or the check of a row."""
    return cell[:3].upper() == "CRC" or (cell[:2] == "0x" and len(cell) == 6)


def _doubted(found: _Found) -> _Found:
    return found._replace(quality=f"{found.quality} {Quality.INFERRED}".lstrip())
