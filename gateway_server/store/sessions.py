"""Sessions and their logs: what the wire did, in order, for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from gateway_server.model import Direction, Outcome
from gateway_server.store.connection import Connection
from gateway_server.store.owner import alive
from gateway_server.store.queries import Queries, Where, limited, portions
from gateway_server.store.records import (
    Filter,
    LogEntry,
    SessionClosing,
    SessionKey,
    SessionOpening,
    SessionRecord,
)
from gateway_server.store.secrets import Vault

KILLED = "the gateway was killed in it"

_COLUMNS = (
    "s.id, COALESCE(m.serial, s.serial), s.transport, s.remote, s.started_ms, s.ended_ms, s.outcome, s.detail,"
    " s.bytes_received, s.bytes_sent, s.readings, s.codec, s.codec_version, s.listener, s.caller, s.job_id"
    " FROM session s LEFT JOIN meter m ON m.id = s.meter_id"
)
_OPENING = (
    "INSERT INTO session (owner, meter_id, serial, transport, remote, listener, caller, job_id, codec, codec_version,"
    " started_ms) VALUES "
)
_ONE_OPENING = "(" + ", ".join("?" * 11) + ")"
_LOG = "INSERT INTO session_log (id, session_id, at_ms, direction, data) VALUES "
_PART = "INSERT INTO session_log_part (session_id, part) VALUES "
LOG_PART = 1 << 14
"""Log entries of one part: few enough to look through in milliseconds, many enough that parts are rarely noted."""
_DIRECTIONS = {direction.value: direction for direction in Direction}
_VALUES = {direction: direction.value for direction in Direction}

LoggedChunk = tuple[SessionKey, int, Direction, bytes]


class SessionQueries(Queries):
    """Verbs of sessions."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self._log_end: int | None = None  # the newest log entry; None when it has to be looked up
        self._log_part = -1
        self._noted: set[int] = set()  # sessions known to have something in this part of the log
        super().__init__(connection, vault, owner)

    def forget(self) -> None:
        """Forgets the log's end too."""
        super().forget()
        self._log_end = None
        self._noted.clear()

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        key = SessionKey()
        self.open_sessions([(key, opening)])
        return key

    def open_sessions(self, openings: Sequence[tuple[SessionKey, SessionOpening]]) -> None:
        """Begins sessions and fills their keys."""
        with self.connection.transaction("open sessions"):
            for some, shape in portions(openings, _ONE_OPENING):
                values: list[Any] = []
                for _, opening in some:
                    values += (
                        self._owner,
                        self.meter_id(opening.serial) if opening.serial else None,
                        opening.serial,
                        opening.transport,
                        opening.remote,
                        opening.listener,
                        opening.caller,
                        opening.job,
                        opening.codec,
                        opening.codec_version,
                        opening.started_ms,
                    )
                numbers = self.connection.all(f"{_OPENING}{shape} RETURNING id", values)
                # they are given in the order of the rows, but not always told in it
                for (key, _), (number,) in zip(some, sorted(numbers), strict=True):
                    key.id = number

    def log(self, chunks: Sequence[LoggedChunk]) -> None:
        """Appends to the logs of open sessions, in the order given."""
        with self.connection.transaction("log"):
            end = self.log_end()
            rows = []
            parts = []
            noted = self._noted
            for end, (key, at_ms, direction, data) in enumerate(chunks, end + 1):  # noqa: B020  # where it ends
                session = key.id
                rows.append((end, session, at_ms, _VALUES[direction], data))
                part = end // LOG_PART
                if part != self._log_part:
                    self._log_part = part
                    noted.clear()
                if session not in noted:
                    noted.add(session)
                    parts.append((session, part))
            for portion, shape in portions(rows, "(?, ?, ?, ?, ?)"):
                self.connection.execute(_LOG + shape, list(chain.from_iterable(portion)))
            for places, shape in portions(parts, "(?, ?)"):
                self.connection.execute(f"{_PART}{shape} ON CONFLICT DO NOTHING", list(chain.from_iterable(places)))
            self._log_end = end

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
                self._count_bytes(owner)
                killed += self.connection.execute(
                    "UPDATE session SET outcome = ?, detail = ?, ended_ms = COALESCE((SELECT at_ms FROM session_log"
                    f" WHERE session_id = session.id AND id >= {LOG_PART} * (SELECT MAX(part) FROM session_log_part"
                    " WHERE session_id = session.id) ORDER BY id DESC LIMIT 1), started_ms)"
                    " WHERE ended_ms IS NULL AND owner = ?",
                    (Outcome.GATEWAY_FAULT.value, KILLED, owner),
                ).rowcount
            return killed

    def _count_bytes(self, owner: str) -> None:
        """Gives the open sessions of ``owner`` their totals, from what their logs hold."""
        theirs = "SELECT id FROM session WHERE ended_ms IS NULL AND owner = ?"
        totals: dict[int, dict[str, int]] = {}
        for (part,) in self.connection.all(
            f"SELECT DISTINCT part FROM session_log_part WHERE session_id IN ({theirs})", (owner,)
        ):
            for session, direction, amount in self.connection.all(
                "SELECT session_id, direction, SUM(LENGTH(data)) FROM session_log WHERE id >= ? AND id < ?"
                f" AND session_id IN ({theirs}) GROUP BY session_id, direction",
                (part * LOG_PART, (part + 1) * LOG_PART, owner),
            ):
                total = totals.setdefault(session, {})
                total[direction] = total.get(direction, 0) + amount
        self.connection.executemany(
            "UPDATE session SET bytes_received = ?, bytes_sent = ? WHERE id = ?",
            [
                (total.get(Direction.FROM_METER.value, 0), total.get(Direction.TO_METER.value, 0), session)
                for session, total in totals.items()
            ],
        )

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
                "SELECT at_ms, direction, data FROM session_log WHERE id >= ? AND id < ? AND session_id = ?"
                " ORDER BY id",
                (part * LOG_PART, (part + 1) * LOG_PART, session_id),
            ):
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
