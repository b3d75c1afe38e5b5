"""Stored sessions read again by today's codec: what that changes, and storing it.

Whatever a newer codec reads otherwise takes the place of what the older one read from the same bytes; the older
decode is kept, no longer valid. Doing it twice changes nothing. A session is never held whole in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import Codec
from gateway_server.codec.registry import Registry
from gateway_server.errors import GatewayError, StoreError
from gateway_server.model import MeterState, Outcome
from gateway_server.session.remarks import spans_kept_out
from gateway_server.store.records import EventToSave, Filter, MeterRecord, RowToSave, SessionRecord
from gateway_server.store.store import Store
from gateway_server.workbench.comparison import Comparison, SessionReadAgain
from gateway_server.workbench.extents import Extents
from gateway_server.workbench.replay import Replayed, replay, same_serial
from gateway_server.workbench.told import Told

logger = logging.getLogger(__name__)

UPLOADS = frozenset({"ftp", "file"})
"""Transports whose sessions bring files."""
_ROWS_AT_ONCE = 2000


def reprocess(
    store: Store, registry: Registry, wanted: Filter, codec: str = "", *, dry_run: bool = False
) -> Iterator[SessionReadAgain]:
    """Reads the wanted sessions again, one after the other, and stores what they say unless ``dry_run``.

    Passed over are those in which nobody spoke with a meter.
    By the codec named, or that of the session, or that of its meter. Raises `OperatorError` for a name that does not
    exist.
    """
    if codec:
        registry.get(codec)
    told = Told() if dry_run else None
    extents = Extents(store)
    # A session that brought a file is no conversation: the file is decoded, perhaps with what other sessions brought.
    for number in [record.id for record in store.sessions(wanted) if record.transport not in UPLOADS]:
        record = store.session(number)
        if record is not None and record.outcome is not Outcome.IDLE:
            yield _read_again(store, registry, record, codec, told, extents)


def replay_stored(store: Store, record: SessionRecord, codec: Codec, meter: MeterRecord | None) -> Iterator[Replayed]:
    """Replays a session of the store, with what the register knows of its meter."""
    known = store.known_meter(meter.serial) if meter else None
    zone = ZoneInfo(meter.time_zone) if meter else ZoneInfo("UTC")
    kept_out = spans_kept_out(store.session_log(record.id))
    return replay(codec, store.session_log(record.id), zone, meter=known, kept_out=kept_out)


def _read_again(
    store: Store, registry: Registry, record: SessionRecord, codec_name: str, told: Told | None, extents: Extents
) -> SessionReadAgain:
    result = SessionReadAgain(record.id, record.meter, codec_name, old_version=record.codec_version)
    try:
        _read_into(result, store, registry, record, codec_name, told, extents)
    except StoreError:
        raise  # the next session would fare no better
    except GatewayError as known:
        result.skipped = str(known)
    except Exception as fault:  # as in a live session, a codec's defect ends its own session only
        logger.warning("session %d cannot be read again by %s", record.id, result.codec, exc_info=True)
        result.skipped = f"the codec {result.codec} failed: {type(fault).__name__}: {fault}"
    return result


def _read_into(
    result: SessionReadAgain,
    store: Store,
    registry: Registry,
    record: SessionRecord,
    codec_name: str,
    told: Told | None,
    extents: Extents,
) -> None:
    meter = store.meter(record.meter) if record.meter else None
    result.codec = codec_name or record.codec or (meter.codec if meter else "")
    if record.ended_ms is None:
        result.skipped = "it is still open"
    elif not result.codec:
        result.skipped = "no codec is known for it; name one"
    elif result.codec not in registry:
        result.skipped = f"there is no codec {result.codec!r} any more"
    if result.skipped:
        return
    codec = registry.get(result.codec)
    result.codec_version = codec.version
    if meter is None and (serial := _who_speaks(store, record, codec)):
        meter = store.meter(serial)
        result.meter = meter.serial if meter else serial
    if meter is None:
        result.skipped = f"meter {result.meter} is not in the register" if result.meter else "it tells no meter"
    elif meter.state is MeterState.UNCLAIMED:
        result.skipped = f"nobody has claimed meter {meter.serial}: `gateway-server meter claim {meter.serial}`"
    else:
        result.meter = meter.serial
        _save_again(store, record, meter, result, replay_stored(store, record, codec, meter), told, extents)


def _who_speaks(store: Store, record: SessionRecord, codec: Codec) -> str:
    for told in replay_stored(store, record, codec, None):
        if told.identity is not None:
            return told.serial
    return ""


def _save_again(
    store: Store,
    record: SessionRecord,
    meter: MeterRecord,
    result: SessionReadAgain,
    replayed: Iterable[Replayed],
    told: Told | None,
    extents: Extents,
) -> None:
    """Takes in the whole session, portion by portion; with ``told``, what was told before, without storing it."""
    comparison = Comparison(store, (record.id,), meter.serial, result, extents)
    rows: list[RowToSave] = []
    events: list[EventToSave] = []

    def portion() -> None:
        if told is not None:
            comparison.told_before(rows, events, told)
        if rows or events:
            comparison.compare(rows, events)
            comparison.count(
                store.save_reprocessed(
                    record.id,
                    meter.serial,
                    result.codec,
                    result.codec_version,
                    rows,
                    events,
                    dry_run=told is not None,
                )
            )
            if told is not None:
                told.add(meter.serial, rows, events)
            rows.clear()
            events.clear()

    for one in replayed:
        if one.note:
            result.note(one.note)
        if (one.rows or one.events) and not same_serial(one.serial, meter.serial):
            result.note(f"what it tells of meter {one.serial} is not meter {meter.serial}'s and is left out")
            continue
        rows.extend(one.rows)
        events.extend(one.events)
        if len(rows) + len(events) >= _ROWS_AT_ONCE:
            portion()
    portion()
    comparison.end()
