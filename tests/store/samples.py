"""Meters, rows and sessions the store's tests speak of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway_server.model import Column, Identify, Saved
from gateway_server.store.open import open_store
from gateway_server.store.records import EventToSave, RowToSave, SessionKey, SessionOpening, StoredRow
from gateway_server.store.sql import SqlStore

VOLUME = Column("base_volume", "m3", "7-0:13.2.0", "Vb", "2:300", cumulative=True)
TEMPERATURE = Column("gas_temperature", "°C", "7-0:41.0.0", "T", "6:310")
HOURLY = (VOLUME, TEMPERATURE)
HOUR = 3_600_000
NOON = 1_700_000_000_000
OPENING = SessionOpening("tcp", "127.0.0.1:50001", NOON, codec="lis200", codec_version="1")


def hour(number: int, volume: str = "", temperature: str = "7.5", **other: object) -> RowToSave:
    """The row of an hour: order number and time go with it, and the volume grows unless said otherwise."""
    row = RowToSave(
        HOURLY,
        (volume or f"{1000 + number}.25", temperature),
        "interval",
        NOON + number * HOUR,
        NOON + number * HOUR + 60_000,
        number,
        span_start=number * 100,
        span_end=number * 100 + 100,
    )
    return row._replace(**other)  # type: ignore[arg-type]  # whatever the test names


def entry(number: int, code: str = "0x2504", text: str = "Alarm: temperature") -> EventToSave:
    """An entry of a meter's event log."""
    return EventToSave(
        code, text, NOON + number, NOON + HOUR, number, span_start=number * 10, span_end=number * 10 + 10
    )


def known_session(store: SqlStore, serial: str = "41203377") -> SessionKey:
    """A session with a meter that said who it is."""
    key = store.open_session(OPENING)
    store.identify(key, Identify(serial, "Elster", "EK270", "1.1"), NOON)
    return key


def contents(store: SqlStore) -> list[tuple[object, ...]]:
    """What the archive holds, in the order of its rows: place, variant, values, quality."""
    return [brief(stored) for stored in store.rows()]


def brief(stored: StoredRow) -> tuple[object, ...]:
    row = stored.row
    return row.measured_at_ms, row.order_number, stored.variant, row.values, row.quality


def total(saved: list[Saved]) -> Saved:
    return Saved(sum(s.new for s in saved), sum(s.same for s in saved), sum(s.conflicts for s in saved))


@contextmanager
def opened(path: Path, key_file: Path | None = None) -> Iterator[SqlStore]:
    """A store in a file, closed at the end."""
    store = open_store(f"sqlite:///{path}", key_file)
    try:
        yield store
    finally:
        store.close()
