"""Uploads as the store's tests make them, with a session of their own each."""

from __future__ import annotations

import hashlib

from gateway_server.model import Direction, Outcome
from gateway_server.store.file_records import FileRecord, UploadEnd
from gateway_server.store.records import SessionClosing, SessionKey, SessionOpening, Upload
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON

LOGIN = "boiler4"
DAY = b"(18484)(640)(2014-05-02,10:00:00)(882066.6309)\r\n"


def begin(
    store: SqlStore,
    name: str,
    former: FileRecord | None = None,
    offset: int = 0,
    *,
    serial: str = "",
    at_ms: int = 0,
) -> SessionKey:
    upload = Upload(name, continues=former.id if former else 0, offset=offset)
    return store.open_session(
        SessionOpening("ftp", "127.0.0.1:50001", NOON + at_ms, serial=serial, caller=LOGIN, upload=upload)
    )


def send(store: SqlStore, key: SessionKey, data: bytes, piece: int = 16) -> None:
    for start in range(0, len(data), piece):
        store.log([(key, NOON, Direction.FROM_METER, data[start : start + piece])])


def end(store: SqlStore, key: SessionKey, data: bytes, *, complete: bool = True, at_ms: int = 0) -> FileRecord:
    closing = SessionClosing(NOON + at_ms, Outcome.READ if complete else Outcome.LINE_LOST, bytes_received=len(data))
    return store.finish_upload(key, UploadEnd(complete, len(data), hashlib.sha256(data).hexdigest()), closing)


def upload(
    store: SqlStore,
    name: str,
    data: bytes,
    former: FileRecord | None = None,
    offset: int = 0,
    *,
    complete: bool = True,
    at_ms: int = 0,
    serial: str = "",
) -> FileRecord:
    key = begin(store, name, former, offset, at_ms=at_ms, serial=serial)
    send(store, key, data)
    return end(store, key, data, complete=complete, at_ms=at_ms)


def content(store: SqlStore, record: FileRecord) -> bytes:
    data = b"".join(store.file_bytes(record.id))
    assert record.sha256 == hashlib.sha256(data).hexdigest()
    assert record.size == len(data)
    return data


def wire(store: SqlStore, session: int) -> bytes:
    return b"".join(entry.data for entry in store.session_log(session) if entry.direction is Direction.FROM_METER)
