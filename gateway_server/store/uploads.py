"""An upload as a whole: session, log and file in as few statements as that takes.

Nearly every upload is small and comes in one go; then nothing of it has been written before its end, and nothing needs
to be written twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway_server.model import Direction
from gateway_server.store.arrivals import ArrivalQueries, Entry, given_way_note, same_content_detail
from gateway_server.store.file_records import FileRecord, FileState, UploadEnd
from gateway_server.store.files import Part
from gateway_server.store.records import SessionClosing, SessionKey, SessionOpening

_SESSION = (
    "INSERT INTO session (id, owner, meter_id, serial, transport, remote, listener, caller, started_ms, ended_ms,"
    " outcome, detail, bytes_received) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FILE = (
    "INSERT INTO file (meter_id, login, name, raw_name, size, sha256, received_at_ms, state, session_id, same_as,"
    " detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)


class UploadQueries(ArrivalQueries):
    """The verb for uploads of which nothing was written while they came."""

    def take_upload(
        self,
        opening: SessionOpening,
        log: Sequence[Entry],
        end: UploadEnd,
        closing: SessionClosing,
        *,
        by_rule: bool = False,
    ) -> FileRecord:
        """The same as `open_session`, `log` and `finish_upload`, in that order. Raises `StoreError` as that does."""
        upload = opening.upload
        assert upload is not None  # whoever calls this has one
        with self.connection.transaction("take upload"):
            known = self.meter_by_rule(closing.serial) if by_rule and closing.serial else None
            if upload.continues or (by_rule and closing.serial and known is None):
                key = self.open_session(opening)
                self.log([(key, *entry) for entry in log])
                return self.finish_upload(key, end, closing, by_rule=by_rule)
            if known is not None:
                closing = replace(closing, serial=known.serial)
            meter = self.meter_id(closing.serial) if closing.serial else None
            session = self.next_session()
            self.connection.execute(
                _SESSION,
                (
                    session, self._owner, meter, closing.serial, opening.transport, opening.remote, opening.listener,
                    opening.caller, opening.started_ms, closing.ended_ms, closing.outcome.value, closing.detail,
                    closing.bytes_received,
                ),
            )  # fmt: skip
            if meter is not None and not end.received_at_ms:  # it came just now, and here
                self._meet([(meter, closing.ended_ms, closing.ended_ms)])
            same_as = None
            if end.complete:
                same_as = self._same_content(end.sha256, end.size, meter, opening.caller, upload.name)
            if same_as is not None:
                log = _without_content(log, given_way_note(end.size, end.sha256, same_as))
            key = SessionKey(session)
            key.apart = True
            log_first = self.log_end() + 1
            self.log([(key, *entry) for entry in log])
            state = FileState.INCOMPLETE
            if end.complete:
                state = FileState.STORED if same_as is None else FileState.DUPLICATE
            detail = "" if same_as is None else same_content_detail(same_as)
            received_at_ms = end.received_at_ms or closing.ended_ms
            (number,) = self.connection.one(
                _FILE,
                (
                    meter, opening.caller, upload.name, upload.raw_name.hex(), end.size, end.sha256, received_at_ms,
                    state.value, session, same_as, detail,
                ),
            )  # fmt: skip
            if same_as is None:
                self._put_parts(number, 0, [Part(session, 0, end.size, log_first, self.log_end())])
            else:
                self._put_parts(number, 0, self._parts(same_as))
            return FileRecord(
                number, closing.serial if meter is not None else "", opening.caller, upload.name, end.size, end.sha256,
                received_at_ms, state, detail=detail, session=session, same_as=same_as or 0, raw_name=upload.raw_name,
                transport=opening.transport, remote=opening.remote,
            )  # fmt: skip


def _without_content(log: Sequence[Entry], note: bytes) -> list[Entry]:
    """A session's log with a note in place of the bytes that came."""
    kept: list[Entry] = []
    for entry in log:
        if entry[1] is not Direction.FROM_METER:
            kept.append(entry)
        elif note:
            kept.append((entry[0], Direction.NOTE, note))
            note = b""
    return kept
