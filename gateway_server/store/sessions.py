"""Sessions and their logs: what the wire did, in order, for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from gateway_server.model import Direction, Outcome
from gateway_server.store.connection import Connection
from gateway_server.store.inbox import NOT_COUNTED, InboxQueries
from gateway_server.store.owner import alive
from gateway_server.store.queries import Where, limited, portions
from gateway_server.store.records import (
    Filter,
    LogEntry,
    SessionClosing,
    SessionKey,
    SessionOpening,
    SessionRecord,
)
from gateway_server.store.secrets import Vault
from gateway_server.store.segments import (
    MOST_BYTES,
    MOST_CHUNKS,
    SEGMENT,
    LoggedChunk,
    chunks_of,
    chunks_of_session,
    packed,
)

KILLED = "the gateway was killed in it"

_COLUMNS = (
    "s.id, COALESCE(m.serial, s.serial), s.transport, s.remote, s.started_ms, s.ended_ms, s.outcome, s.detail,"
    " s.bytes_received, s.bytes_sent, s.readings + COALESCE(i.readings, 0), s.codec, s.codec_version, s.listener,"
    f" s.caller, s.job_id FROM session s LEFT JOIN meter m ON m.id = s.meter_id LEFT JOIN {NOT_COUNTED} i"
    " ON i.session_id = s.id"
)
_OPENING = (
    "INSERT INTO session (id, owner, meter_id, serial, transport, remote, listener, caller, job_id, codec,"
    " codec_version, started_ms) VALUES "
)
_ONE_OPENING = "(" + ", ".join("?" * 12) + ")"
_ENTRY = "(?, ?, ?, ?, ?)"
_LOG = "INSERT INTO session_log (id, session_id, at_ms, direction, data) VALUES "
_PART = "INSERT INTO session_log_part (session_id, part) VALUES "
LOG_PART = 1 << 14
"""Log entries of one part: few enough to look through in milliseconds, many enough that parts are rarely noted."""
_DIRECTIONS = {direction.value: direction for direction in Direction}
_DATA = itemgetter(3)

_Entry = tuple[int, int, int, str, bytes]
Callers = Mapping[SessionKey, tuple[int, str]]
NOBODY: Callers = {}


class SessionQueries(InboxQueries):
    """Verbs of sessions."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self._log_end: int | None = None  # the newest log entry; None when it has to be looked up
        self._session_end: int | None = None  # the newest session; None when it has to be looked up
        self._log_part = -1
        self._noted: set[int] = set()  # sessions known to have something in this part of the log
        super().__init__(connection, vault, owner)

    def forget(self) -> None:
        """Forgets the log's end too."""
        super().forget()
        self._log_end = None
        self._session_end = None
        self._noted.clear()

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        key = SessionKey()
        self.open_sessions([(key, opening)])
        return key

    def open_sessions(self, openings: Sequence[tuple[SessionKey, SessionOpening]], callers: Callers = NOBODY) -> None:
        """Begins sessions and fills their keys. ``callers`` are those who have said their names meanwhile: the row
        number of the meter, and the name."""
        owner = self._owner
        with self.connection.transaction("open sessions"):
            number = self.next_session() - 1
            for some, shape in portions(openings, _ONE_OPENING):
                values: list[Any] = []
                for key, opening in some:
                    key.id = number = number + 1
                    transport, remote, started_ms, serial, codec, version, listener, caller, job, _ = opening
                    meter_id = None
                    if (told := callers.get(key)) is not None:
                        meter_id, caller = told
                    elif serial:
                        meter_id = self.meter_id(serial)
                    values += (
                        number, owner, meter_id, serial, transport, remote, listener, caller, job, codec, version,
                        started_ms,
                    )  # fmt: skip
                self.connection.execute(_OPENING + shape, values)
            self._session_end = number

    def next_session(self) -> int:
        """The number of a session that is written now, to be asked within a transaction. Told its numbers by the
        database, the store's thread would wait for its turn at each of them."""
        end = self._session_end
        if end is None:
            end = int(self.connection.one("SELECT COALESCE(MAX(id), 0) FROM session")[0])
        self._session_end = end + 1
        return end + 1

    def log(self, chunks: Sequence[LoggedChunk]) -> None:
        """Appends to the logs of open sessions, in the order given.

        An entry's number counts the chunks up to its last one. So a part of the log is a number of chunks, however
        many of them stand together in a segment.
        """
        with self.connection.transaction("log"):
            end = self.log_end()
            entries: list[_Entry] = []
            parts: list[tuple[int, int]] = []
            for start in range(0, len(chunks), MOST_CHUNKS):
                end = self._enter(chunks[start : start + MOST_CHUNKS], end, entries, parts)
            for portion, shape in portions(entries, _ENTRY):
                self.connection.execute(_LOG + shape, list(chain.from_iterable(portion)))
            for places, shape in portions(parts, "(?, ?)"):
                self.connection.execute(f"{_PART}{shape} ON CONFLICT DO NOTHING", list(chain.from_iterable(places)))
            self._log_end = end

    def _enter(
        self, chunks: Sequence[LoggedChunk], end: int, entries: list[_Entry], parts: list[tuple[int, int]]
    ) -> int:
        """Makes entries of chunks and notes the parts they fall into; gives the last entry's number."""
        if max(map(len, map(_DATA, chunks))) <= MOST_BYTES and not any([key.apart for key, _, _, _ in chunks]):
            return self._enter_together(chunks, end, entries, parts)
        together: list[LoggedChunk] = []
        for chunk in chunks:
            if len(chunk[3]) <= MOST_BYTES and not chunk[0].apart:
                together.append(chunk)
                continue
            end = self._enter_together(together, end, entries, parts)
            together = []
            end = self._enter_together([chunk], end, entries, parts)
        return self._enter_together(together, end, entries, parts)

    def _enter_together(
        self, chunks: Sequence[LoggedChunk], end: int, entries: list[_Entry], parts: list[tuple[int, int]]
    ) -> int:
        if not chunks:
            return end
        end += len(chunks)
        key, at_ms, direction, data = chunks[0]
        if len(chunks) == 1:
            entries.append((end, key.id, at_ms, direction.value, data))
        else:
            entries.append((end, key.id, at_ms, SEGMENT, packed(chunks)))
        part = end // LOG_PART
        if part != self._log_part:
            self._log_part = part
            self._noted.clear()
        new = {key.id for key, _, _, _ in chunks} - self._noted
        if new:
            self._noted |= new
            parts += [(session, part) for session in sorted(new)]
        return end

    def log_end(self) -> int:
        """The number of the newest log entry, to be asked within a transaction."""
        if self._log_end is None:
            self._log_end = int(self.connection.one("SELECT COALESCE(MAX(id), 0) FROM session_log")[0])
        return self._log_end

    def count_readings(self, counts: dict[int, int]) -> None:
        """Adds to the number of readings that sessions have brought."""
        sessions: dict[int, list[int]] = {}
        for session, count in counts.items():
            sessions.setdefault(count, []).append(session)
        for count, alike in sessions.items():
            for portion, shape in portions(alike, "?"):
                self.connection.execute(
                    f"UPDATE session SET readings = readings + ? WHERE id IN ({shape})", (count, *portion)
                )

    def set_codec(self, key: SessionKey, codec: str, codec_version: str) -> None:
        """Notes by which codec a session is read, as soon as that is known."""
        with self.connection.transaction("session codec"):
            self.connection.execute(
                "UPDATE session SET codec = ?, codec_version = ? WHERE id = ?", (codec, codec_version, key.id)
            )

    def close_session(self, key: SessionKey, closing: SessionClosing) -> None:
        """Ends a session's record; what the closing leaves empty stays as it was."""
        with self.connection.transaction("close session"):
            meter_id = self.meter_id(closing.serial) if closing.serial else None
            self.connection.execute(
                "UPDATE session SET ended_ms = ?, outcome = ?, detail = ?, bytes_received = ?, bytes_sent = ?,"
                " meter_id = COALESCE(?, meter_id), serial = COALESCE(NULLIF(?, ''), serial),"
                " codec = COALESCE(NULLIF(?, ''), codec), codec_version = COALESCE(NULLIF(?, ''), codec_version),"
                " caller = COALESCE(NULLIF(?, ''), caller) WHERE id = ?",
                (
                    closing.ended_ms,
                    closing.outcome.value,
                    closing.detail,
                    closing.bytes_received,
                    closing.bytes_sent,
                    meter_id,
                    closing.serial,
                    closing.codec,
                    closing.codec_version,
                    closing.caller,
                    key.id,
                ),
            )

    def close_killed_sessions(self) -> int:
        """Ends the sessions of processes that live no more, at the time of their last log entry; gives how many."""
        with self.connection.transaction("close killed sessions"):
            owners = self.connection.all("SELECT DISTINCT owner FROM session WHERE ended_ms IS NULL")
            dead = [owner for (owner,) in owners if owner != self._owner and not alive(owner)]
            killed = 0
            for owner in dead:
                killed += self._end_as_logged(owner)
                killed += self.connection.execute(
                    "UPDATE session SET outcome = ?, detail = ?, ended_ms = started_ms"
                    " WHERE ended_ms IS NULL AND owner = ?",
                    (Outcome.GATEWAY_FAULT.value, KILLED, owner),
                ).rowcount
            return killed

    def _end_as_logged(self, owner: str) -> int:
        """Ends those open sessions of ``owner`` that logged something, with the totals of their logs."""
        theirs = "SELECT id FROM session WHERE ended_ms IS NULL AND owner = ?"
        wanted = {number for (number,) in self.connection.all(theirs, (owner,))}
        last_ms: dict[int, int] = {}
        totals = {direction: Counter[int]() for direction in Direction}
        for (part,) in self.connection.all(
            f"SELECT DISTINCT part FROM session_log_part WHERE session_id IN ({theirs}) ORDER BY part", (owner,)
        ):
            for session, at_ms, direction, size in self._sizes_in(part):
                if session in wanted:
                    last_ms[session] = at_ms
                    totals[direction][session] += size
        received, sent = totals[Direction.FROM_METER], totals[Direction.TO_METER]
        self.connection.executemany(
            "UPDATE session SET outcome = ?, detail = ?, ended_ms = ?, bytes_received = ?, bytes_sent = ? WHERE id = ?",
            [
                (Outcome.GATEWAY_FAULT.value, KILLED, at_ms, received[session], sent[session], session)
                for session, at_ms in last_ms.items()
            ],
        )
        return len(last_ms)

    def _sizes_in(self, part: int) -> Iterator[tuple[int, int, Direction, int]]:
        """Session, time, direction and size of every chunk in a part of the log. Only segments are read whole."""
        for session, at_ms, direction, size, segment in self.connection.stream(
            "SELECT session_id, at_ms, direction, LENGTH(data), CASE direction WHEN ? THEN data END FROM session_log"
            " WHERE id >= ? AND id < ? ORDER BY id",
            (SEGMENT, part * LOG_PART, (part + 1) * LOG_PART),
        ):
            if segment is None:
                yield session, at_ms, _DIRECTIONS[direction], size
            else:
                for of, at, towards, data in chunks_of(segment):
                    yield of, at, towards, len(data)

    def sessions(self, wanted: Filter = Filter()) -> Iterator[SessionRecord]:  # noqa: B008  # cannot be changed
        """Sessions by the time they began. ``states`` takes ``open`` and ``ended``."""
        where = Where()
        if wanted.serials:
            ids = [number for serial in wanted.serials if (number := self.meter_id(serial)) is not None]
            where.among("s.meter_id", ids or [-1])
        where.between("s.started_ms", wanted.since_ms, wanted.until_ms)
        where.among("s.id", wanted.sessions)
        where.among("s.outcome", wanted.outcomes)
        where.among("s.transport", wanted.transports)
        if wanted.states == ("open",):
            where.add("s.ended_ms IS NULL")
        elif wanted.states == ("ended",):
            where.add("s.ended_ms IS NOT NULL")
        direction = "DESC" if wanted.newest_first else "ASC"
        for row in self.connection.stream(
            f"SELECT {_COLUMNS}{where} ORDER BY s.started_ms {direction}, s.id {direction}{limited(wanted.limit)}",
            where.parameters,
        ):
            yield _session(row)

    def session(self, session_id: int) -> SessionRecord | None:
        """One session."""
        row = self.connection.one(f"SELECT {_COLUMNS} WHERE s.id = ?", (session_id,))
        return None if row is None else _session(row)

    def session_log(self, session_id: int) -> Iterator[LogEntry]:
        """A session's log in the order of the wire."""
        parts = self.connection.all(
            "SELECT part FROM session_log_part WHERE session_id = ? ORDER BY part", (session_id,)
        )
        for (part,) in parts:
            for at_ms, direction, data in self.connection.stream(
                "SELECT at_ms, direction, data FROM session_log WHERE id >= ? AND id < ?"
                " AND (session_id = ? OR direction = ?) ORDER BY id",
                (part * LOG_PART, (part + 1) * LOG_PART, session_id, SEGMENT),
            ):
                if direction == SEGMENT:
                    for _, at, towards, piece in chunks_of_session(data, session_id):
                        yield LogEntry(at, towards, piece)
                else:
                    yield LogEntry(at_ms, _DIRECTIONS[direction], data)


def _session(row: Sequence[Any]) -> SessionRecord:
    (
        number, meter, transport, remote, started, ended, outcome, detail, received, sent, readings, codec, version,
        listener, caller, job,
    ) = row  # fmt: skip
    return SessionRecord(
        number, meter, transport, remote, started, ended, None if outcome is None else Outcome(outcome), detail,
        received, sent, readings, codec, version, listener, caller, job,
    )  # fmt: skip
