"""The inbox: rows that have just come, one behind another, until they are folded into the archive.

The archive is clustered by meter and time, so a row of each of a hundred meters touches a hundred pages; a hundred
rows at the end of the inbox touch five. Thousands of them at once, sorted, are then put where they belong for a third
of what they would cost one by one. A row is durable, and seen by every reader, from the moment it is in the inbox:
whoever reads the archive reads the inbox with it (`ALL_ROWS`), whoever changes the archive folds the inbox first.

Only a row that cannot be there already comes here: one behind everything known of its meter and archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from gateway_server.store.queries import Queries, portions

FOLD_AT = 2048
"""Rows that are folded together: enough for several to fall on each page, few enough to keep nobody waiting."""

ROW_COLUMNS = (
    "meter_id, archive, measured_at_ms, order_number, variant, received_at_ms, layout_id, vals, status, event, quality,"
    " marks, session_id, span_start, span_end, codec_version_id"
)
ALL_ROWS = f"(SELECT {ROW_COLUMNS} FROM archive_row UNION ALL SELECT {ROW_COLUMNS} FROM inbox_row)"

PackedRow = tuple[int, str, int, int, int, int, int, str, str, str, str, str, int, int, int, int]

_FOLD = (
    f"INSERT INTO archive_row ({ROW_COLUMNS}) SELECT {ROW_COLUMNS} FROM inbox_row"
    " ORDER BY meter_id, archive, measured_at_ms, order_number, variant"
)
ONE_ROW = "(" + ", ".join("?" * 16) + ")"


class InboxQueries(Queries):
    """What the inbox holds, and its way into the archive."""

    _inbox_rows: int | None = None  # how many it holds; None when that has to be looked up

    def forget(self) -> None:
        """Forgets how much is in the inbox too."""
        super().forget()
        self._inbox_rows = None

    @property
    def waiting(self) -> int:
        """How many rows wait in the inbox, as far as this process knows."""
        return self._inbox_rows or 0

    def rows_from(self) -> str:
        """Where all rows are to be read from at this moment: the archive alone while the inbox is empty.

        Rows that come to the inbox later were not there when somebody asked; rows that leave it are in the archive.
        """
        return "archive_row" if self.connection.one("SELECT 1 FROM inbox_row LIMIT 1") is None else ALL_ROWS

    def put_in_inbox(self, rows: Sequence[PackedRow]) -> None:
        """Appends rows whose keys are nowhere yet; to be called within a transaction."""
        if self._inbox_rows is None:
            self._inbox_rows = int(self.connection.one("SELECT COUNT(*) FROM inbox_row")[0])
        for portion, shape in portions(rows, ONE_ROW):
            self.connection.execute(
                f"INSERT INTO inbox_row ({ROW_COLUMNS}) VALUES {shape}", list(chain.from_iterable(portion))
            )
        self._inbox_rows += len(rows)

    def fold(self) -> None:
        """Puts what is in the inbox where it belongs."""
        with self.connection.transaction("fold"):
            if self._inbox_rows != 0:
                self.connection.execute(_FOLD)
                self.connection.execute("DELETE FROM inbox_row")
            self._inbox_rows = 0
