"""The inbox: rows that have just come, one behind another, until they are folded into the archive.

The archive is clustered by meter and time, so one row of each of a hundred meters touches a hundred pages, and their
newest rows and their sessions' counts a dozen more; at the end of the inbox a hundred rows touch five. Thousands of
them, sorted, are then put where they belong for a third of what they would cost one by one.

A row is durable, and seen by every reader, from the moment it is in the inbox: whoever reads the archive reads the
inbox with it (`rows_from`, `last_from`, `NOT_COUNTED`), whoever changes the archive folds the inbox first. Only a
row that cannot be there already comes here: one behind everything known of its meter and archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

from gateway_server.store.queries import Queries, portions

FOLD_AT = 4096
"""Rows that are folded together: enough for several to fall on each page, few enough to keep nobody waiting."""

ROW_COLUMNS = (
    "meter_id, archive, measured_at_ms, order_number, variant, received_at_ms, layout_id, vals, status, event, quality,"
    " marks, session_id, span_start, span_end, codec_version_id"
)
ONE_ROW = "(" + ", ".join("?" * 16) + ")"
UPSERT_LAST = " ON CONFLICT (meter_id, archive) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in ROW_COLUMNS.split(", ")[2:]
)

PackedRow = tuple[int, str, int, int, int, int, int, str, str, str, str, str, int, int, int, int]

ALL_ROWS = "every_row"  # views: the archive, and the newest row of each, with what is in the inbox
_LAST_ROWS = "newest_row"
_NEWEST = (
    f"SELECT {ROW_COLUMNS} FROM inbox_row"
    " WHERE place IN (SELECT MAX(place) FROM inbox_row WHERE newest = 1 GROUP BY meter_id, archive)"
)
NOT_COUNTED = (
    "(SELECT c.session_id, SUM(c.found * JSON_ARRAY_LENGTH(l.columns)) AS readings FROM (SELECT session_id, layout_id,"
    " COUNT(*) AS found FROM inbox_row GROUP BY session_id, layout_id) AS c JOIN layout l ON l.id = c.layout_id"
    " GROUP BY c.session_id)"
)
_IN_INBOX = f"INSERT INTO inbox_row (place, newest, {ROW_COLUMNS}) VALUES "
_ONE_IN_INBOX = "(" + ", ".join("?" * 18) + ")"
_SORTED = "ORDER BY meter_id, archive, measured_at_ms, order_number, variant"
_COUNTED = f"SET readings = session.readings + i.readings FROM {NOT_COUNTED} AS i WHERE session.id = i.session_id"
_FOLD = (
    f"INSERT INTO archive_row ({ROW_COLUMNS}) SELECT {ROW_COLUMNS} FROM inbox_row {_SORTED}",
    f"INSERT INTO last_row ({ROW_COLUMNS}) {_NEWEST}{UPSERT_LAST}",
    f"UPDATE session {_COUNTED}",
    "DELETE FROM inbox_row",
)


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

    # where to read; what comes to the inbox later was not there when somebody asked, what leaves it is in the archive

    def rows_from(self) -> str:
        """Where all rows are at this moment: in the archive alone while the inbox is empty."""
        return ALL_ROWS if self._in_use() else "archive_row"

    def last_from(self) -> str:
        """Where the newest row of each archive is at this moment."""
        return _LAST_ROWS if self._in_use() else "last_row"

    def _in_use(self) -> bool:
        return self.connection.one("SELECT 1 FROM inbox_row LIMIT 1") is not None

    # its way

    def put_in_inbox(self, rows: Sequence[PackedRow], newer: Sequence[bool]) -> None:
        """Appends rows whose keys are nowhere yet; ``newer`` tells which became the newest of their archive. To be
        called within a transaction."""
        if self._inbox_rows is None:
            self._inbox_rows = int(self.connection.one("SELECT COUNT(*) FROM inbox_row")[0])
        place = self._inbox_rows
        packed = [(place, newest, *row) for place, newest, row in zip(count(place + 1), newer, rows)]
        for portion, shape in portions(packed, _ONE_IN_INBOX):
            self.connection.execute(_IN_INBOX + shape, list(chain.from_iterable(portion)))
        self._inbox_rows += len(rows)

    def fold(self) -> None:
        """Puts what is in the inbox where it belongs: rows, the newest of each archive, the sessions' counts."""
        with self.connection.transaction("fold"):
            if self._inbox_rows != 0:
                for statement in _FOLD:
                    self.connection.execute(statement)
            self._inbox_rows = 0
