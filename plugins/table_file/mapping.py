"""What a mapping says: where a table's values stand, and what they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping as Words
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway_server import quantities
from gateway_server.codec.declaration import Declaration
from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.model import INTERVAL, Column, Quantity

from .places import Place

QUANTITIES = {one.name: one for one in vars(quantities).values() if isinstance(one, Quantity)}
_SEPARATORS = {"tab": "\t", "spaces": ""}
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)")
_SAMPLE = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a row: where it stands and what it is. ``scale`` is what its number is multiplied with."""

    place: str
    column: Column
    scale: Decimal = Decimal(1)
    text: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """How a row tells its time: texts, put together with spaces, in this format.

    ``offset`` is what its clock is ahead of UTC, None for the meter's own time; an offset in the text counts more.
    ``shift`` is added: a file may state the beginning of an interval where our rows are known by its end.
    """

    places: tuple[str, ...]
    format: str
    offset: timedelta | None
    shift: timedelta


@dataclass(frozen=True, slots=True)
class Coded:
    """A text of each row, or the same for all (``fixed``), through a list of words if there is one."""

    place: str = ""
    fixed: str = ""
    words: Words[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything a mapping says. ``serial`` is where the meter's number stands in a row, ``serial_pattern`` the way
    it stands in the text above; ``guess`` that nobody has confirmed the mapping."""

    name: str
    version: str
    guess: bool
    file_name: re.Pattern[str] | None
    is_xml: bool
    encoding: str
    decimal: str
    missing: frozenset[str]
    # separated text
    separator: str
    quote: str
    skip_lines: int
    header: bool
    comment: str
    # XML
    root: str
    row: str
    # what a row says
    serial: str
    serial_pattern: re.Pattern[str] | None
    archive: Coded
    moment: Moment
    order_number: str
    status: str
    event: str
    event_text: str
    values: tuple[Measured, ...]

    def check_name(self, file: UploadedFile) -> None:
        """Raises `OtherKind` for a file of another name."""
        if self.file_name is not None and not any(self.file_name.fullmatch(name) for name in file.names):
            raise OtherKind(f"its name is not {self.file_name.pattern}")

    def hints(self, file: UploadedFile) -> tuple[str, ...]:
        """The meter's number out of the file's name, if the pattern has a group ``meter``."""
        found = [self.file_name.fullmatch(name) for name in file.names] if self.file_name is not None else []
        return tuple(serial for one in found if one is not None and (serial := one.groupdict().get("meter")))

    @property
    def required(self) -> list[str]:
        """The places without which a file is not of this kind."""
        wanted = [*self.moment.places, self.serial, self.archive.place, self.order_number, self.status, self.event]
        wanted += [one.place for one in self.values if not one.optional]
        return list(dict.fromkeys(filter(None, wanted)))


def read_mapping(said: Declaration) -> Mapping:
    """A declaration as a mapping. Raises `OperatorError`, naming the line."""
    said.text("reads")
    said.text("about", "")
    is_xml = said.word("format", {"separated": False, "xml": True}, "separated")
    meter, event = said.table("meter"), said.table("event")
    mapping = Mapping(
        name=said.text("name", said.name),
        version=said.text("version", said.digest),
        guess=said.word("source", {"guess": True, "manual": False, "capture": False}, "capture"),
        file_name=said.pattern("file_name"),
        is_xml=is_xml,
        encoding=_encoding(said),
        decimal=said.word("decimal", {".": ".", ",": ","}, "."),
        missing=frozenset(said.texts("missing", ("", "-"))) | {""},
        separator=_separator(said) if not is_xml else "",
        quote=_character(said, "quote", '"') if not is_xml else "",
        skip_lines=said.number("skip_lines", 0, 0, 1000) if not is_xml else 0,
        header=said.flag("header", default=True) if not is_xml else True,
        comment=said.text("comment", "") if not is_xml else "",
        root=said.text("root", "") if is_xml else "",
        row=said.text("row") if is_xml else "",
        serial=meter.text("value", "") if meter else "",
        serial_pattern=meter.pattern("pattern") if meter else None,
        archive=_archive(said),
        moment=_moment(said, is_xml=is_xml),
        order_number=said.text("order_number", ""),
        status=said.text("status", ""),
        event=event.text("value") if event else "",
        event_text=event.text("text", "") if event else "",
        values=tuple(_measured(one, is_xml=is_xml) for one in said.tables("values"))
        if not event or "values" in said
        else (),
    )
    for table in (meter, event):
        if table is not None:
            table.end()
    if meter is not None and bool(mapping.serial) == bool(mapping.serial_pattern):
        raise said.wrong("meter", "has either `value`, a column, or `pattern`, an expression over the head")
    if mapping.serial_pattern is not None and not mapping.serial_pattern.groups:
        raise said.wrong("meter", "has a `pattern` without a group (...) around the number")
    if not mapping.is_xml and not mapping.header:
        for place in mapping.required:
            if not place.isdecimal() or int(place) < 1:
                raise said.wrong("header", f"is no: columns are then known by their numbers from 1, not as {place!r}")
    if mapping.is_xml:
        for key in ("row", "order_number", "status"):
            _check_place(said, key)
        for table in (meter, event, said.table("archive") if mapping.archive.place else None):
            if table is not None:
                _check_place(table, "value")
                _check_place(table, "text")
    if mapping.separator and mapping.separator == mapping.quote:
        raise said.wrong("quote", "is the separator too")
    said.end()
    return mapping


def _measured(said: Declaration, *, is_xml: bool) -> Measured:
    if is_xml:
        _check_place(said, "value")
    place, name = said.text("value"), said.text("quantity")
    known = QUANTITIES.get(name)
    own = said.flag("own", default=False)
    if known is None and not own:
        raise said.wrong(
            "quantity",
            f"is {name!r}, which is none of ours; write `own: yes` if it is meant, or one of: {', '.join(QUANTITIES)}",
        )
    unit = said.text("unit", known.unit if known else "")
    obis = said.text("obis", known.obis if known else "")
    cumulative = said.flag("cumulative", default=known.cumulative if known else False)
    measured = Measured(
        place,
        Column(name, unit, obis, said.text("name", place), cumulative=cumulative),
        said.decimal("scale", "1"),
        said.flag("text", default=False),
        said.flag("optional", default=False),
    )
    said.end()
    return measured


def _moment(said: Declaration, *, is_xml: bool) -> Moment:
    table = said.table("time")
    if table is None:
        raise said.wrong("time", "is missing: which column holds a row's time, and in what format")
    if is_xml:
        _check_place(table, "value")
    written_as = table.text("format")
    own_offset = "%z" in written_as
    if own_offset and "zone" in table:
        raise table.wrong("zone", "is told by %z in each time already")
    moment = Moment(
        table.texts("value"),
        written_as,
        timedelta() if own_offset else _offset(table),
        timedelta(seconds=table.number("shift", 0, -31_622_400, 31_622_400)),
    )
    table.end()
    if not moment.places:
        raise table.wrong("value", "names no column")
    try:
        written = _SAMPLE.strftime(moment.format)
        read = datetime.strptime(written, moment.format)
    except (ValueError, re.error) as error:
        raise table.wrong("format", f"is none: {error}") from None
    if (read.year, read.month, read.day) != (2026, 3, 14):
        raise table.wrong("format", "does not tell year, month and day")
    return moment


def _offset(table: Declaration) -> timedelta | None:
    said = table.text("zone", "meter")
    if said == "meter":
        return None
    if said == "utc":
        return timedelta()
    found = _ZONE.fullmatch(said)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        raise table.wrong("zone", f"is {said!r}; it is `meter`, `utc` or an offset such as +03:00")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -offset if found[1] == "-" else offset


def _encoding(said: Declaration) -> str:
    name = said.text("encoding", "")
    try:
        return codecs.lookup(name).name if name else ""
    except LookupError:
        raise said.wrong("encoding", f"is {name!r}, which is none; such as utf-8, cp1251, koi8-r, cp866") from None


def _separator(said: Declaration) -> str:
    text = said.text("separator", ";")
    if text in _SEPARATORS:
        return _SEPARATORS[text]
    return _character(said, "separator", ";")


def _character(said: Declaration, key: str, default: str) -> str:
    text = said.text(key, default)
    if len(text) != 1 or text in "\r\n":
        raise said.wrong(
            key, f"is {text!r}; it is one character" + (", `tab` or `spaces`" if key == "separator" else "")
        )
    return text


def _archive(said: Declaration) -> Coded:
    if not said.is_table("archive"):
        return Coded(fixed=said.text("archive", INTERVAL))
    table = said.table("archive")
    assert table is not None
    words = table.table("words")
    archive = Coded(table.text("value"), "", {key: words.text(key) for key in words} if words else None)
    table.end()
    return archive


def _check_place(said: Declaration, key: str) -> None:
    for place in said.texts(key, ()):
        try:
            Place.of(place)
        except ValueError as error:
            raise said.wrong(key, f"has {place!r}, which is no place in XML: {error}") from None
