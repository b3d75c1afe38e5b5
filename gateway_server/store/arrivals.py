"""Received files as they come in: begun with a session, finished with it, resumed, grown, or known already."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Identify
from gateway_server.store.connection import Connection
from gateway_server.store.file_records import FileRecord, FileState, UploadEnd
from gateway_server.store.files import FILE_COLUMNS, PART_COLUMNS, FileQueries, Part, file_record
from gateway_server.store.records import MeterRecord, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.secrets import Vault
from gateway_server.store.sessions import LOG_PART, NOBODY, Callers

CUT_OFF = "the gateway was killed while it came"
MOST_HASHES = 64  # of growing files, kept so that a piece of 1 kB does not hash the megabytes before it

_FROM_METER = Direction.FROM_METER.value
_NOTE = Direction.NOTE.value


Entry = tuple[int, Direction, bytes]
"""When, which way, what: a session's log without the session."""


class _Arrival(NamedTuple):
    """A file that arrives: its row, the former file it goes on with, and where the log was when it began."""

    file: int
    continues: int
    kept: int
    log_first: int


class ArrivalQueries(FileQueries):
    """Verbs by which files come in."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self._arriving: dict[int, _Arrival] = {}  # by session
        self._hashes: OrderedDict[int, tuple[int, Any]] = OrderedDict()  # by file: its size, and the hash so far
        super().__init__(connection, vault, owner)

    def forget(self) -> None:
        """Forgets the hashes of growing files too. What arrives in our own sessions nobody else can change."""
        super().forget()
        self._hashes.clear()

    def open_sessions(self, openings: Sequence[tuple[SessionKey, SessionOpening]], callers: Callers = NOBODY) -> None:
        """Begins sessions; a file that comes in one is incomplete from here on."""
        with self.connection.transaction("open sessions"):
            super().open_sessions(openings, callers)
            for key, opening in openings:
                upload = opening.upload
                if upload is not None:
                    key.apart = True
                    number = self.connection.one(
                        "INSERT INTO file (meter_id, login, name, raw_name, received_at_ms, state, session_id,"
                        " continues, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                        (
                            self.meter_id(opening.serial) if opening.serial else None,
                            opening.caller,
                            upload.name,
                            upload.raw_name.hex(),
                            opening.started_ms,
                            FileState.INCOMPLETE.value,
                            key.id,
                            upload.continues,
                            upload.offset,
                        ),
                    )[0]
                    arrival = _Arrival(number, upload.continues, upload.offset, self.log_end() + 1)
                    self._arriving[key.id] = arrival

    def finish_upload(
        self,
        key: SessionKey,
        end: UploadEnd,
        closing: SessionClosing,
        *,
        log: Sequence[Entry] = (),
        by_rule: bool = False,
    ) -> FileRecord:
        """Ends an upload with its session, whose ``log`` tells of that. ``by_rule``: the meter it names is what a rule
        found in the file's path, a serial number or the login of a meter; one nobody knows is registered as unclaimed.

        Raises `StoreError` for a resume behind the end of the former file.
        """
        with self.connection.transaction("finish upload"):
            arrival = self._arrival(key.id)
            self.log([(key, *entry) for entry in log])
            if by_rule and closing.serial:
                meter = self.meter_by_rule(closing.serial)
                if meter is None:
                    meter = self.identify(key, Identify(closing.serial), closing.ended_ms)
                closing = replace(closing, serial=meter.serial)
            self.close_session(key, closing)
            meter_id = self.meter_id(closing.serial) if closing.serial else None
            if meter_id is not None and not end.received_at_ms:  # it came just now, and here
                self._meet([(meter_id, closing.ended_ms, closing.ended_ms)])
            own = Part(key.id, 0, end.size, arrival.log_first, self.log_end())
            if arrival.continues:
                number, size, sha256 = self._continue(arrival, own, end)
            else:
                number, size, sha256 = arrival.file, end.size, end.sha256
                self._put_parts(number, 0, [own])
            if meter_id is not None:
                self.connection.execute("UPDATE file SET meter_id = ? WHERE id = ?", (meter_id, number))
            state = FileState.STORED if end.complete else FileState.INCOMPLETE
            same_as = None
            if end.complete:
                whose, login, name = self.connection.one(
                    "SELECT meter_id, login, name FROM file WHERE id = ?", (number,)
                )
                same_as = self._same_content(sha256, size, whose, login, name, besides=number)
            if same_as is not None:
                state = FileState.DUPLICATE
                if not arrival.continues:
                    self._give_way(number, own, same_as, sha256)
            self.connection.execute(
                "UPDATE file SET size = ?, sha256 = ?, state = ?, received_at_ms = ?, session_id = ?, same_as = ?,"
                " detail = ? WHERE id = ?",
                (
                    size,
                    sha256,
                    state.value,
                    end.received_at_ms or closing.ended_ms,
                    key.id,
                    same_as,
                    "" if same_as is None else same_content_detail(same_as),
                    number,
                ),
            )
            record = self.file(number)
            assert record is not None
            return record

    def meter_by_rule(self, said: str) -> MeterRecord | None:
        """The meter that a rule's find names."""
        return self.meter(said) or self.meter_at(f"ftp:{said}")

    def close_session(self, key: SessionKey, closing: SessionClosing) -> None:
        """Ends a session's record; a file that arrived in it and was not finished stays incomplete."""
        super().close_session(key, closing)
        self._arriving.pop(key.id, None)

    def close_killed_sessions(self) -> int:
        """Ends the sessions of processes that live no more; what had arrived of their files can be resumed."""
        with self.connection.transaction("close killed sessions"):
            killed = super().close_killed_sessions()
            for (number,) in self._unsettled("f.state = 'incomplete'"):
                self._settle(number)
            return killed

    def former_file(self, login: str, name: str, since_ms: int) -> FileRecord | None:
        """What APPE and REST may go on with: the newest file of this account and name that came since then and does
        not arrive still."""
        with self.connection.transaction("former file"):
            for (number,) in self._unsettled("f.login = ? AND f.name = ?", login, name):
                self._settle(number)
            row = self.connection.one(
                f"SELECT {FILE_COLUMNS} WHERE f.login = ? AND f.name = ? AND f.received_at_ms >= ? AND f.sha256 <> ''"
                " ORDER BY f.received_at_ms DESC, f.id DESC LIMIT 1",
                (login, name, since_ms),
            )
            return None if row is None else file_record(row)

    # inside

    def _arrival(self, session: int) -> _Arrival:
        arrival = self._arriving.get(session)
        if arrival is None:
            row = self.connection.one(
                "SELECT id, continues, kept FROM file WHERE session_id = ? AND state = ?",
                (session, FileState.INCOMPLETE.value),
            )
            if row is None:
                raise StoreError(f"no file arrives in session {session}")
            arrival = _Arrival(row[0], row[1], row[2], self._log_of(session)[0])
        return arrival

    def _log_of(self, session: int) -> tuple[int, int]:
        """Between which log entries those of a session lie, from the parts of the log that have some."""
        first, last = self.connection.one(
            "SELECT COALESCE(MIN(part), 0), COALESCE(MAX(part), -1) FROM session_log_part WHERE session_id = ?",
            (session,),
        )
        return first * LOG_PART, (last + 1) * LOG_PART - 1

    def _continue(self, arrival: _Arrival, own: Part, end: UploadEnd) -> tuple[int, int, str]:
        """Joins what came to the former file; gives which file that makes, its size and hash.

        A former file that was incomplete, or only grows, becomes the longer one; content that would be lost from the
        list otherwise stays as a version of its own.
        """
        base, kept = arrival.continues, arrival.kept
        row = self.connection.one("SELECT size, state FROM file WHERE id = ?", (base,))
        if row is None or kept > row[0]:
            raise StoreError(f"file {base} has {row[0] if row else 'no'} bytes; nothing can go on at byte {kept}")
        hashed = self._hash_of(base, kept)
        for piece in self._part_bytes(own):
            hashed.update(piece)
        unfinished = row[1] == FileState.INCOMPLETE.value
        grows = end.complete and kept == row[0] and not self._first_of_others(base)
        number = arrival.file
        if unfinished or grows:
            number = base
            self.connection.execute("DELETE FROM file WHERE id = ?", (arrival.file,))
        if number == base and kept == row[0]:
            place = self.connection.one("SELECT COUNT(*) FROM file_part WHERE file_id = ?", (base,))[0]
            self._put_parts(base, place, [own])
        else:
            parts = _cut(self._parts(base), kept)
            self.connection.execute("DELETE FROM file_part WHERE file_id = ?", (number,))
            self._put_parts(number, 0, [*parts, own])
        size = kept + end.size
        self._hashes.pop(base, None)
        self._hashes[number] = (size, hashed)
        while len(self._hashes) > MOST_HASHES:
            self._hashes.popitem(last=False)
        return number, size, hashed.hexdigest()

    def _hash_of(self, file_id: int, length: int) -> Any:
        """The hash over the first bytes of a file, to go on with."""
        size, known = self._hashes.get(file_id, (-1, None))
        if size == length and known is not None:
            return known.copy()
        hashed = hashlib.sha256()
        for part in _cut(self._parts(file_id), length):
            for piece in self._part_bytes(part):
                hashed.update(piece)
        return hashed

    def _first_of_others(self, file_id: int) -> bool:
        return self.connection.one("SELECT 1 FROM file WHERE same_as = ? LIMIT 1", (file_id,)) is not None

    def _same_content(
        self, sha256: str, size: int, meter_id: int | None, login: str, name: str, *, besides: int = 0
    ) -> int | None:
        """The first file with this content of the same meter; while that is unknown, of the same account and name,
        because the name may say whose it is."""
        row = self.connection.one(
            "SELECT id FROM file WHERE sha256 = ? AND size = ? AND id <> ? AND (meter_id = ? OR (login = ? AND name = ?"
            " AND (meter_id IS NULL OR ? IS NULL))) AND state NOT IN ('incomplete', 'duplicate') ORDER BY id LIMIT 1",
            (sha256, size, besides, meter_id, login, name, meter_id),
        )
        return None if row is None else int(row[0])

    def _give_way(self, number: int, own: Part, first: int, sha256: str) -> None:
        """This session's copy of known content becomes a note; the file's parts are the first file's."""
        ours = "id BETWEEN ? AND ? AND session_id = ? AND direction = ?"
        place = (own.log_first, own.log_last, own.session, _FROM_METER)
        entry = self.connection.one(f"SELECT MIN(id) FROM session_log WHERE {ours}", place)[0]
        if entry is None:
            return
        self.connection.execute(
            "UPDATE session_log SET direction = ?, data = ? WHERE id = ?",
            (_NOTE, given_way_note(own.end, sha256, first), entry),
        )
        self.connection.execute(f"DELETE FROM session_log WHERE {ours}", place)
        self.connection.execute("DELETE FROM file_part WHERE file_id = ?", (number,))
        self._put_parts(number, 0, self._parts(first))

    def _put_parts(self, file_id: int, place: int, parts: Sequence[Part]) -> None:
        self.connection.executemany(
            f"INSERT INTO file_part (file_id, place, {PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(file_id, number, *part) for number, part in enumerate(parts, place) if part.start < part.end],
        )

    def _unsettled(self, condition: str, *parameters: str) -> list[Any]:
        """Files whose session ended without saying how far they had come."""
        return self.connection.all(
            "SELECT f.id FROM file f JOIN session s ON s.id = f.session_id"
            f" WHERE {condition} AND f.sha256 = '' AND s.ended_ms IS NOT NULL ORDER BY f.id",
            parameters,
        )

    def _settle(self, number: int) -> None:
        """Makes what had arrived of a file its content."""
        session, base, kept = self.connection.one(
            "SELECT session_id, continues, kept FROM file WHERE id = ?", (number,)
        )
        first, last = self._log_of(session)
        arrived = self.connection.one(
            "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM session_log WHERE id BETWEEN ? AND ? AND session_id = ?"
            " AND direction = ?",
            (first, last, session, _FROM_METER),
        )[0]
        parts = [*_cut(self._parts(base), kept), Part(session, 0, arrived, first, last)]
        hashed = hashlib.sha256()
        for part in parts:
            for piece in self._part_bytes(part):
                hashed.update(piece)
        self._put_parts(number, 0, parts)
        self.connection.execute(
            "UPDATE file SET size = ?, sha256 = ?, detail = ? WHERE id = ?",
            (sum(part.end - part.start for part in parts), hashed.hexdigest(), CUT_OFF, number),
        )


def same_content_detail(first: int) -> str:
    """What is told of a file whose content came before."""
    return f"the same content as file {first}"


def given_way_note(size: int, sha256: str, first: int) -> bytes:
    """What stands in a session's log in place of content that came before."""
    return f"{size} bytes with SHA-256 {sha256}: the content of file {first}, kept there".encode()


def _cut(parts: Sequence[Part], length: int) -> list[Part]:
    """The parts of a file's first bytes."""
    kept = []
    for part in parts:
        if length <= 0:
            break
        part = part._replace(end=min(part.end, part.start + length))
        kept.append(part)
        length -= part.end - part.start
    return kept
