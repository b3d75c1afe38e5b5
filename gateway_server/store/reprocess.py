"""Saving what a stored session says when its bytes are decoded again.

A row decoded otherwise takes the place of what the same session gave before: found under the same key, or by the same
archive and byte span if its key itself was decoded otherwise. What it replaces stays in the store as a variant below 0,
with the codec version that read it. What is decoded as before stays untouched, so doing it twice changes nothing.
What today's codec does not give any more stays valid: a replay that broke off must not take readings away.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from gateway_server.model import CURRENT, Quality, Saved
from gateway_server.store.archive import (
    ARCHIVE,
    CODEC,
    END,
    INSERT_EVENT,
    INSERT_ROW,
    LAYOUT,
    MEASURED,
    METER,
    NO_ORDER,
    ONE_EVENT,
    ORDER,
    QUALITY,
    RECEIVED,
    SEPARATOR,
    SESSION,
    SPAN,
    VALS,
    VARIANT,
    PackedEvent,
    counts_back,
    is_newer,
    packed_values,
)
from gateway_server.store.connection import DryRunError
from gateway_server.store.inbox import ONE_ROW, ROW_COLUMNS, PackedRow
from gateway_server.store.layouts import archive_name
from gateway_server.store.readings import ReadingQueries
from gateway_server.store.records import EventToSave, RowToSave

_SAME_KEY = "meter_id = ? AND archive = ? AND measured_at_ms = ? AND order_number = ?"
_SAME_EVENT = "meter_id = ? AND measured_at_ms = ? AND order_number = ? AND code = ?"
_Place = tuple[int, str]


class ReprocessQueries(ReadingQueries):
    """The verb by which stored sessions are read again."""

    def save_reprocessed(
        self,
        session_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        *,
        dry_run: bool = False,
    ) -> Saved:
        """Saves what a stored session says to this codec version; gives what was stored anew or otherwise (``new``),
        what was so before, and what now contradicts another session. A dry run changes nothing."""
        saved = Saved()
        try:
            with self.connection.transaction("reprocess"), self.connection.attempt("reprocess"):
                saved = self._reprocess(session_id, serial, codec, codec_version, rows, events)
                if dry_run:
                    raise DryRunError
        except DryRunError:
            pass
        return saved

    def _reprocess(
        self,
        session_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
    ) -> Saved:
        self.fold()
        self._latest_ms.clear()  # what is read otherwise may be later than all before
        by = self._codec_version_id(codec, codec_version)
        meter_id = self._meter_for(serial)
        packed = [self._packed(row, meter_id, session_id, by) for row in rows]
        keys = {row[:VARIANT] for row in packed}
        told = {(row[:VARIANT], row[VALS:QUALITY]) for row in packed}
        before: list[PackedRow] | None = None
        counted = {"new": 0, "same": 0, "conflict": 0}
        readings = 0
        changed: list[PackedRow] = []
        dropped: set[_Place] = set()
        for row in packed:
            stored = self._variants(row)
            if self._stands(row, stored):
                counted["same"] += 1
                continue
            mine = next((other for other in stored if _gives_way(other, row, told)), None)
            replaced = mine is not None
            if mine is None and row[SPAN] < row[END]:
                if before is None:
                    before = self._rows_of(session_id, meter_id)
                for other in before:
                    if other[:VARIANT] not in keys and _from_the_same_bytes(row, other):
                        self._retire(other)
                        replaced = True
                        dropped.add((other[METER], other[ARCHIVE]))
                before = [other for other in before if not _from_the_same_bytes(row, other)]
            variant, mark = 0, self._doubt(row)
            if mine is not None:
                variant = mine[VARIANT]
                self._retire(mine)
                dropped.add((mine[METER], mine[ARCHIVE]))
                mark = Quality.CONFLICT if variant else mark
            elif stored and self._codec(stored[0][SESSION], stored[0][CODEC]) != (codec, codec_version):
                replaced = True
                self._retire(stored[0])  # another session's, read by another version: this one knows better
                dropped.add((stored[0][METER], stored[0][ARCHIVE]))
            elif stored:
                variant, mark = stored[-1][VARIANT] + 1, Quality.CONFLICT
            final = (*row[:VARIANT], variant, *row[VARIANT + 1 : QUALITY + 1], mark, *row[SESSION:])
            self.connection.execute(INSERT_ROW + ONE_ROW, final)
            if not replaced:
                readings += len(self._layout(row[LAYOUT]).columns)
            counted["conflict" if mark == Quality.CONFLICT and mine is None else "new"] += 1
            if variant == 0:
                changed.append(row)
        self._correct_last(dropped, changed)
        self.count_readings({session_id: readings})
        packed_events = [self.pack_event(event, meter_id, session_id, by) for event in events]
        event_keys = {event[:VARIANT] for event in packed_events}
        new_events = sum(self._reprocess_event(event, event_keys) for event in packed_events)
        return Saved(counted["new"] + new_events, counted["same"] + len(events) - new_events, counted["conflict"])

    def _packed(self, row: RowToSave, meter_id: int, session_id: int, by: int) -> PackedRow:
        order = NO_ORDER if row.order_number is None else row.order_number
        layout = self._layout_of(row.columns)
        archive = layout.current if row.archive == CURRENT else row.archive
        return (
            meter_id, archive, row.measured_at_ms, order, 0, row.received_at_ms, layout.id,
            packed_values(row), row.status, row.event, row.quality, "", session_id, row.span_start,
            row.span_end, by,
        )  # fmt: skip

    def _variants(self, row: PackedRow) -> list[PackedRow]:
        return self.connection.all(
            f"SELECT {ROW_COLUMNS} FROM archive_row WHERE {_SAME_KEY} AND variant >= 0 ORDER BY variant", row[:VARIANT]
        )

    def _rows_of(self, session_id: int, meter_id: int) -> list[PackedRow]:
        return self.connection.all(
            f"SELECT {ROW_COLUMNS} FROM archive_row WHERE (meter_id = ? OR meter_id = (SELECT meter_id FROM session"
            " WHERE id = ?)) AND session_id = ? AND variant >= 0",
            (meter_id, session_id, session_id),
        )

    def _stands(self, row: PackedRow, stored: Sequence[PackedRow]) -> bool:
        """Whether the store has this row as it is: to the letter from the same session, in its values from others."""
        for other in stored:
            if row[VALS:QUALITY] != other[VALS:QUALITY]:
                continue
            if other[SESSION] == row[SESSION]:
                if row[LAYOUT] == other[LAYOUT] and row[QUALITY] == other[QUALITY]:
                    return True
            elif self.same_meaning(row[LAYOUT], other[LAYOUT]):
                return True
        return False

    def _retire(self, row: PackedRow) -> None:
        lowest = self.connection.one(f"SELECT MIN(variant) FROM archive_row WHERE {_SAME_KEY}", row[:VARIANT])[0]
        self.connection.execute(
            f"UPDATE archive_row SET variant = ? WHERE {_SAME_KEY} AND variant = ?",
            (min(0, lowest) - 1, *row[:VARIANT], row[VARIANT]),
        )

    def _doubt(self, row: PackedRow) -> str:
        """The store's own doubt about a row that stands between others: a counter below the row before."""
        before = self.connection.one(
            "SELECT layout_id, vals FROM archive_row WHERE meter_id = ? AND archive = ? AND measured_at_ms < ?"
            " AND variant = 0 ORDER BY measured_at_ms DESC, order_number DESC LIMIT 1",
            row[:ORDER],
        )
        if before is None or before[0] != row[LAYOUT]:
            return ""
        counters = self._layout(row[LAYOUT]).counters
        return Quality.COUNTER_BACK if counts_back(row[VALS].split(SEPARATOR), before[1], counters) else ""

    def _correct_last(self, dropped: set[_Place], changed: Sequence[PackedRow]) -> None:
        """Finds the newest row anew where one was replaced; elsewhere a new row may have become it."""
        newest: dict[_Place, PackedRow] = {}
        for place in dropped:
            self._last.pop(place, None)
            self.connection.execute("DELETE FROM last_row WHERE meter_id = ? AND archive = ?", place)
            changed = [row for row in changed if (row[METER], row[ARCHIVE]) != place]
            rows: list[PackedRow] = self.connection.all(
                f"SELECT {ROW_COLUMNS} FROM archive_row WHERE meter_id = ? AND archive = ? AND variant = 0"
                " ORDER BY received_at_ms, measured_at_ms, order_number",
                place,
            )
            self._pick_newest(rows, newest)
        self._pick_newest(changed, newest)
        self.write_last(list(newest.values()))

    def _pick_newest(self, rows: Sequence[PackedRow], newest: dict[_Place, PackedRow]) -> None:
        for row in rows:
            place = (row[METER], row[ARCHIVE])
            last = self._last.get(place) or self.load_last(place)
            if is_newer(row[ORDER], row[MEASURED], row[RECEIVED], row[QUALITY], last):
                self._last[place] = newest[place] = row

    def _reprocess_event(self, row: PackedEvent, keys: set[tuple[int, int, int, str]]) -> bool:
        _, _, _, _, _, kind, _, _, session_id, start, end, _ = row
        stored = self.connection.one(
            f"SELECT kind_id, session_id FROM event WHERE {_SAME_EVENT} AND variant = 0", row[:VARIANT]
        )
        if stored is not None:
            if stored[0] == kind or stored[1] != session_id:
                return False
            self._retire_event(row[:VARIANT])
        elif start < end:
            for other in self.connection.all(
                "SELECT meter_id, measured_at_ms, order_number, code FROM event WHERE meter_id = ? AND session_id = ?"
                " AND span_start = ? AND span_end = ? AND variant = 0",
                (row[METER], session_id, start, end),
            ):
                if other not in keys:
                    self._retire_event(other)
        self.connection.execute(INSERT_EVENT + ONE_EVENT, row)
        return True

    def _retire_event(self, key: Sequence[int | str]) -> None:
        lowest = self.connection.one(f"SELECT MIN(variant) FROM event WHERE {_SAME_EVENT}", key)[0]
        self.connection.execute(
            f"UPDATE event SET variant = ? WHERE {_SAME_EVENT} AND variant = 0", (min(0, lowest) - 1, *key)
        )

    def _codec_version_id(self, codec: str, version: str) -> int:
        row = self.connection.one("SELECT id FROM codec_version WHERE codec = ? AND version = ?", (codec, version))
        row = row or self.connection.one(
            "INSERT INTO codec_version (codec, version) VALUES (?, ?) RETURNING id", (codec, version)
        )
        return int(row[0])


def _gives_way(other: PackedRow, row: PackedRow, told: Set[tuple[object, object]]) -> bool:
    """Whether a stored row is what the same session gave before for this one, and not what it gives for another."""
    content = other[VALS:QUALITY]
    return other[SESSION] == row[SESSION] and (content == row[VALS:QUALITY] or (other[:VARIANT], content) not in told)


def _from_the_same_bytes(row: PackedRow, other: PackedRow) -> bool:
    return (
        archive_name(row[ARCHIVE]) == archive_name(other[ARCHIVE])
        and row[SPAN] == other[SPAN]
        and row[END] == other[END]
    )
