"""Where an archive has no rows, found by the database: a year of hours is looked through without loading it.

Rows between the regular ones (`Quality.EXTRA_ROW`) fill no hole; of rows with one time only one counts.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway_server.model import Quality
from gateway_server.store.queries import Queries

_REGULAR = f"meter_id = ? AND archive = ? AND variant >= 0 AND quality NOT LIKE '%{Quality.EXTRA_ROW}%'"
_SOUND = f"{_REGULAR} AND quality NOT LIKE '%{Quality.CLOCK_OFF}%'"


class Gap(NamedTuple):
    """Two regular rows that follow one another too far apart, with their order numbers (-1: none)."""

    before_ms: int
    after_ms: int
    before_order: int
    after_order: int


class GapQueries(Queries):
    """Verbs that look for what is not there."""

    def archives_of(self, serial: str) -> list[str]:
        """The archives of which a meter has rows."""
        return [
            archive
            for (archive,) in self.connection.all(
                "SELECT archive FROM last_row WHERE meter_id = ? ORDER BY archive", (self.meter_id(serial),)
            )
        ]

    def row_bounds(self, serial: str, archive: str) -> tuple[int, int] | None:
        """The times of the first and the last row whose time can be true."""
        key = (self.meter_id(serial), archive)
        first = self.connection.one(
            f"SELECT measured_at_ms FROM archive_row WHERE {_SOUND} ORDER BY measured_at_ms LIMIT 1", key
        )
        if first is None:
            return None
        last = self.connection.one(
            f"SELECT measured_at_ms FROM archive_row WHERE {_SOUND} ORDER BY measured_at_ms DESC LIMIT 1", key
        )
        return first[0], last[0]

    def row_times(self, serial: str, archive: str, since_ms: int, until_ms: int, limit: int = 100_000) -> list[int]:
        """The times of regular rows, the latest first."""
        return [
            at_ms
            for (at_ms,) in self.connection.all(
                f"SELECT DISTINCT measured_at_ms FROM archive_row WHERE {_REGULAR} AND measured_at_ms BETWEEN ? AND ?"
                " ORDER BY measured_at_ms DESC LIMIT ?",
                (self.meter_id(serial), archive, since_ms, until_ms, limit),
            )
        ]

    def row_gaps(
        self, serial: str, archive: str, since_ms: int, until_ms: int, period_ms: int, phase_ms: int
    ) -> tuple[list[Gap], int | None, int | None]:
        """The gaps between the rows that stand on an even grid, and the first and the last of these rows."""
        grid = (
            f"SELECT measured_at_ms AS t, MAX(order_number) AS n FROM archive_row WHERE {_REGULAR}"
            " AND measured_at_ms BETWEEN ? AND ? AND (measured_at_ms - ?) % ? = 0 GROUP BY measured_at_ms"
        )
        key = (self.meter_id(serial), archive, since_ms, until_ms, phase_ms, period_ms)
        found = self.connection.all(
            "SELECT t, after_t, n, after_n FROM (SELECT t, n, LAG(t) OVER w AS before_t, LEAD(t) OVER w AS after_t,"
            f" LEAD(n) OVER w AS after_n FROM ({grid}) g WINDOW w AS (ORDER BY t)) s"
            " WHERE before_t IS NULL OR after_t IS NULL OR after_t - t > ? ORDER BY t",
            (*key, period_ms),
        )
        gaps = [Gap(*row) for row in found if row[1] is not None and row[1] - row[0] > period_ms]
        return (gaps, found[0][0], found[-1][0]) if found else ([], None, None)

    def rows_between(self, serial: str, archive: str, after_ms: int, before_ms: int) -> int:
        """How many rows of any kind lie between two times."""
        return int(
            self.connection.one(
                "SELECT COUNT(*) FROM archive_row WHERE meter_id = ? AND archive = ? AND variant = 0"
                " AND measured_at_ms > ? AND measured_at_ms < ?",
                (self.meter_id(serial), archive, after_ms, before_ms),
            )[0]
        )

    def rows_at(self, serial: str, archive: str, at_ms: int) -> int:
        """How many rows with order numbers of their own an archive has at one time: two in a doubled autumn hour."""
        return int(
            self.connection.one(
                f"SELECT COUNT(DISTINCT order_number) FROM archive_row WHERE {_REGULAR} AND measured_at_ms = ?",
                (self.meter_id(serial), archive, at_ms),
            )[0]
        )

    def brought(self, session: int, serial: str, archive: str, since_ms: int, until_ms: int) -> list[int]:
        """The times of the rows that a session brought, within these bounds."""
        return [
            at_ms
            for (at_ms,) in self.connection.all(
                "SELECT measured_at_ms FROM archive_row WHERE meter_id = ? AND archive = ? AND session_id = ?"
                " AND measured_at_ms BETWEEN ? AND ? ORDER BY measured_at_ms",
                (self.meter_id(serial), archive, session, since_ms, until_ms),
            )
        ]
