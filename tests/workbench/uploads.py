"""Uploads as the store has them when the gateway has acknowledged them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gateway_server.codec.registry import Registry
from gateway_server.model import Direction, Outcome
from gateway_server.store.file_records import FileState, UploadEnd
from gateway_server.store.records import MeterRecord, SessionClosing, SessionOpening, Upload
from gateway_server.store.sql import SqlStore

SERIAL = "41203377"
CAME_MS = 1_773_522_600_000  # 2026-03-14T21:10:00Z, ten past midnight in Moscow
_ROW = (
    "({number})({order})({time:%Y-%m-%d,%H:%M:%S})({volume}.6309)({volume}.5191)(67859)(68044)(12.9437)(10.16)"
    "(0.97417)(13.57199)(7)(14)(0)(0)(0)({event})(CRC Ok)"
)


def uploaded(
    store: SqlStore,
    name: str,
    data: bytes,
    *,
    login: str = "drop",
    serial: str = "",
    at_ms: int = CAME_MS,
    continues: int = 0,
    complete: bool = True,
) -> int:
    """An upload that came in a session of its own; gives the file's id. ``continues``: appended to that file."""
    former = store.file(continues) if continues else None
    upload = Upload(name, b"", continues, former.size if former else 0)
    key = store.open_session(SessionOpening("ftp", "127.0.0.1:40021", at_ms, serial, caller=login, upload=upload))
    middle = len(data) // 2
    for piece in filter(None, (data[:middle], data[middle:])):
        store.log([(key, at_ms, Direction.FROM_METER, piece)])
    end = UploadEnd(complete, len(data), hashlib.sha256(data).hexdigest())
    closing = SessionClosing(at_ms, Outcome.READ, bytes_received=len(data), serial=serial)
    return store.finish_upload(key, end, closing).id


def in_care(store: SqlStore, serial: str = SERIAL, *, profile: str = "", codec: str = "") -> MeterRecord:
    """A meter of the register, in Moscow."""
    meter = MeterRecord(serial, profile=profile, codec=codec)
    store.put_meter(meter)
    return meter


def hourly(
    count: int = 24, *, first: int = 640, start: datetime = datetime(2026, 3, 14), event: str = "0x8104"
) -> bytes:
    """Rows of an EK270's interval archive as they stand on the wire, one an hour, counters growing."""
    return rows(count, timedelta(hours=1), first=first, start=start, event=event)


def rows(count: int, step: timedelta, *, first: int, start: datetime, event: str = "0x8104") -> bytes:
    """Rows of 18 cells, ``step`` apart."""
    return b"".join(
        _ROW.format(
            number=18000 + at, order=first + at, time=start + at * step, volume=882066 + at, event=event
        ).encode()
        + b"\r\n"
        for at in range(count)
    )


def registry_of(codecs: Sequence[object]) -> Registry:
    """A registry with nothing but these codecs."""
    registry = Registry()
    for codec in codecs:
        registry.add(codec, Path(f"{getattr(codec, 'name', '')}.py"))
    assert registry.problems == []
    return registry


def states(store: SqlStore) -> list[FileState]:
    """How far each file is."""
    return [record.state for record in store.files()]
