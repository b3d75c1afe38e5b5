"""Readings as files: CSV (also as Russian Excel wants it), XLSX, Parquet, JSON lines. All streamed, all exact.

A value leaves as the text it has in the store. Only in XLSX is it a number, so that Excel can add it up: a cell holds
a binary double, which keeps 15 digits; a value with more digits, or one that is no number, stays text there. The
format of the cell keeps the places behind the point, so 1042.50 is shown as 1042.50.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from gateway_server.cli.moments import at
from gateway_server.cli.reading_json import reading_json
from gateway_server.errors import OperatorError
from gateway_server.store.records import StoredReading

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

EXACT_DIGITS = 15
SHEET_ROWS = 1_048_576
_BATCH = 50_000
_BOM = "\ufeff"

Count = Callable[[int], object]


def csv_pieces(readings: Iterable[StoredReading], *, excel_ru: bool = False) -> Iterator[bytes]:
    """CSV in UTF-8 (RFC 4180). ``excel_ru``: a byte order mark, semicolons and decimal commas."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel_ru else ",", lineterminator="\r\n")
    if excel_ru:
        out.write(_BOM)
    writer.writerow(COLUMNS)
    for number, reading in enumerate(readings, 1):
        cells = _cells(reading)
        if excel_ru:
            cells[_VALUE] = _with_comma(reading.value)
        writer.writerow(cells)
        if number % 1000 == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def jsonl_pieces(readings: Iterable[StoredReading]) -> Iterator[bytes]:
    """One reading a line, with the fields of ``reading list --json``."""
    for reading in readings:
        yield json.dumps(reading_json(reading), ensure_ascii=False).encode() + b"\n"


def write_xlsx(path: Path, readings: Iterable[StoredReading], *, sheet_rows: int = SHEET_ROWS) -> int:
    """An Excel workbook; gives the number of its sheets. Behind ``sheet_rows`` rows the next sheet begins."""
    from xlsxwriter import Workbook

    book = Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True})
    time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    places = [book.add_format({"num_format": "0" + ("." + "0" * digits if digits else "")}) for digits in range(16)]
    sheets = 0
    row = sheet_rows
    for reading in readings:
        if row >= sheet_rows:
            sheets += 1
            sheet = book.add_worksheet(f"readings {sheets}")
            sheet.freeze_panes(1, 0)
            sheet.set_column(3, 3, 19)
            sheet.set_column(12, 12, 19)
            for column, heading in enumerate(COLUMNS):
                sheet.write_string(0, column, heading + (" (UTC)" if heading.endswith("_at") else ""), bold)
            row = 1
        for column, cell in enumerate(_cells(reading)):
            if column == _VALUE and (number := exact_number(reading.value)) is not None:
                sheet.write_number(row, column, float(number), places[_places(number)])
            elif COLUMNS[column] in ("order_number", "session") and cell:
                sheet.write_number(row, column, int(cell))
            elif cell:
                sheet.write_string(row, column, cell)
        sheet.write_datetime(row, 3, at(reading.measured_at_ms).replace(tzinfo=None), time)
        sheet.write_datetime(row, 12, at(reading.received_at_ms).replace(tzinfo=None), time)
        row += 1
    if not sheets:
        book.add_worksheet("readings 1").write_row(0, 0, COLUMNS, bold)
    book.close()
    return max(sheets, 1)


def write_parquet(path: Path, readings: Iterable[StoredReading]) -> None:
    """Parquet: times as UTC timestamps of milliseconds, values as text, because a column of decimals has one scale."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise OperatorError("Parquet needs pyarrow: pip install 'gateway-server[parquet]', or choose csv") from error
    kinds = {
        "order_number": pa.int64(),
        "session": pa.int64(),
        "measured_at": pa.timestamp("ms", tz="UTC"),
        "received_at": pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    with parquet.ParquetWriter(str(path), schema) as writer:
        for batch in _batches(readings):
            writer.write_batch(pa.record_batch([[_raw(one, name) for one in batch] for name in COLUMNS], schema=schema))


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


_VALUE = COLUMNS.index("value")


def _cells(reading: StoredReading) -> list[str]:
    said = reading_json(reading)
    return ["" if said[name] is None else str(said[name]) for name in COLUMNS]


def _raw(reading: StoredReading, name: str) -> str | int | None:
    match name:
        case "measured_at":
            return reading.measured_at_ms
        case "received_at":
            return reading.received_at_ms
        case "order_number":
            return reading.order_number
        case "session":
            return reading.session
    return str(reading_json(reading)[name])


def _batches(readings: Iterable[StoredReading]) -> Iterator[Sequence[StoredReading]]:
    batch: list[StoredReading] = []
    for reading in readings:
        batch.append(reading)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
