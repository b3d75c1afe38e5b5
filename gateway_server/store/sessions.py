"""Sessions and their logs: what the wire did, in order, for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from gateway_server.model import Direction, Outcome
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

KILLED = "the gateway was killed in it"

_COLUMNS = (
    "s.id, COALESCE(m.serial, s.serial), s.transport, s.remote, s.started_ms, s.ended_ms, s.outcome, s.detail,"
    " s.bytes_received, s.bytes_sent, s.readings, s.codec, s.codec_version, s.listener, s.caller, s.job_id"
    " FROM session s LEFT JOIN meter m ON m.id = s.meter_id"
)
_LOG = "INSERT INTO session_log (session_id, at_ms, direction, data) VALUES "
_DIRECTIONS = {direction.value: direction for direction in Direction}

LoggedChunk = tuple[SessionKey, int, Direction, bytes]


class SessionQueries(Queries):
    """Verbs of sessions."""

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record."""
        key = SessionKey()
        self.open_sessions([(key, opening)])
        return key

    def open_sessions(self, openings: Iterable[tuple[SessionKey, SessionOpening]]) -> None:
        """Begins sessions and fills their keys."""
        with self.connection.transaction("open sessions"):
            for key, opening in openings:
                key.id = self.connection.one(
                    "INSERT INTO session (owner, meter_id, serial, transport, remote, listener, caller, job_id, codec,"
                    " codec_version, started_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (
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
                    ),
                )[0]

    def log(self, chunks: Sequence[LoggedChunk]) -> None:
        """Appends to the logs of open sessions, in the order given."""
        with self.connection.transaction("log"):
            rows = [(key.id, at_ms, direction.value, data) for key, at_ms, direction, data in chunks]
            for portion, shape in portions(rows, "(?, ?, ?, ?)"):
                self.connection.execute(_LOG + shape, list(chain.from_iterable(portion)))

    def count_readings(self, counts: dict[int, int]) -> None:
        """Adds to the number of readings that sessions have brought."""
        self.connection.executemany(
            "UPDATE session SET readings = readings + ? WHERE id = ?", [(n, number) for number, n in counts.items()]
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
                killed += self.connection.execute(
                    "UPDATE session SET outcome = ?, detail = ?, ended_ms = COALESCE((SELECT at_ms FROM session_log"
                    " WHERE session_id = session.id ORDER BY id DESC LIMIT 1), started_ms)"
                    " WHERE ended_ms IS NULL AND owner = ?",
                    (Outcome.GATEWAY_FAULT.value, KILLED, owner),
                ).rowcount
            return killed

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
        for at_ms, direction, data in self.connection.stream(
            "SELECT at_ms, direction, data FROM session_log WHERE session_id = ? ORDER BY id", (session_id,)
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
