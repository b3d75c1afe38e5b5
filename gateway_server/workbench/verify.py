"""Is a stored session what its record says? Totals against the log, and the stored readings against a replay."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_server.codec.codec import Codec
from gateway_server.model import Direction
from gateway_server.session.remarks import is_late
from gateway_server.store.records import EventToSave, FileRecord, FileState, Filter, RowToSave, SessionRecord
from gateway_server.store.store import Store
from gateway_server.workbench.reprocess import UPLOADS, replay_stored

_Told = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it holds, and the figures. A ``remark`` is no praise."""

    name: str
    ok: bool
    detail: str
    remark: bool = False


def verify_session(store: Store, record: SessionRecord, codec: Codec | None) -> Iterator[Check]:
    """The checks of one session, one after the other."""
    files = list(store.files(Filter(sessions=(record.id,)))) if record.transport in UPLOADS else []
    received = sent = notes = 0
    in_order = True
    late = False
    before_ms = record.started_ms
    for entry in store.session_log(record.id):
        match entry.direction:
            case Direction.FROM_METER:
                received += len(entry.data)
            case Direction.TO_METER:
                sent += len(entry.data)
            case Direction.NOTE:
                notes += 1
                late = late or is_late(entry)
            case _:
                continue  # the modem is hung up after the session has ended
        in_order = in_order and entry.at_ms >= before_ms
        before_ms = max(before_ms, entry.at_ms)
    if record.ended_ms is None:
        yield Check("ended", False, "the session is still open, or the gateway was stopped in it")
    else:
        kept_elsewhere = sum(one.size for one in files if one.state is FileState.DUPLICATE) if not received else 0
        yield _totals("bytes received", record.bytes_received, received or kept_elsewhere)
        yield _totals("bytes sent", record.bytes_sent, sent)
        in_order = in_order and (late or before_ms <= record.ended_ms)
    yield Check(
        "times", in_order, "in order" if in_order else "an entry is older than the one before, or than the start"
    )
    if record.transport in UPLOADS:
        yield from _contents(store, files)
    else:
        yield from _readings(store, record, codec, received)


def _contents(store: Store, files: Sequence[FileRecord]) -> Iterator[Check]:
    """What a session brought is a file, perhaps with what others brought; its readings are checked by decoding it."""
    for file in files:
        content = hashlib.sha256()
        for piece in store.file_bytes(file.id):
            content.update(piece)
        ok = content.hexdigest() == file.sha256
        detail = "is what was received" if ok else "is not what was received"
        yield Check("content", ok, f"file {file.id} {detail}; `file reprocess {file.id} --dry-run` decodes it")


def _totals(name: str, recorded: int, logged: int) -> Check:
    detail = f"{logged} in the log" if recorded == logged else f"{logged} in the log, but {recorded} in the record"
    return Check(name, recorded == logged, detail)


def _readings(store: Store, record: SessionRecord, codec: Codec | None, received: int) -> Iterator[Check]:
    wanted = Filter(sessions=(record.id,))
    rows = [stored.row for stored in store.rows(wanted)]
    outside = sum(1 for row in rows if not 0 <= row.span_start <= row.span_end <= received)
    yield Check(
        "byte spans",
        not outside,
        f"{outside} rows point outside the log" if outside else f"{len(rows)} rows point into the log",
    )
    if codec is None:
        ok = not rows
        yield Check("replay", ok, "nothing to replay" if ok else f"there is no codec {record.codec!r} any more")
        return
    stored = Counter(map(_row_key, rows))
    stored.update((event.code, event.measured_at_ms, event.order_number) for event in store.events(wanted))
    meter = store.meter(record.meter) if record.meter else None
    told: Counter[_Told] = Counter()
    for one in replay_stored(store, record, codec, meter):
        told.update(map(_row_key, one.rows))
        told.update(map(_event_key, one.events))
    missing = sum((stored - told).values())
    detail = f"gives all {stored.total()} rows and events stored from this session"
    if missing:
        detail = f"does not give {missing} of the {stored.total()} rows and events stored from this session"
    elif more := (told - stored).total():
        detail += f", and {more} that were in the store before"
    if record.codec_version != codec.version:
        detail += f" (read with version {record.codec_version}, replayed with {codec.version})"
    yield Check("replay", not missing, detail)


def _row_key(row: RowToSave) -> _Told:
    """What makes a row the same row; what the store adds (quality, arrival) left aside."""
    quantities = tuple(column.quantity for column in row.columns)
    return row.archive, row.measured_at_ms, row.order_number, quantities, row.values, row.status, row.event


def _event_key(event: EventToSave) -> _Told:
    return event.code, event.measured_at_ms, event.order_number
