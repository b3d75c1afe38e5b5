"""What the plan knows of meters: who must not be called, which rows are lost, up to where an archive is settled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gateway_server.model import CallResult
from gateway_server.store.plan_records import PlanStop, Settled, Span, Swept
from gateway_server.store.queries import Queries

GIVEN_UP = 3
"""Asked for so often without success, a row is lost; at once when the device said that it has none."""
CALLED = "csd:"


class PlanQueries(Queries):
    """Verbs of the plan."""

    def air_time(self, since_ms: int) -> tuple[dict[str, float], dict[str, float]]:
        """Seconds of calls made since then that are paid for (`CallRecord.paid_ms`), by meter and by modem."""
        rows = self.connection.all(
            "SELECT serial, modem, SUM(CASE WHEN ended_ms - connected_ms > airtime_ms THEN ended_ms - connected_ms"
            " ELSE airtime_ms END) FROM call WHERE started_ms >= ? AND inbound = 0 GROUP BY serial, modem",
            (since_ms,),
        )
        by_meter: dict[str, float] = {}
        by_modem: dict[str, float] = {}
        for serial, modem, amount in rows:
            by_meter[serial] = by_meter.get(serial, 0.0) + amount / 1000
            by_modem[modem] = by_modem.get(modem, 0.0) + amount / 1000
        return by_meter, by_modem

    def stop_plan(self, serial: str, result: CallResult, detail: str, at_ms: int, until_ms: int | None = None) -> None:
        """Nobody calls this meter until what was wrong has changed, or `resume_plan`; or ``until_ms`` at the latest."""
        with self.connection.transaction("stop plan"):
            number = self.meter_id(serial)
            if number is not None:
                self.connection.execute(
                    "INSERT INTO plan_stop (meter_id, result, detail, evidence, since_ms, until_ms)"
                    " VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (meter_id) DO UPDATE SET result = excluded.result, detail = excluded.detail,"
                    " evidence = excluded.evidence, since_ms = excluded.since_ms, until_ms = excluded.until_ms",
                    (number, result.value, detail, self._evidence(number, result), at_ms, until_ms),
                )

    def resume_plan(self, serial: str) -> bool:
        """The meter may be called again; False if it was not stopped."""
        with self.connection.transaction("resume plan"):
            return bool(
                self.connection.execute("DELETE FROM plan_stop WHERE meter_id = ?", (self.meter_id(serial),)).rowcount
            )

    def plan_stops(self, at_ms: int) -> dict[str, PlanStop]:
        """The meters that must not be called, by serial number; stops whose reason has changed, or whose time is over,
        are lifted."""
        stops = {}
        with self.connection.transaction("plan stops"):
            for number, serial, result, detail, evidence, since, until in self.connection.all(
                "SELECT p.meter_id, m.serial, p.result, p.detail, p.evidence, p.since_ms, p.until_ms FROM plan_stop p"
                " JOIN meter m ON m.id = p.meter_id ORDER BY m.serial"
            ):
                over = until is not None and until <= at_ms
                if not over and evidence == self._evidence(number, CallResult(result)):
                    stops[serial] = PlanStop(serial, CallResult(result), detail, evidence, since, until)
                else:
                    self.connection.execute("DELETE FROM plan_stop WHERE meter_id = ?", (number,))
        return stops

    def _evidence(self, meter_id: int, result: CallResult) -> str:
        """What has to change before a meter is called again: its numbers, or its access code as it is kept."""
        if result in (CallResult.WRONG_NUMBER, CallResult.BARRED):
            rows = self.connection.all("SELECT route FROM route WHERE meter_id = ? ORDER BY place", (meter_id,))
            return " ".join(route for (route,) in rows if route.startswith(CALLED))
        row = self.connection.one("SELECT access_code FROM meter WHERE id = ?", (meter_id,))
        return hashlib.sha256(row[0] or b"").hexdigest() if row else ""

    def sweep(self, before_ms: int, most: int, *, when_quiet: bool) -> Swept:
        """Removes jobs that are over and were made before, and calls that ended before; so many of each at most.

        ``when_quiet``: not while somebody is at a job. Of the jobs the oldest are looked at and no others.
        """
        if when_quiet and self.connection.one("SELECT 1 FROM job WHERE state = 'running' AND waits = 0 LIMIT 1"):
            return Swept(0, quiet=False)
        with self.connection.transaction("sweep"):
            jobs = self.connection.execute(
                "DELETE FROM job WHERE id IN (SELECT id FROM"
                " (SELECT id, created_ms, state FROM job ORDER BY id LIMIT ?)"
                " WHERE created_ms < ? AND state NOT IN ('queued', 'running'))",
                (most, before_ms),
            ).rowcount
            calls = self.connection.execute(
                "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE started_ms < ? AND ended_ms IS NOT NULL"
                " ORDER BY started_ms LIMIT ?)",
                (before_ms, most),
            ).rowcount
        return Swept(int(jobs + calls))

    # rows that do not come

    def note_asked(self, serial: str, archive: str, spans: Iterable[Span], at_ms: int, *, none_there: bool) -> None:
        """These rows were asked for and did not come; ``none_there``: because the device has none of them."""
        with self.connection.transaction("note asked"):
            number = self.meter_id(serial)
            for first, last in spans:
                self.connection.execute(
                    "INSERT INTO lost_range (meter_id, archive, first_ms, last_ms, asked, asked_ms)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (meter_id, archive, first_ms, last_ms)"
                    " DO UPDATE SET asked = lost_range.asked + excluded.asked, asked_ms = excluded.asked_ms",
                    (number, archive, first, last, GIVEN_UP if none_there else 1, at_ms),
                )

    def lost(self, serial: str, archive: str) -> list[Span]:
        """Spans of an archive that were asked for in vain often enough."""
        return [
            Span(first, last)
            for first, last in self.connection.all(
                "SELECT first_ms, last_ms FROM lost_range WHERE meter_id = ? AND archive = ? AND asked >= ?"
                " ORDER BY first_ms",
                (self.meter_id(serial), archive, GIVEN_UP),
            )
        ]

    def ask_again(self, serial: str) -> int:
        """Forgets what is thought to be lost of a meter; gives how many spans."""
        with self.connection.transaction("ask again"):
            return int(
                self.connection.execute("DELETE FROM lost_range WHERE meter_id = ?", (self.meter_id(serial),)).rowcount
            )

    # how far an archive was looked through

    def settled(self, serial: str, archive: str) -> Settled | None:
        """Up to where an archive needs no second look."""
        row = self.connection.one(
            "SELECT period_ms, first_ms, until_ms, expected, stored, checked_ms FROM settled"
            " WHERE meter_id = ? AND archive = ?",
            (self.meter_id(serial), archive),
        )
        return None if row is None else Settled(*row)

    def settle(self, serial: str, archive: str, settled: Settled) -> None:
        """Keeps up to where an archive needs no second look."""
        with self.connection.transaction("settle"):
            self.connection.execute(
                "INSERT INTO settled (meter_id, archive, period_ms, first_ms, until_ms, expected, stored, checked_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter_id, archive) DO UPDATE SET"
                " period_ms = excluded.period_ms, first_ms = excluded.first_ms, until_ms = excluded.until_ms,"
                " expected = excluded.expected, stored = excluded.stored, checked_ms = excluded.checked_ms",
                (
                    self.meter_id(serial), archive, settled.period_ms, settled.first_ms, settled.until_ms,
                    settled.expected, settled.stored, settled.checked_ms,
                ),
            )  # fmt: skip
