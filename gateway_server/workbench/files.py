"""Stored files decoded: at once when they came, and again whenever a codec, a profile or the register has changed.

`decode_file` is all of it, for the command line. The gateway does the same in three steps, so that neither its
reactor nor the store's thread waits for a codec: `look_up` and `keep` are work for the store, `examine` touches
nothing. Whatever goes wrong is noted with the file; the file itself is never changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import Codec
from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.codec.registry import Registry
from gateway_server.errors import CodecError, OperatorError
from gateway_server.model import Identify, MeterState
from gateway_server.session.edge import to_save
from gateway_server.store.file_readings import by_session
from gateway_server.store.records import EventToSave, FileRecord, FileState, MeterRecord, RowToSave, SessionKey
from gateway_server.store.store import Store
from gateway_server.workbench.comparison import Comparison, SessionReadAgain
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits, Opened
from gateway_server.workbench.extents import Extents
from gateway_server.workbench.replay import same_serial
from gateway_server.workbench.sniff import Attempt, Part, Sniffed, read_with, sniff

logger = logging.getLogger(__name__)

_MOST_DETAIL = 2000
_DAY_MS = 86_400_000
_YEAR_2000_MS = 946_684_800_000
_UTC = ZoneInfo("UTC")

_Found = TypeVar("_Found", RowToSave, EventToSave)


@dataclass(slots=True)
class FileRead(SessionReadAgain):
    """What decoding one file gave, as `SessionReadAgain`, and of which file; ``session`` brought its last bytes.

    ``state`` is the file's from now on (in a dry run: would be), ``detail`` says why or what to do; ``tried`` is what
    each codec said of it.
    """

    file: int = 0
    name: str = ""
    state: FileState = FileState.STORED
    detail: str = ""
    tried: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored file with what is known of it: everything that codecs are asked with.

    ``prefer`` are the codecs to be asked first. ``skipped`` says why it is not to be decoded at all. ``account`` is the
    meter that has the file's account today, where none had it when the file came.
    """

    record: FileRecord
    upload: UploadedFile | None = None
    meter: MeterRecord | None = None
    prefer: tuple[str, ...] = ()
    only: str = ""
    skipped: str = ""
    limits: ContainerLimits = field(default=DEFAULT_LIMITS, repr=False)
    account: str = ""


def decode_file(
    store: Store,
    registry: Registry,
    file_id: int,
    *,
    codec: str = "",
    serial: str = "",
    prefer: Sequence[str] = (),
    limits: ContainerLimits = DEFAULT_LIMITS,
    dry_run: bool = False,
    extents: Extents | None = None,
) -> FileRead:
    """Decodes a stored file and saves its readings unless ``dry_run``; decoding it twice changes nothing.

    By the ``codec`` named and no other, or by the one that reads it, those of ``prefer`` asked behind the meter's own.
    ``serial`` says whose it is where neither its account nor its content does; who decodes many files gives them the
    same ``extents``. Raises `OperatorError` for a codec that does not exist, `StoreError`.
    """
    waiting = look_up(store, file_id, serial=serial, codec=codec, prefer=prefer, limits=limits)
    return keep(store, waiting, examine(registry, waiting), dry_run=dry_run, extents=extents)


def look_up(
    store: Store,
    file_id: int,
    *,
    serial: str = "",
    codec: str = "",
    prefer: Sequence[str] = (),
    limits: ContainerLimits = DEFAULT_LIMITS,
) -> Waiting:
    """Fetches a file and what is known of its meter. Raises `OperatorError` without such a file."""
    record = store.file(file_id)
    if record is None:
        raise OperatorError(f"there is no file {file_id}; `gateway-server file list` shows those there are")
    if record.state is FileState.INCOMPLETE:
        return Waiting(record, skipped="it is incomplete; it is decoded when the upload has been resumed")
    if record.state is FileState.DUPLICATE:
        return Waiting(record, skipped=f"its content is that of file {record.same_as}")
    account = "" if record.meter else _has_account(store, record)
    name = serial or record.meter or account
    meter = store.meter(name) if name else None
    if serial and meter is None:
        return Waiting(record, skipped=f"meter {serial} is not in the register")
    known = store.known_meter(meter.serial) if meter else None
    first = tuple(one for one in (meter.profile, meter.codec) if one) if meter else ()
    data = b"".join(store.file_bytes(file_id)) if record.size <= limits.size else b""
    upload = UploadedFile(record.name, data, record.received_at_ms, (), known)
    return Waiting(record, upload, meter, (*first, *prefer), codec, limits=limits, account=account)


