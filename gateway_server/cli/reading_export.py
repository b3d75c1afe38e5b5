"""Readings and events as files: CSV (also as Russian Excel wants it), XLSX, Parquet, JSON lines. All streamed, exact.

A value leaves as the text it has in the store. Only in XLSX is it a number, so that Excel can add it up: a cell holds
a binary double, which keeps 15 digits; a value with more digits, or one that is no number, stays text there. The
format of the cell keeps the places behind the point, so 1042.50 is shown as 1042.50.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from gateway_server.cli.listing import JsonValue
from gateway_server.cli.moments import at
from gateway_server.cli.reading_json import event_json, reading_json
from gateway_server.store.records import StoredEvent, StoredReading

FORMATS = ("csv", "xlsx", "parquet", "jsonl")

COLUMNS = (
    "meter",
    "archive",
    "order_number",
    "measured_at",
    "quantity",
    "name",
    "obis",
    "value",
    "unit",
    "status",
    "event",
    "quality",
    "received_at",
    "session",
)

EVENT_COLUMNS = ("meter", "order_number", "measured_at", "code", "text", "quality", "received_at", "session")

EXACT_DIGITS = 15
SHEET_ROWS = 1_048_576
FIRST_SHEET_YEAR = 1900
"""Earlier times are text: Excel has no dates before, and 1900 was no leap year but in Excel."""
_BATCH = 50_000
_BOM = "\ufeff"


class Stored(Protocol):
    """What readings and events have in common."""

    @property
    def measured_at_ms(self) -> int: ...

    @property
    def received_at_ms(self) -> int: ...


T = TypeVar("T", bound=Stored)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """What stands in a file: the columns, by their names in the JSON document of one thing."""

    noun: str
    columns: tuple[str, ...]
    as_json: Callable[[T], Mapping[str, JsonValue]]

    def cells(self, one: T) -> list[str]:
        """One thing's cells as text."""
        said = self.as_json(one)
        return ["" if said[name] is None else str(said[name]) for name in self.columns]


READINGS: Sheet[StoredReading] = Sheet("readings", COLUMNS, reading_json)
EVENT_LOG: Sheet[StoredEvent] = Sheet("events", EVENT_COLUMNS, event_json)


def csv_pieces(sheet: Sheet[T], things: Iterable[T], *, excel_ru: bool = False) -> Iterator[bytes]:
    """CSV in UTF-8 (RFC 4180). ``excel_ru``: a byte order mark, semicolons and decimal commas."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel_ru else ",", lineterminator="\r\n")
    if excel_ru:
        out.write(_BOM)
    writer.writerow(sheet.columns)
    value = _value(sheet)
    for number, one in enumerate(things, 1):
        cells = sheet.cells(one)
        if excel_ru and value >= 0:
            cells[value] = _with_comma(cells[value])
        writer.writerow(cells)
        if number % 1000 == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def jsonl_pieces(sheet: Sheet[T], things: Iterable[T]) -> Iterator[bytes]:
    """One reading or event a line, with the fields of ``reading list --json``."""
    for one in things:
        yield json.dumps(sheet.as_json(one), ensure_ascii=False).encode() + b"\n"


def write_xlsx(path: Path, sheet: Sheet[T], things: Iterable[T], *, sheet_rows: int = SHEET_ROWS) -> int:
    """An Excel workbook; gives the number of its sheets. Behind ``sheet_rows`` rows the next sheet begins."""
    from xlsxwriter import Workbook

    book = Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True})
    time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    places = [book.add_format({"num_format": "0" + ("." + "0" * digits if digits else "")}) for digits in range(16)]
    columns = sheet.columns
    times = [at for at, name in enumerate(columns) if name.endswith("_at")]
    sheets = 1
    row = 1
    page = _page(book, sheet, f"{sheet.noun} 1", bold)
    for one in things:
        if row >= sheet_rows:
            page.autofilter(0, 0, row - 1, len(columns) - 1)
            sheets += 1
            page = _page(book, sheet, f"{sheet.noun} {sheets}", bold)
            row = 1
        for column, cell in enumerate(sheet.cells(one)):
            if columns[column] == "value" and (number := exact_number(cell)) is not None:
                page.write_number(row, column, float(number), places[_places(number)])
            elif columns[column] in _WHOLE and cell:
                page.write_number(row, column, int(cell))
            elif column in times:
                moment = at(_ms(one, columns[column])).replace(tzinfo=None)
                if moment.year > FIRST_SHEET_YEAR:
                    page.write_datetime(row, column, moment, time)
                else:
                    page.write_string(row, column, cell)
            elif cell:
                page.write_string(row, column, cell)
        row += 1
    page.autofilter(0, 0, row - 1, len(columns) - 1)
    book.close()
    return sheets


def _page(book: Any, sheet: Sheet[T], name: str, bold: object) -> Any:
    page = book.add_worksheet(name)
    page.freeze_panes(1, 0)
    for column, heading in enumerate(sheet.columns):
        is_time = heading.endswith("_at")
        page.write_string(0, column, heading + (" (UTC)" if is_time else ""), bold)
        if is_time:
            page.set_column(column, column, 19)
    return page


def write_parquet(path: Path, sheet: Sheet[T], things: Iterable[T]) -> None:
    """Parquet: times as UTC timestamps of milliseconds, values as text, because a column of decimals has one scale."""
    import pyarrow as pa
    from pyarrow import parquet

    def kind(name: str) -> Any:
        return pa.timestamp("ms", tz="UTC") if name.endswith("_at") else pa.int64() if name in _WHOLE else pa.string()

    schema = pa.schema([(name, kind(name)) for name in sheet.columns])
    with parquet.ParquetWriter(str(path), schema) as writer:
        for batch in _batches(things):
            said = [sheet.as_json(one) for one in batch]
            columns = [
                [_ms(one, name) for one in batch] if name.endswith("_at") else [row[name] for row in said]
                for name in sheet.columns
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def exact_number(value: str) -> Decimal | None:
    """The value as a number that a spreadsheet holds exactly, None if it must stay text."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or not -EXACT_DIGITS <= exponent <= 0 or len(digits) > EXACT_DIGITS:
        return None
    return number


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _with_comma(value: str) -> str:
    """A decimal comma if this is a number."""
    try:
        Decimal(value)
    except InvalidOperation:
        return value
    return value.replace(".", ",")


_WHOLE = ("order_number", "session")


def _value(sheet: Sheet[T]) -> int:
    return sheet.columns.index("value") if "value" in sheet.columns else -1


def _ms(one: Stored, name: str) -> int:
    return one.measured_at_ms if name == "measured_at" else one.received_at_ms


def _batches(things: Iterable[T]) -> Iterator[Sequence[T]]:
    batch: list[T] = []
    for one in things:
        batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
