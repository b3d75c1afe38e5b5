"""Where an archive has no rows, found by the database: a year of hours is looked through without loading it.

Rows between the regular ones (`Quality.EXTRA_ROW`) fill no hole; of rows with one time only one counts.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway_server.model import Quality
from gateway_server.store.layouts import archive_name
from gateway_server.store.queries import Queries

_REGULAR = (
    f"meter_id = ? AND archive = ? AND variant >= 0 AND (quality = '' OR quality NOT LIKE '%{Quality.EXTRA_ROW}%')"
)
_SOUND = f"{_REGULAR} AND (quality = '' OR quality NOT LIKE '%{Quality.CLOCK_OFF}%')"


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
                "SELECT archive FROM newest_row WHERE meter_id = ? ORDER BY archive", (self.meter_id(serial),)
            )
        ]

    def archives_known(self) -> set[str]:
        """The archives of which any meter has rows."""
        return {archive_name(stored) for (stored,) in self.connection.all("SELECT DISTINCT archive FROM newest_row")}

    def row_bounds(self, serial: str, archive: str) -> tuple[int, int] | None:
        """The times of the first and the last row whose time can be true."""
        key = (self.meter_id(serial), archive)
        first = self.connection.one(
            f"SELECT measured_at_ms FROM every_row WHERE {_SOUND} ORDER BY measured_at_ms LIMIT 1", key
        )
        if first is None:
            return None
        last = self.connection.one(
            f"SELECT measured_at_ms FROM every_row WHERE {_SOUND} ORDER BY measured_at_ms DESC LIMIT 1", key
        )
        return first[0], last[0]

    def row_times(self, serial: str, archive: str, since_ms: int, until_ms: int, limit: int = 100_000) -> list[int]:
        """The times of regular rows, the latest first."""
        return [
            at_ms
            for (at_ms,) in self.connection.all(
                f"SELECT DISTINCT measured_at_ms FROM every_row WHERE {_REGULAR} AND measured_at_ms BETWEEN ? AND ?"
                " ORDER BY measured_at_ms DESC LIMIT ?",
                (self.meter_id(serial), archive, since_ms, until_ms, limit),
            )
        ]

    def row_gaps(
        self, serial: str, archive: str, since_ms: int, until_ms: int, period_ms: int, phase_ms: int
    ) -> tuple[list[Gap], int | None, int | None]:
        """The gaps between the rows that stand on an even grid, and the first and the last of these rows.

        One pass in the order of the archive, of which nothing but two numbers a row leaves the database; its window
        functions take ten times as long.
        """
        gaps: list[Gap] = []
        first: int | None = None
        before, before_order = 0, -1
        for at_ms, order in self.connection.stream(
            f"SELECT measured_at_ms, order_number FROM every_row WHERE {_REGULAR} AND measured_at_ms BETWEEN ? AND ?"
            " AND (measured_at_ms - ?) % ? = 0 ORDER BY measured_at_ms, order_number",
            (self.meter_id(serial), archive, since_ms, until_ms, phase_ms, period_ms),
        ):
            if first is None:
                first = at_ms
            elif at_ms - before > period_ms:
                gaps.append(Gap(before, at_ms, before_order, order))
            before, before_order = at_ms, order
        return gaps, first, None if first is None else before

    def rows_between(self, serial: str, archive: str, after_ms: int, before_ms: int) -> int:
        """How many rows of any kind lie between two times."""
        return int(
            self.connection.one(
                "SELECT COUNT(*) FROM every_row WHERE meter_id = ? AND archive = ? AND variant = 0"
                " AND measured_at_ms > ? AND measured_at_ms < ?",
                (self.meter_id(serial), archive, after_ms, before_ms),
            )[0]
        )

    def rows_at(self, serial: str, archive: str, at_ms: int) -> int:
        """How many rows with order numbers of their own an archive has at one time: two in a doubled autumn hour."""
        return int(
            self.connection.one(
                f"SELECT COUNT(DISTINCT order_number) FROM every_row WHERE {_REGULAR} AND measured_at_ms = ?",
                (self.meter_id(serial), archive, at_ms),
            )[0]
        )

    def brought(self, session: int, serial: str, archive: str, since_ms: int, until_ms: int) -> list[int]:
        """The times of the rows that a session brought, within these bounds."""
        return [
            at_ms
            for (at_ms,) in self.connection.all(
                "SELECT measured_at_ms FROM every_row WHERE meter_id = ? AND archive = ? AND session_id = ?"
                " AND measured_at_ms BETWEEN ? AND ? ORDER BY measured_at_ms",
                (self.meter_id(serial), archive, session, since_ms, until_ms),
            )
        ]