def examine(registry: Registry, waiting: Waiting) -> Sniffed:
    """Has the codecs look at a file; touches nothing."""
    if waiting.upload is None:
        return Sniffed(trouble=waiting.skipped)
    if waiting.record.size > waiting.limits.size:
        return Sniffed(trouble=_too_large(waiting.record, waiting.limits), broken=True)
    if waiting.only:
        registry.get(waiting.only)
    return sniff(registry, waiting.upload, waiting.prefer, only=waiting.only, limits=waiting.limits)


def _too_large(record: FileRecord, limits: ContainerLimits) -> str:
    return (
        f"it has {record.size} bytes, more than the {limits.size} that are read at once; raise `largest_decoded_mb` of"
        f" [limits], then `gateway-server file reprocess {record.id}`"
    )


def keep(
    store: Store, waiting: Waiting, sniffed: Sniffed, *, dry_run: bool = False, extents: Extents | None = None
) -> FileRead:
    """Saves what was read in a file, or notes why nothing was."""
    record = waiting.record
    result = FileRead(
        record.session,
        record.meter or waiting.account,
        old_version=record.codec_version,
        file=record.id,
        name=record.name,
        state=record.state,
        detail=record.detail,
        tried=sniffed.tried,
    )
    if waiting.skipped:
        result.skipped = waiting.skipped
        return result
    for note in sniffed.notes:
        result.note(note)
    codec = sniffed.codec
    if codec is None:
        state = FileState.FAILED if sniffed.broken else FileState.UNKNOWN
        return _not_read(store, record, result, state, sniffed.trouble, dry_run=dry_run)
    result.codec, result.codec_version = codec.name, codec.version
    meter, why, state = _whose(store, waiting, sniffed.parts, dry_run=dry_run)
    if meter is None or meter.state is not MeterState.ACTIVE:
        result.meter = meter.serial if meter else record.meter or waiting.account
        return _not_read(store, record, result, state, why, dry_run=dry_run)
    try:
        parts = sniffed.parts
        if waiting.meter is None and waiting.upload is not None:
            # Only now is it known whose it is, and with that what earlier sessions learnt of the meter.
            parts = read_with(codec, waiting.upload, parts, store.known_meter(meter.serial))
        rows, events = _to_save(parts, ZoneInfo(meter.time_zone), record.received_at_ms)
    except CodecError as error:
        return _not_read(store, record, result, FileState.FAILED, f"{codec.name}: {error}", dry_run=dry_run)
    except Exception as fault:  # as in a live session, a codec's defect is its own; it must not harm the store's thread
        logger.warning("what the codec %s read in file %d makes no sense", codec.name, record.id, exc_info=True)
        why = f"the codec {codec.name} failed: {type(fault).__name__}: {fault}"
        return _not_read(store, record, result, FileState.FAILED, why, dry_run=dry_run)
    _save(store, record, meter, codec, result, rows, events, extents or Extents(store), dry_run=dry_run)
    return result


def _not_read(
    store: Store, record: FileRecord, result: FileRead, state: FileState, why: str, *, dry_run: bool
) -> FileRead:
    """Notes why there are no readings; what an earlier decoding gave stays."""
    result.skipped = result.detail = why[:_MOST_DETAIL]
    if record.state is FileState.DECODED:
        return result
    result.state = state
    if not dry_run and (record.state, record.detail, record.meter) != (state, result.detail, result.meter):
        store.set_file_state(record.id, state, result.detail, result.meter)
    return result


def _save(
    store: Store,
    record: FileRecord,
    meter: MeterRecord,
    codec: Codec,
    result: FileRead,
    rows: list[RowToSave],
    events: list[EventToSave],
    extents: Extents,
    *,
    dry_run: bool,
) -> None:
    result.meter, result.state = meter.serial, FileState.DECODED
    result.detail = "; ".join(result.notes)[:_MOST_DETAIL]
    comparison = _comparison(store, record, result, rows, events, extents) if record.codec else None
    saved = store.save_file_readings(
        record.id, meter.serial, codec.name, codec.version, rows, events, detail=result.detail, dry_run=dry_run
    )
    if comparison is None:
        result.new, result.same, result.conflicts = saved.new, saved.same, saved.conflicts
    else:
        comparison.count(saved)
        comparison.end()


def _comparison(
    store: Store,
    record: FileRecord,
    result: FileRead,
    rows: list[RowToSave],
    events: list[EventToSave],
    extents: Extents,
) -> Comparison:
    """What a file that was read before says otherwise now."""
    parts = store.file_parts(record.id)
    placed = by_session(parts, rows, events) if parts else {record.session: (rows, events)}
    comparison = Comparison(store, tuple(placed), result.meter, result, extents)
    comparison.compare(
        [row for found, _ in placed.values() for row in found],
        [event for _, found in placed.values() for event in found],
        [session for session, (found, _) in placed.items() for _ in found],
    )
    return comparison


