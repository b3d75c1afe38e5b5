"""Calls by modem: what each cost and brought, and what may not be tried again with a modem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gateway_server.errors import StoreError
from gateway_server.model import CallResult
from gateway_server.store.owner import alive
from gateway_server.store.queries import Queries, Where, limited, marks
from gateway_server.store.records import CallRecord, Filter

KILLED = "the gateway was killed during the call"
FOUND_ON_LINE = "the modem was still on line when it was found again"
_JUST_NOW_MS = 600_000

_KEPT = (
    "serial, modem, number, started_ms, connected_ms, ended_ms, result, detail, cause, bytes, airtime_ms, attempt,"
    " session_id, job_id, bearer, operator, signal, inbound"
)
_SET = ", ".join(f"{name.strip()} = ?" for name in _KEPT.split(","))


_PAID = "CASE WHEN ended_ms - connected_ms > airtime_ms THEN ended_ms - connected_ms ELSE airtime_ms END"


class CallTotal(NamedTuple):
    """What calls come to. Those ``taken`` cost us nothing; ``minutes`` are begun ones of calls that are over."""

    calls: int = 0
    taken: int = 0
    ok: int = 0
    airtime_ms: int = 0
    paid_ms: int = 0
    minutes: int = 0


class CallQueries(Queries):
    """Verbs of calls."""

    def open_call(self, call: CallRecord) -> int:
        """Notes that a call is being made; gives its number."""
        values = _values(call)
        with self.connection.transaction("open call"):
            return int(
                self.connection.one(
                    f"INSERT INTO call (owner, {_KEPT}) VALUES (?, {marks(values)}) RETURNING id",
                    (self._owner, *values),
                )[0]
            )

    def close_call(self, call: CallRecord) -> None:
        """Writes what is known of a call by now. Raises `StoreError` if there is no such call."""
        with self.connection.transaction("close call"):
            changed = self.connection.execute(
                f"UPDATE call SET {_SET} WHERE id = ?", (*_values(call), call.id)
            ).rowcount
            if not changed:
                raise StoreError(f"call {call.id} is not in the store")

    def calls(self, wanted: Filter = Filter()) -> Iterator[CallRecord]:  # noqa: B008  # cannot be changed
        """Calls by the time they began.

        ``outcomes`` takes `CallResult` values, ``states`` ``open`` and ``ended``, ``names`` the names of modems.
        """
        where = _asked_for(wanted)
        direction = "DESC" if wanted.newest_first else "ASC"
        for row in self.connection.stream(
            f"SELECT id, {_KEPT} FROM call{where} ORDER BY started_ms {direction}, id {direction}"
            f"{limited(wanted.limit)}",
            where.parameters,
        ):
            yield _call(row)

    def call_total(self, wanted: Filter = Filter()) -> CallTotal:  # noqa: B008  # cannot be changed
        """What all calls that are asked for come to."""
        where = _asked_for(wanted)
        row = self.connection.one(
            "SELECT COUNT(*), SUM(inbound), SUM(CASE WHEN result = 'ok' THEN 1 ELSE 0 END),"
            " SUM(CASE WHEN inbound = 0 THEN airtime_ms ELSE 0 END),"
            f" SUM(CASE WHEN inbound = 0 THEN {_PAID} ELSE 0 END),"
            f" SUM(CASE WHEN inbound = 0 AND ended_ms IS NOT NULL THEN (({_PAID}) + 59999) / 60000 ELSE 0 END)"
            f" FROM call{where}",
            where.parameters,
        )
        return CallTotal(*(int(value or 0) for value in row))

    def close_killed_calls(self) -> int:
        """Ends the calls of processes that live no more; gives how many.

        Nobody knows when the modem was hung up: what is reckoned as air time is up to the session's last byte. If it is
        then found on line, `found_on_line` says so.
        """
        with self.connection.transaction("close killed calls"):
            owners = self.connection.all("SELECT DISTINCT owner FROM call WHERE ended_ms IS NULL")
            dead = [owner for (owner,) in owners if owner != self._owner and not alive(owner)]
            killed = 0
            for owner in dead:
                killed += self.connection.execute(
                    "UPDATE call SET result = ?, detail = ?, ended_ms = COALESCE((SELECT s.ended_ms FROM session s"
                    " WHERE s.id = call.session_id), connected_ms, started_ms), bytes = COALESCE((SELECT"
                    " s.bytes_received + s.bytes_sent FROM session s WHERE s.id = call.session_id), 0)"
                    " WHERE ended_ms IS NULL AND owner = ?",
                    (CallResult.INTERRUPTED.value, KILLED, owner),
                ).rowcount
                self.connection.execute(
                    "UPDATE call SET airtime_ms = ended_ms - connected_ms WHERE owner = ? AND detail = ?"
                    " AND airtime_ms = 0 AND connected_ms IS NOT NULL AND ended_ms > connected_ms",
                    (owner, KILLED),
                )
            return killed

    def found_on_line(self, modem: str, at_ms: int) -> None:
        """The modem was still on line from its last call, and has been hung up now: until now that was paid for.

        Only what was broken off, or ended a moment ago, can have lasted so long; what else it was is not ours.
        """
        with self.connection.transaction("found on line"):
            self.connection.execute(
                "UPDATE call SET ended_ms = ?, detail = CASE WHEN detail = '' THEN ? ELSE detail || '; ' || ? END"
                " WHERE id = (SELECT id FROM call WHERE modem = ? ORDER BY started_ms DESC, id DESC LIMIT 1)"
                " AND connected_ms IS NOT NULL AND ended_ms < ? AND (result IN (?, ?) OR ended_ms >= ?)",
                (
                    at_ms, FOUND_ON_LINE, FOUND_ON_LINE, modem, at_ms, CallResult.INTERRUPTED.value,
                    CallResult.MODEM_FAULT.value, at_ms - _JUST_NOW_MS,
                ),
            )  # fmt: skip

    def pin_tried(self, modem: str) -> str:
        """The state of the file whose PIN was tried with this modem and not found right; empty for none."""
        row = self.connection.one("SELECT tried FROM modem_pin WHERE modem = ?", (modem,))
        return "" if row is None else str(row[0])

    def note_pin_tried(self, modem: str, mark: str) -> None:
        """Notes it before it is tried; an empty mark forgets it, because it was right."""
        with self.connection.transaction("note PIN"):
            self.connection.execute(
                "INSERT INTO modem_pin (modem, tried) VALUES (?, ?)"
                " ON CONFLICT (modem) DO UPDATE SET tried = excluded.tried",
                (modem, mark),
            )


def _asked_for(wanted: Filter) -> Where:
    where = Where()
    where.among("serial", wanted.serials)
    where.among("modem", wanted.names)
    where.among("result", wanted.outcomes)
    where.among("session_id", wanted.sessions)
    where.between("started_ms", wanted.since_ms, wanted.until_ms)
    if wanted.states == ("open",):
        where.add("ended_ms IS NULL")
    elif wanted.states == ("ended",):
        where.add("ended_ms IS NOT NULL")
    return where


def _values(call: CallRecord) -> tuple[Any, ...]:
    return (
        call.meter, call.modem, call.number, call.started_ms, call.connected_ms, call.ended_ms,
        None if call.result is None else call.result.value, call.detail, call.cause, call.bytes, call.airtime_ms,
        call.attempt, call.session, call.job, call.bearer, call.operator, call.signal, int(call.inbound),
    )  # fmt: skip


def _call(row: Sequence[Any]) -> CallRecord:
    (
        number_of_call, meter, modem, number, started, connected, ended, result, detail, cause, amount, airtime,
        attempt, session, job, bearer, operator, signal, inbound,
    ) = row  # fmt: skip
    return CallRecord(
        number_of_call, meter, modem, number, started, connected, ended,
        None if result is None else CallResult(result), detail, cause, amount, airtime, attempt, session, job, bearer,
        operator, signal, bool(inbound),
    )  # fmt: skip
