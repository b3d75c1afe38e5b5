"""The meter register from a spreadsheet: which column is what, and a verdict for every row."""

from __future__ import annotations

import codecs as encodings
import csv
import enum
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

from gateway_server.cli.register import changed, check_meter
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError
from gateway_server.model import MeterState
from gateway_server.store.records import MeterRecord

# Headings as they stand in operators' sheets, English and Russian; compared in small letters, without points.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "serial": (
        "serial", "serial number", "serial no", "meter",
        "заводской номер", "зав номер", "зав №", "серийный номер", "номер корректора", "заводской №",
    ),
    "name": ("name", "title", "site", "consumer", "название", "наименование", "имя", "потребитель", "объект"),
    "codec": ("codec", "protocol", "кодек", "протокол"),
    "profile": ("profile", "model", "type", "профиль", "модель", "тип", "тип корректора"),
    "route": ("route", "routes", "маршрут", "маршруты", "канал", "канал связи"),
    "caller": ("caller", "imei", "iccid", "id модема"),
    "address": ("bus address", "адрес на шине", "сетевой адрес", "адрес прибора"),
    "host": ("host", "ip", "address", "ip address", "адрес", "ip адрес", "ip-адрес"),
    "port": ("port", "tcp port", "порт"),
    "phone": ("phone", "phone number", "number", "телефон", "номер телефона", "номер сим", "номер sim"),
    "group": ("group", "region", "группа", "регион", "участок"),
    "time_zone": ("time zone", "timezone", "zone", "часовой пояс", "пояс"),
    "gas_day_start": (
        "gas day start", "gas day", "contract hour",
        "контрактный час", "начало газовых суток", "газовые сутки", "расчетный час", "расчётный час",
    ),
}  # fmt: skip

_FIELD_OF = {heading: field for field, headings in HEADINGS.items() for heading in headings}
_MOST_ROWS = 1_000_000


class Verdict(enum.Enum):
    """What becomes of a row."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """One row of the sheet with its verdict; ``number`` is its line in the sheet."""

    number: int
    serial: str
    verdict: Verdict
    reason: str = ""
    meter: MeterRecord | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet whose columns are understood. ``ignored`` are headings that nobody here knows."""

    rows: tuple[tuple[int, Mapping[str, str]], ...]
    ignored: tuple[str, ...]