# whose it is


def _has_account(store: Store, record: FileRecord) -> str:
    """The meter that has the account of a file from a folder. An account of the drop itself was the meter's own when
    the file came, or is shared: that says nothing of the meter."""
    account = store.upload_account(record.login) if record.login and record.transport == "file" else None
    return account.serial if account else ""


def _whose(
    store: Store, waiting: Waiting, parts: Sequence[Part], *, dry_run: bool
) -> tuple[MeterRecord | None, str, FileState]:
    """The meter that a file's readings belong to; without one, or for one not in care, why and what the file is."""
    said = {part.reading.identity.serial: part.reading.identity for part in parts if part.reading.identity}
    if len({serial.lstrip("0") for serial in said}) > 1:
        return None, f"it tells of several meters ({', '.join(sorted(said))})", FileState.FAILED
    identity = next(iter(said.values()), None)
    meter = waiting.meter
    if meter is not None:
        if identity is not None and not same_serial(identity.serial, meter.serial):
            why = f"it tells of meter {identity.serial}, but it came for meter {meter.serial}: nothing of it is read"
            return None, f"{why}; if the meter was exchanged, give the account to the new one", FileState.FAILED
        return _in_care(meter)
    if identity is not None:
        return _in_care(_identified(store, waiting.record, identity, dry_run=dry_run))
    hints = tuple(dict.fromkeys(hint for part in parts for hint in part.reading.hints))
    found = {known.serial: known for hint in hints if (known := _known(store, hint)) is not None}
    if len(found) == 1:
        return _in_care(next(iter(found.values())))
    why = "it does not say of which meter"
    if (login := waiting.record.login) and waiting.record.transport == "file":
        why += f", and no meter has the route ftp:{login}"
    if hints:
        why = (
            f"its name says {' or '.join(hints)}, which is {'several meters' if found else 'no meter of the register'}"
        )
    return None, f"it can be read, but {why}: `gateway-server file reprocess --serial` says it", FileState.UNKNOWN


def _identified(store: Store, record: FileRecord, identity: Identify, *, dry_run: bool) -> MeterRecord:
    known = _known(store, identity.serial)
    if known is not None:
        return known
    if dry_run:
        return MeterRecord(identity.serial, state=MeterState.UNCLAIMED)
    return store.identify(SessionKey(record.session), identity, record.received_at_ms)


def _known(store: Store, serial: str) -> MeterRecord | None:
    """A meter of the register; zeros in front of its number may be missing there."""
    return store.meter(serial) or store.meter(serial.lstrip("0"))


def _in_care(meter: MeterRecord) -> tuple[MeterRecord, str, FileState]:
    why = ""
    if meter.state is MeterState.UNCLAIMED:
        why = f"nobody has claimed meter {meter.serial}: `gateway-server meter claim {meter.serial}`"
    elif meter.state is MeterState.DISABLED:
        why = f"meter {meter.serial} is switched off in the register; `gateway-server meter show {meter.serial}`"
    return meter, why, FileState.UNKNOWN


# what it says


def _to_save(parts: Sequence[Part], zone: ZoneInfo, received_at_ms: int) -> tuple[list[RowToSave], list[EventToSave]]:
    """The readings of all parts, with byte spans in the upload. Raises `CodecError` for a number no meter can mean."""
    rows: list[RowToSave] = []
    events: list[EventToSave] = []
    for part in parts:
        findings = part.reading.findings
        found_rows, found_events = to_save(findings, _UTC if part.reading.utc else zone, received_at_ms)
        made_ms = _made_ms(part.reading, received_at_ms)
        times = [row.measured_at for row in findings.rows] + [reading.measured_at for reading in findings.readings]
        for row, measured_at in zip(found_rows, times, strict=True):
            rows.append(_placed(row if measured_at else row._replace(measured_at_ms=made_ms), part.file))
        for event, logged in zip(found_events, findings.events, strict=True):
            events.append(_placed(event if logged.measured_at else event._replace(measured_at_ms=made_ms), part.file))
    return rows, events


def _made_ms(reading: FileReading, received_at_ms: int) -> int:
    """How old values without a time are: as old as the file says it is, if that can be true."""
    made_ms = reading.made_at_ms
    return made_ms if made_ms is not None and _YEAR_2000_MS <= made_ms <= received_at_ms + _DAY_MS else received_at_ms


def _placed(found: _Found, file: Opened) -> _Found:
    """With the bytes of the upload it came from: all of a packed file's, as no single ones can be told in there."""
    if not file.within:
        return found
    return found._replace(span_start=file.span.start, span_end=file.span.end)
