"""Received files: an index over what sessions received.

A file has no bytes of its own. Its parts are spans of the streams its sessions received, which are in their logs
already; so an upload is durable with its session, is seen there as it came, and is kept once. The one exception to the
log being append-only: when content turns out to have come before, this session's copy of it gives way, in the
transaction that says so, to a note that names its hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gateway_server.model import Direction
from gateway_server.store.file_records import FilePart, FileRecord, FileState
from gateway_server.store.queries import Where, limited
from gateway_server.store.records import Filter
from gateway_server.store.register import RegisterQueries
from gateway_server.store.sessions import SessionQueries

FILE_COLUMNS = (
    "f.id, COALESCE(m.serial, ''), f.login, f.name, f.size, f.sha256, f.received_at_ms, f.state, f.codec,"
    " f.codec_version, f.readings, f.detail, f.session_id, COALESCE(f.same_as, 0), f.raw_name, s.transport, s.remote"
    " FROM file f JOIN session s ON s.id = f.session_id LEFT JOIN meter m ON m.id = f.meter_id"
)
PART_COLUMNS = "session_id, span_start, span_end, log_first, log_last"
_FROM_METER = Direction.FROM_METER.value


class Part(NamedTuple):
    """A stretch of a file with the place of its session's entries in the log."""

    session: int
    start: int
    end: int
    log_first: int
    log_last: int


class FileQueries(RegisterQueries, SessionQueries):
    """Verbs of received files."""

    def files(self, wanted: Filter = Filter()) -> Iterator[FileRecord]:  # noqa: B008  # cannot be changed
        """Received files by the time they came."""
        where = Where()
        if wanted.serials:
            ids = [number for serial in wanted.serials if (number := self.meter_id(serial)) is not None]
            where.among("f.meter_id", ids or [-1])
        where.between("f.received_at_ms", wanted.since_ms, wanted.until_ms)
        if wanted.states == (FileState.STORED.value,):
            where.add("f.state = 'stored'")  # as the index of those that wait says it
        else:
            where.among("f.state", wanted.states)
        where.among("f.login", wanted.logins)
        where.among("f.name", wanted.names)
        where.among("f.session_id", wanted.sessions)
        where.among("s.transport", wanted.transports)
        direction = "DESC" if wanted.newest_first else "ASC"
        for row in self.connection.stream(
            f"SELECT {FILE_COLUMNS}{where} ORDER BY f.received_at_ms {direction}, f.id {direction}"
            f"{limited(wanted.limit)}",
            where.parameters,
        ):
            yield file_record(row)

    def file(self, file_id: int) -> FileRecord | None:
        """One file."""
        row = self.connection.one(f"SELECT {FILE_COLUMNS} WHERE f.id = ?", (file_id,))
        return None if row is None else file_record(row)

    def file_parts(self, file_id: int) -> list[FilePart]:
        """In which sessions a file's content came, in order."""
        return [FilePart(part.session, part.start, part.end) for part in self._parts(file_id)]

    def file_bytes(self, file_id: int) -> Iterator[bytes]:
        """A file's content, piece by piece, byte for byte as received."""
        for part in self._parts(file_id):
            yield from self._part_bytes(part)

    def set_file_state(self, file_id: int, state: FileState, detail: str = "", serial: str = "") -> None:
        """Notes how far a file is, and why no further; ``serial`` if its meter is known."""
        with self.connection.transaction("file state"):
            self.connection.execute(
                "UPDATE file SET state = ?, detail = ?, meter_id = COALESCE(?, meter_id) WHERE id = ?",
                (state.value, detail, self.meter_id(serial) if serial else None, file_id),
            )

    def _parts(self, file_id: int) -> list[Part]:
        return [
            Part(*row)
            for row in self.connection.all(
                f"SELECT {PART_COLUMNS} FROM file_part WHERE file_id = ? ORDER BY place", (file_id,)
            )
        ]

    def _part_bytes(self, part: Part) -> Iterator[bytes]:
        place = 0
        for (data,) in self.connection.stream(
            "SELECT data FROM session_log WHERE id BETWEEN ? AND ? AND session_id = ? AND direction = ? ORDER BY id",
            (part.log_first, part.log_last, part.session, _FROM_METER),
        ):
            piece = data[max(0, part.start - place) : max(0, part.end - place)]
            place += len(data)
            if piece:
                yield bytes(piece)
            if place >= part.end:
                return


def file_record(row: Sequence[Any]) -> FileRecord:
    """What a row of `FILE_COLUMNS` says."""
    (
        number, meter, login, name, size, sha256, received, state, codec, version, readings, detail, session, same_as,
        raw_name, transport, remote,
    ) = row  # fmt: skip
    return FileRecord(
        number, meter, login, name, size, sha256, received, FileState(state), codec, version, readings, detail,
        session, same_as, bytes.fromhex(raw_name), transport, remote,
    )  # fmt: skip