def read_sheet(path: Path) -> Sheet:
    """A CSV or XLSX file. Raises `OperatorError` if it is neither or has no column for serial numbers."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}") from error
    lines = _xlsx_lines(path, data) if data.startswith(b"PK\x03\x04") else _csv_lines(path, data)
    filled = [(number, cells) for number, cells in lines if any(cells)]
    if not filled:
        raise OperatorError(f"{path} is empty")
    columns = [_FIELD_OF.get(_plain(heading), "") for heading in filled[0][1]]
    if "serial" not in columns:
        raise OperatorError(
            f"{path}: no column holds serial numbers; its heading is one of: {', '.join(HEADINGS['serial'])}"
        )
    for field in set(columns) - {"", "route", "caller", "phone"}:
        if columns.count(field) > 1:
            raise OperatorError(f"{path}: {columns.count(field)} columns hold the {field.replace('_', ' ')}; leave one")
    ignored = tuple(heading for heading, field in zip(filled[0][1], columns, strict=True) if heading and not field)
    return Sheet(tuple((number, _named(columns, cells)) for number, cells in filled[1:]), ignored)


def judge(
    sheet: Sheet,
    known: Mapping[str, MeterRecord],
    codecs: Registry,
    routes_taken: Mapping[str, str],
    shared: Collection[str] = (),
) -> Iterator[Judged]:
    """A verdict for every row. ``routes_taken`` says whose a route is; ``known`` is the register by serial number;
    ``shared`` are upload accounts that many meters share."""
    taken = dict(routes_taken)
    seen: dict[str, int] = {}
    for number, row in sheet.rows:
        serial = row.get("serial", "")
        try:
            if not serial:
                raise OperatorError("no serial number")
            if serial in seen:
                raise OperatorError(f"the same serial number stands in row {seen[serial]}")
            seen[serial] = number
            old = known.get(serial)
            meter = check_meter(_meter(row, old or MeterRecord(serial)), codecs, shared)
            for route in meter.routes:
                if taken.setdefault(route, serial) != serial:
                    raise OperatorError(f"route {route} already leads to meter {taken[route]}")
        except OperatorError as error:
            yield Judged(number, serial, Verdict.REFUSED, str(error))
            continue
        if old is None:
            yield Judged(number, serial, Verdict.ADD, ", ".join(meter.routes), meter)
        elif differences := _differences(old, meter):
            yield Judged(number, serial, Verdict.CHANGE, "; ".join(differences), meter)
        else:
            yield Judged(number, serial, Verdict.SAME)


def _meter(row: Mapping[str, str], old: MeterRecord) -> MeterRecord:
    meter = changed(
        old,
        name=row.get("name") or None,
        codec=row.get("codec") or None,
        profile=row.get("profile") or None,
        routes=tuple(_routes(row)),
        group=row.get("group") or None,
        time_zone=row.get("time_zone") or None,
        gas_day_start=_hour(row["gas_day_start"]) if row.get("gas_day_start") else None,
        address=row.get("address") or None,
    )
    if meter.state is MeterState.UNCLAIMED:
        raise OperatorError(f"it called already and is unclaimed; `gateway-server meter claim {meter.serial}` takes it")
    return meter


def _routes(row: Mapping[str, str]) -> Iterator[str]:
    yield from re.split(r"[\s,;|]+", row["route"]) if row.get("route") else ()
    yield from (f"caller:{one}" for one in row.get("caller", "").split())
    if host := row.get("host"):
        if not (port := row.get("port")) and ":" not in host:
            raise OperatorError(f"there is an address {host} but no port")
        yield f"tcp:{host}:{port}" if port else f"tcp:{host}"
    if phone := re.sub(r"[\s()-]", "", row.get("phone", "")):
        yield f"csd:{phone}"


def _hour(text: str) -> str:
    """``10``, ``10:00`` and Excel's ``10:00:00`` alike."""
    found = re.fullmatch(r"(\d{1,2})(?::(\d{2})(?::00)?)?", text)
    return f"{int(found[1]):02}:{found[2] or '00'}" if found else text


def _differences(old: MeterRecord, new: MeterRecord) -> list[str]:
    return [
        f"{field.name.replace('_', ' ')}: {_shown(getattr(old, field.name))} → {_shown(getattr(new, field.name))}"
        for field in fields(MeterRecord)
        if getattr(old, field.name) != getattr(new, field.name)
    ]


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value) or "none"


def _plain(heading: str) -> str:
    return re.sub(r"[\s_.]+", " ", heading).strip().casefold()


def _named(columns: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    row: dict[str, str] = {}
    for field, cell in zip(columns, cells, strict=False):
        if field and cell:
            row[field] = f"{row[field]} {cell}" if field in row else cell
    return row


def _csv_lines(path: Path, data: bytes) -> Iterable[tuple[int, list[str]]]:
    text = _decoded(data)
    if "\0" in text:
        raise OperatorError(f"{path} is neither CSV nor XLSX; an old .xls is to be saved as .xlsx first")
    heading = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]


def _decoded(data: bytes) -> str:
    """UTF-8, with or without its mark; UTF-16 with its mark, which is Excel's `Unicode text`; else what Russian Windows
    writes."""
    try:
        if data.startswith((encodings.BOM_UTF16_LE, encodings.BOM_UTF16_BE)):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")


def _xlsx_lines(path: Path, data: bytes) -> Iterable[tuple[int, list[str]]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise OperatorError(f"{path} is no Excel workbook that can be read: {error}") from error
    try:
        sheet = book.worksheets[0]
        return [
            (number, [_cell(cell) for cell in cells])
            for number, cells in enumerate(sheet.iter_rows(values_only=True, max_row=_MOST_ROWS), 1)
        ]
    finally:
        book.close()


def _cell(value: object) -> str:
    """A cell as text. Serial numbers that Excel holds as numbers are whole."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
