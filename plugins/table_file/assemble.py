"""From records to readings, by a mapping."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Context, Decimal

from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading, OtherKind, UploadedFile
from gateway_server.errors import CodecError
from gateway_server.model import Column, Event, Identify, Quality, Row, Value

from .mapping import Mapping, Measured
from .records import Record, Records

MOST_NOTES = 20

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'")
_EXACT = Context(prec=120)
_MOST_ORDER = 2**53
_GIVEN_UP = 1000
_SHOWN = 60


class _UnreadError(Exception):
    """A row that cannot be understood, and why."""


class Assembly:
    """Puts together what one file says."""

    def __init__(self, mapping: Mapping, file: UploadedFile) -> None:
        self._mapping = mapping
        self._file = file
        self._quality = Quality.INFERRED if mapping.guess else ""
        self._columns: dict[tuple[int, ...], tuple[Column, ...]] = {}
        self._rows: list[Row] = []
        self._events: list[Event] = []
        self._notes: list[str] = []
        self._serials: dict[str, None] = {}
        self._unread = 0

    def read(self, records: Records) -> FileReading:
        """Everything the records say. Raises `OtherKind` if nothing in them can be read, `CodecError` if too little."""
        for record in records.rows:
            try:
                self._take(record)
            except _UnreadError as why:
                self._unread += 1
                self._note(f"row {record.number} is not read: {why}")
                if self._unread > len(self._rows) + len(self._events) + _GIVEN_UP:
                    break
        count = len(self._rows) + len(self._events)
        if self._unread and not count:
            raise OtherKind(self._notes[0])
        if self._unread > count:
            raise CodecError(f"{self._unread} of {self._unread + count} rows cannot be read; {self._notes[0]}")
        if self._unread > MOST_NOTES:
            self._notes.append(f"{self._unread} rows are not read in all")
        if self._mapping.guess:
            self._note("the mapping is a guess: its readings are marked as inferred")
        return FileReading(
            Findings(tuple(self._rows), tuple(self._events)),
            self._identity(records.head),
            self._mapping.hints(self._file),
            utc=self._mapping.moment.offset is not None,
            notes=tuple(self._notes),
        )

    def _identity(self, head: str) -> Identify | None:
        mapping = self._mapping
        if mapping.serial_pattern is not None:
            found = mapping.serial_pattern.search(head)
            if found is None:
                raise OtherKind(f"nothing above its rows is {mapping.serial_pattern.pattern}")
            self._serials[(found[1] or "").strip()] = None
        serials = [serial for serial in self._serials if serial]
        if len(serials) > 1:
            raise CodecError(f"its rows are of several meters: {', '.join(serials[:5])}")
        return Identify(serials[0]) if serials else None

    def _take(self, record: Record) -> None:
        mapping = self._mapping
        at = self._moment(record)
        order_text = self._said(record, mapping.order_number)
        order = _order(order_text, mapping) if order_text else None
        if mapping.serial:
            self._serials[self._said(record, mapping.serial)] = None
        if mapping.event and not mapping.values:
            code = self._said(record, mapping.event)
            text = self._said(record, mapping.event_text)
            self._events.append(Event(code or text, text, at, order, self._quality, record.span))
            return
        there, values = [], []
        for number, measured in enumerate(mapping.values):
            value = self._value(record, measured)
            if value is not None:
                there.append(number)
                values.append(value)
        if not values:
            raise _UnreadError("it holds no value")
        key = tuple(there)
        columns = self._columns.get(key)
        if columns is None:
            columns = self._columns[key] = tuple(mapping.values[number].column for number in there)
        status, event = self._said(record, mapping.status), self._said(record, mapping.event)
        archive = self._archive(record)
        row = Row(columns, tuple(values), archive, at, order, status, event, self._quality, record.span)
        self._rows.append(row)

    def _said(self, record: Record, place: str) -> str:
        """A text of the row; empty where the mapping asks for none or the file says that it is missing."""
        text = (record.text(place) or "").strip() if place else ""
        return "" if text in self._mapping.missing else text

    def _archive(self, record: Record) -> str:
        coded = self._mapping.archive
        if not coded.place:
            return coded.fixed
        said = self._said(record, coded.place)
        if coded.words is None:
            archive = said
        elif said in coded.words:
            archive = coded.words[said]
        else:
            raise _UnreadError(f"its archive {said[:_SHOWN]!r} is none of: {', '.join(coded.words)}")
        if not archive:
            raise _UnreadError("it says no archive")
        return archive

    def _moment(self, record: Record) -> datetime:
        moment = self._mapping.moment
        said = " ".join((record.text(place) or "").strip() for place in moment.places)
        try:
            at = datetime.strptime(said, moment.format)
            ahead = at.utcoffset() or moment.offset or timedelta()
            return at.replace(tzinfo=None) + moment.shift - ahead
        except (ValueError, OverflowError):
            raise _UnreadError(f"its time is not {moment.format}: {said[:_SHOWN]!r}") from None

    def _value(self, record: Record, measured: Measured) -> Value | None:
        said = self._said(record, measured.place)
        if not said:
            return None
        if measured.text:
            return said
        number = _number(said, self._mapping)
        return number if measured.scale == 1 else _EXACT.multiply(number, measured.scale)

    def _note(self, text: str) -> None:
        if len(self._notes) < MOST_NOTES:
            self._notes.append(text)


def _number(said: str, mapping: Mapping) -> Decimal:
    text = said.translate(_SPACES)
    if mapping.decimal != ".":
        text = text.replace(mapping.decimal, ".")
    if not _NUMBER.fullmatch(text) or len(text) > 60:
        raise _UnreadError(f"{said[:_SHOWN]!r} is no number")
    return Decimal(text)


def _order(said: str, mapping: Mapping) -> int:
    number = _number(said, mapping)
    if not 0 <= number <= _MOST_ORDER or number != int(number):
        raise _UnreadError(f"{said[:_SHOWN]!r} is no order number")
    return int(number)
