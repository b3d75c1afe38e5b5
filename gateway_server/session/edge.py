"""Where a meter's words become the store's: its own clock becomes UTC, its numbers become exact plain text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway_server.codec.dialogue import Findings
from gateway_server.errors import CodecError
from gateway_server.model import MOST_ORDER_NUMBER, Column, Event, Quality, Reading, Row, Value
from gateway_server.store.records import EventToSave, RowToSave
from gateway_server.store.zones import FIRST_MS, LAST_MS, within_calendar

CLOCK = "clock"
CLOCK_DRIFT = "clock_drift"

_UTC = ZoneInfo("UTC")
_EPOCH = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)
_DAY_MS = 86_400_000
_YEAR_2000_MS = 946_684_800_000
_MOST_DIGITS = 100
_LAYOUTS_KEPT = 512
_HOUR_BUT_A_SECOND_MS = 3_599_000
_HOURS_KEPT = 1 << 15
_hours: dict[tuple[ZoneInfo, int, int, int], int] = {}


def to_save(findings: Findings, zone: ZoneInfo, received_at_ms: int) -> tuple[list[RowToSave], list[EventToSave]]:
    """What the meter reported, ready for the store. Its naive times are in ``zone``.

    Live values, which have no time of their own, get the time of arrival; a value of the quantity ``clock`` also gives
    a ``clock_drift`` in seconds, device minus gateway. Raises `CodecError` for a number no meter can mean: the store
    must never be asked to keep what it cannot, and this is the one way into it.
    """
    rows = [_row(row, zone, received_at_ms) for row in findings.rows]
    if findings.readings:
        rows.extend(_row(_row_of(reading), zone, received_at_ms) for reading in findings.readings)
    return rows, [_event(event, zone, received_at_ms) for event in findings.events]


def row_to_save(found: Row | Reading, zone: ZoneInfo, received_at_ms: int) -> RowToSave:
    """One row or reading as `to_save` would give it, without a list around it: what a push session yields per frame."""
    return _row(found if type(found) is Row else _row_of(found), zone, received_at_ms)  # type: ignore[arg-type]


def utc_ms(measured_at: datetime, zone: ZoneInfo) -> int:
    """A meter's time as UTC milliseconds: naive in its own clock (``fold=1``: the second of two equal autumn hours).

    A time with a zone of its own, of a protocol that speaks UTC, is what it says. One at an end of the calendar, as
    clocks show that were never set, is kept where every zone can show it (`within_calendar`).
    """
    if measured_at.tzinfo is not None:
        try:
            measured_at = measured_at.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            return FIRST_MS if measured_at.year == 1 else LAST_MS
        zone = _UTC
    # A zone is asked once per hour: rows come by the thousand, and asking costs more than the rest of a row.
    hour = (zone, measured_at.toordinal(), measured_at.hour, measured_at.fold)
    start = _hours.get(hour)
    if start is None:
        start = _utc_ms(measured_at.replace(minute=0, second=0, microsecond=0), zone)
        end = _utc_ms(measured_at.replace(minute=59, second=59, microsecond=0), zone)
        if end - start != _HOUR_BUT_A_SECOND_MS:  # the offset changes within this hour
            return _utc_ms(measured_at, zone)
        if len(_hours) >= _HOURS_KEPT:
            _hours.clear()
        _hours[hour] = start
    return start + (measured_at.minute * 60 + measured_at.second) * 1000 + measured_at.microsecond // 1000


def _utc_ms(measured_at: datetime, zone: ZoneInfo) -> int:
    offset = measured_at.replace(tzinfo=zone).utcoffset()
    assert offset is not None  # a ZoneInfo always knows
    return within_calendar((measured_at.replace(tzinfo=None, fold=0) - _EPOCH - offset) // _MILLISECOND)


def plain(value: Value) -> str:
    """A value as exact text without an exponent: ``1E+2`` is ``100``, ``0.10`` stays ``0.10``."""
    if type(value) is str:
        return value
    text = str(value)
    if "E" in text or not value.is_finite():  # type: ignore[union-attr]  # a str has left above
        return _unfolded(value)  # type: ignore[arg-type]
    return text


_is_odd = re.compile("[EIN]").search  # an exponent, or no number at all


def _unfolded(value: Decimal) -> str:
    if not value.is_finite():
        raise CodecError(f"{value} is no number a meter can mean")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    if abs(exponent) > _MOST_DIGITS:
        raise CodecError(f"a number with {abs(exponent)} places is none a meter can mean")
    return format(value, "f")


def _row_of(reading: Reading) -> Row:
    quantity = reading.quantity
    return Row(
        columns=_column_of(
            quantity.name, reading.unit or quantity.unit, quantity.obis, reading.name, cumulative=quantity.cumulative
        ),
        values=(reading.value,),
        archive=reading.archive,
        measured_at=reading.measured_at,
        order_number=reading.order_number,
        status=reading.status,
        quality=reading.quality,
        span=reading.span,
    )


@lru_cache(maxsize=4096)
def _column_of(quantity: str, unit: str, obis: str, name: str, *, cumulative: bool) -> tuple[Column, ...]:
    return (Column(quantity, unit, obis, name, cumulative=cumulative),)


def _row(row: Row, zone: ZoneInfo, received_at_ms: int) -> RowToSave:
    quality = row.quality
    if row.measured_at is None:
        measured_at_ms = received_at_ms
    else:
        measured_at_ms = utc_ms(row.measured_at, zone)
        if not _YEAR_2000_MS <= measured_at_ms <= received_at_ms + _DAY_MS:
            quality = _doubted(quality)
    if (order := row.order_number) is not None and not 0 <= order <= MOST_ORDER_NUMBER:
        raise _no_order_number(order)
    values = row.values
    columns = row.columns
    clock_at = _clock_column(columns)
    texts = tuple(map(str, values))
    if _is_odd("".join(texts)):
        texts = tuple([plain(value) for value in values])
    if clock_at >= 0:
        drift = _drift(texts[clock_at], zone, received_at_ms)
        if drift is not None:
            columns = _with_drift(columns)
            texts += (drift,)
    return RowToSave(
        columns,
        texts,
        row.archive,
        measured_at_ms,
        received_at_ms,
        order,
        row.status,
        row.event,
        quality,
        row.span.start,
        row.span.end,
    )


def _event(event: Event, zone: ZoneInfo, received_at_ms: int) -> EventToSave:
    quality = event.quality
    if event.measured_at is None:
        measured_at_ms = received_at_ms
    else:
        measured_at_ms = utc_ms(event.measured_at, zone)
        if not _YEAR_2000_MS <= measured_at_ms <= received_at_ms + _DAY_MS:
            quality = _doubted(quality)
    if (order := event.order_number) is not None and not 0 <= order <= MOST_ORDER_NUMBER:
        raise _no_order_number(order)
    return EventToSave(
        event.code,
        event.text,
        measured_at_ms,
        received_at_ms,
        order,
        quality,
        event.span.start,
        event.span.end,
    )


def _no_order_number(order: int) -> CodecError:
    digits = order.bit_length() * 3 // 10  # about; the number itself may be too long to write
    return CodecError(
        f"an order number {'below 0' if order < 0 else f'of some {digits} digits'} is none a meter can mean"
    )


def _doubted(quality: str) -> str:
    return f"{quality} {Quality.CLOCK_OFF}".lstrip() if Quality.CLOCK_OFF not in quality.split() else quality


_clock_columns: dict[int, tuple[tuple[Column, ...], int]] = {}


def _clock_column(columns: tuple[Column, ...]) -> int:
    # By identity: the rows of a layout share its columns, and hashing eight columns costs more than the rest.
    known = _clock_columns.get(id(columns))
    if known is not None and known[0] is columns:
        return known[1]
    found = next((at for at, column in enumerate(columns) if column.quantity == CLOCK), -1)
    if len(_clock_columns) > _LAYOUTS_KEPT:
        _clock_columns.clear()
    _clock_columns[id(columns)] = (columns, found)
    return found


@lru_cache(maxsize=256)
def _with_drift(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return (*columns, Column(CLOCK_DRIFT, "s"))


def _drift(clock: str, zone: ZoneInfo, received_at_ms: int) -> str | None:
    """Seconds the device's clock is ahead of ours; None when what it says is no time."""
    try:
        said = datetime.fromisoformat(clock)
    except ValueError:
        return None
    return plain(Decimal(utc_ms(said, zone) - received_at_ms).scaleb(-3))
