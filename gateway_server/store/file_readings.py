"""What stored files say, saved with the sessions their bytes came in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import Saved
from gateway_server.store.connection import DryRunError
from gateway_server.store.file_records import FilePart, FileState
from gateway_server.store.files import FileQueries
from gateway_server.store.records import EventToSave, RowToSave, SessionKey
from gateway_server.store.reprocess import ReprocessQueries

_Found = TypeVar("_Found", RowToSave, EventToSave)


class FileReadingQueries(FileQueries, ReprocessQueries):
    """The verb by which stored files are decoded, for the first time or again."""

    def save_file_readings(
        self,
        file_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        *,
        detail: str = "",
        dry_run: bool = False,
    ) -> Saved:
        """Saves what a file says; spans are offsets in the file. A dry run changes nothing. Raises `StoreError`."""
        saved = Saved()
        try:
            with self.connection.transaction("file readings"), self.connection.attempt("file_readings"):
                saved = self._save(file_id, serial, codec, codec_version, rows, events)
                self.connection.execute(
                    "UPDATE file SET state = ?, codec = ?, codec_version = ?, readings = ?, detail = ?, meter_id = ?"
                    " WHERE id = ?",
                    (
                        FileState.DECODED.value,
                        codec,
                        codec_version,
                        sum(len(row.values) for row in rows),
                        detail,
                        self.meter_id(serial),
                        file_id,
                    ),
                )
                if dry_run:
                    raise DryRunError
        except DryRunError:
            pass
        return saved

    def _save(
        self,
        file_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
    ) -> Saved:
        record = self.file(file_id)
        if record is None:
            raise StoreError(f"there is no file {file_id}")
        parts = self.file_parts(file_id) or [FilePart(record.session, 0, 0)]
        meter_id = self._meter_for(serial)
        saved = Saved()
        for session, (found_rows, found_events) in by_session(parts, rows, events).items():
            read_by, meter_before = self.connection.one("SELECT codec, meter_id FROM session WHERE id = ?", (session,))
            if meter_before is None:
                self.connection.execute("UPDATE session SET meter_id = ? WHERE id = ?", (meter_id, session))
            if read_by:
                part = self._reprocess(session, serial, codec, codec_version, found_rows, found_events)
            else:
                key = SessionKey(session)
                part = self.save(key, serial, found_rows, found_events)
                self.set_codec(key, codec, codec_version)
            saved = Saved(saved.new + part.new, saved.same + part.same, saved.conflicts + part.conflicts)
        return saved


def by_session(
    parts: Sequence[FilePart], rows: Sequence[RowToSave], events: Sequence[EventToSave]
) -> dict[int, tuple[list[RowToSave], list[EventToSave]]]:
    """What a file says, by the session in which its first byte came, with spans in what that session received.

    What lies on the seam of two parts is shown where it begins. Every session is there, also one that says nothing.
    """
    starts: list[int] = []
    place = 0
    for part in parts:
        starts.append(place)
        place += part.span_end - part.span_start
    found: dict[int, tuple[list[RowToSave], list[EventToSave]]] = {part.session: ([], []) for part in parts}
    for row in rows:
        number = max(0, bisect_right(starts, row.span_start) - 1)
        found[parts[number].session][0].append(_moved(row, parts[number], starts[number]))
    for event in events:
        number = max(0, bisect_right(starts, event.span_start) - 1)
        found[parts[number].session][1].append(_moved(event, parts[number], starts[number]))
    return found


def _moved(found: _Found, part: FilePart, start: int) -> _Found:
    if found.span_start >= found.span_end:
        return found
    by = part.span_start - start
    return found._replace(span_start=found.span_start + by, span_end=min(found.span_end + by, part.span_end))
