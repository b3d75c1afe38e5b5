"""The files that readings leave in, read back by other programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet

from gateway_server.cli.reading_export import (
    COLUMNS,
    EVENT_LOG,
    READINGS,
    csv_pieces,
    exact_number,
    jsonl_pieces,
    write_parquet,
    write_xlsx,
)
from gateway_server.store.records import StoredEvent, StoredReading

AT = 1_399_010_400_000


def reading(value: str, order_number: int | None = 640, **more: object) -> StoredReading:
    fields: dict[str, object] = {
        "meter": "00412033", "quantity": "base volume", "obis": "7-0:13.83.0", "name": "Vb", "value": value,
        "unit": "m³", "measured_at_ms": AT, "received_at_ms": AT + 2400, "archive": "interval",
        "order_number": order_number, "status": "", "event": "0x8103", "quality": "", "session": 7, "span_start": 1,
        "span_end": 2, "codec": "lis200", "codec_version": "1",
    } | more  # fmt: skip
    return StoredReading(**fields)  # type: ignore[arg-type]  # the record's own fields


def test_csv_keeps_every_digit_and_leading_zeros() -> None:
    text = b"".join(
        csv_pieces(READINGS, [reading("0.10"), reading("882066.630912345678901"), reading("7 14", None)])
    ).decode()
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [line["value"] for line in lines] == ["0.10", "882066.630912345678901", "7 14"]
    assert lines[0]["meter"] == "00412033"
    assert [line["order_number"] for line in lines] == ["640", "640", ""]
    assert "\r\n" in text


def test_csv_for_russian_excel_has_mark_semicolons_and_decimal_commas() -> None:
    data = b"".join(csv_pieces(READINGS, [reading("0.10"), reading("v2.31 beta")], excel_ru=True))
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [line["value"] for line in lines] == ["0,10", "v2.31 beta"]


def test_long_csv_comes_in_pieces() -> None:
    pieces = list(csv_pieces(READINGS, (reading(str(number)) for number in range(2500))))
    assert len(pieces) == 3
    assert len(b"".join(pieces).splitlines()) == 2501


def test_jsonl_is_one_reading_a_line() -> None:
    (line,) = b"".join(jsonl_pieces(READINGS, [reading("0.10")])).splitlines()
    assert json.loads(line)["value"] == "0.10"


def cells(path: Path, sheet: int = 0) -> list[dict[str, object]]:
    rows = list(openpyxl.load_workbook(path).worksheets[sheet].iter_rows(values_only=True))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]


def test_workbook_has_real_numbers_and_times_and_exact_texts(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    long = "1234567890.1234567"
    assert write_xlsx(path, READINGS, [reading("882066.6309"), reading(long), reading("7 14"), reading("=1+1")]) == 1
    number, exact, text, formula = cells(path)
    assert number["value"] == 882066.6309
    assert exact["value"] == long
    assert text["value"] == "7 14"
    assert formula["value"] == "=1+1"
    assert number["measured_at"] == datetime(2014, 5, 2, 6, 0)
    assert (number["order_number"], number["meter"]) == (640, "00412033")


def test_workbook_shows_trailing_zeros(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write_xlsx(path, READINGS, [reading("12.500")])
    cell = openpyxl.load_workbook(path).worksheets[0].cell(2, COLUMNS.index("value") + 1)
    assert (cell.value, cell.number_format) == (12.5, "0.000")


def test_workbook_goes_on_in_the_next_sheet(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    assert write_xlsx(path, READINGS, (reading(str(number)) for number in range(7)), sheet_rows=4) == 3
    assert [cells(path, sheet)[0]["value"] for sheet in range(3)] == [0, 3, 6]
    assert len(cells(path, 1)) == 3
    assert [page.auto_filter.ref for page in openpyxl.load_workbook(path)] == ["A1:N4", "A1:N4", "A1:N2"]


def test_rows_of_a_clock_that_was_never_set_are_exported_in_every_format(tmp_path: Path) -> None:
    year_one, last_year = -62_135_596_800_000, 253_402_300_799_000
    things = [reading("1", measured_at_ms=year_one), reading("2", measured_at_ms=last_year), reading("3")]
    write_xlsx(tmp_path / "x.xlsx", READINGS, things)
    first, last, usual = (row["measured_at"] for row in cells(tmp_path / "x.xlsx"))
    assert str(first).startswith("0001-01-0")
    assert str(last).startswith("9999-12-3")
    assert usual == datetime(2014, 5, 2, 6, 0)
    write_parquet(tmp_path / "x.parquet", READINGS, things)
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 3
    assert b"0001-01-0" in b"".join(csv_pieces(READINGS, things))
    assert b'"0001-01-0' in b"".join(jsonl_pieces(READINGS, things))


def test_workbook_without_readings_has_its_headings(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    assert write_xlsx(path, READINGS, []) == 1
    headings = next(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    assert tuple(str(heading).removesuffix(" (UTC)") for heading in headings) == COLUMNS


@pytest.mark.parametrize("value", ["0", "0.1", "-12.50", "882066.6309", "123456789012345"])
def test_number_that_a_spreadsheet_holds_exactly_is_one(value: str) -> None:
    number = exact_number(value)
    assert number == Decimal(value)
    assert Decimal(repr(float(value))) == number


@pytest.mark.parametrize("value", ["1234567890123456", "0.1234567890123456", "7 14", "", "NaN", "0x8103", "1e400"])
def test_what_a_spreadsheet_would_bend_stays_text(value: str) -> None:
    assert exact_number(value) is None


def test_parquet_has_times_and_whole_numbers_as_such_and_values_exactly(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_parquet(path, READINGS, [reading("0.10"), reading("1", None)])
    rows = parquet.read_table(path).to_pylist()
    assert [(row["value"], row["order_number"]) for row in rows] == [("0.10", 640), ("1", None)]
    assert rows[0]["measured_at"] == datetime(2014, 5, 2, 6, 0, tzinfo=UTC)


def event(code: str = "0x2504") -> StoredEvent:
    return StoredEvent("00412033", code, "message 6 appears in St.4", AT, AT + 2400, 18, "", 7, 61, 101, "lis200", "1")


def test_events_leave_in_every_format(tmp_path: Path) -> None:
    (line,) = csv.DictReader(
        io.StringIO(b"".join(csv_pieces(EVENT_LOG, [event()], excel_ru=False)).decode(), newline="")
    )
    assert (line["code"], line["order_number"], line["measured_at"]) == ("0x2504", "18", "2014-05-02T06:00:00Z")
    assert json.loads(b"".join(jsonl_pieces(EVENT_LOG, [event()])))["text"] == "message 6 appears in St.4"
    write_xlsx(tmp_path / "x.xlsx", EVENT_LOG, [event()])
    rows = list(openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[0].iter_rows(values_only=True))
    assert rows[1][:4] == ("00412033", 18, datetime(2014, 5, 2, 6, 0), "0x2504")
    write_parquet(tmp_path / "x.parquet", EVENT_LOG, [event()])
    assert parquet.read_table(tmp_path / "x.parquet").to_pylist()[0]["session"] == 7
