"""Saving what meters report: every row once, none lost, the newest of each archive at hand.

The key of a row is meter, archive, time and the device's own order number. The same row again changes nothing; other
values under the same key are kept beside the first as a variant with the mark `conflict`. Marks are the store's own
doubts and stand apart from the codec's quality, so that a row decoded again compares with what the codec said.
An order number that comes again with another time is noticed against the newest row only: a search through the
archive for each row would cost more than all the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Final

from gateway_server.errors import StoreError
from gateway_server.model import CURRENT, Column, Quality, Saved
from gateway_server.store.connection import Connection
from gateway_server.store.inbox import FOLD_AT, ONE_ROW, ROW_COLUMNS, UPSERT_LAST, PackedRow
from gateway_server.store.layouts import LayoutQueries
from gateway_server.store.queries import portions
from gateway_server.store.records import EventToSave, RowToSave, SessionKey
from gateway_server.store.register import RegisterQueries
from gateway_server.store.secrets import Vault
from gateway_server.store.sessions import SessionQueries

NO_ORDER = -1
EARLIEST = -(1 << 62)
SEPARATOR = "\t"
MOST_IN_INBOX = 4 * FOLD_AT  # if nobody has folded it for so long, it is done while somebody waits
MOST_FOR_INBOX = 8  # rows of one archive at once: more lie side by side there anyway
MOST_REMEMBERED = 4096  # meters and newest rows kept in memory: enough for all that report at the same time

# places in a packed row that are spoken of below
METER: Final = 0
ARCHIVE: Final = 1
MEASURED: Final = 2
ORDER: Final = 3
VARIANT: Final = 4
RECEIVED: Final = 5
LAYOUT: Final = 6
VALS: Final = 7
STATUS: Final = 8
EVENT: Final = 9
QUALITY: Final = 10
MARKS: Final = 11
SESSION: Final = 12
SPAN: Final = 13
END: Final = 14
CODEC: Final = 15
PackedEvent = tuple[int, int, int, str, int, int, int, str, int, int, int, int]
Place = tuple[int, str]  # a meter and one of its archives
Submission = tuple[SessionKey, str, Sequence[RowToSave], Sequence[EventToSave]]

INSERT_ROW = f"INSERT INTO archive_row ({ROW_COLUMNS}) VALUES "
INSERT_EVENT = (
    "INSERT INTO event (meter_id, measured_at_ms, order_number, code, variant, kind_id, received_at_ms, quality,"
    " session_id, span_start, span_end, codec_version_id) VALUES "
)
ONE_EVENT = "(" + ", ".join("?" * 12) + ")"
_ONE_NEW = Saved(1)
_NOTHING_YET: PackedRow = (0, "", EARLIEST, NO_ORDER, 0, EARLIEST, 0, "", "", "", Quality.CLOCK_OFF, "", 0, 0, 0, 0)


@dataclass(slots=True)
class _Found:
    """What many meters reported, packed: ``newer`` tells which rows became the newest of their archive, ``ends`` where
    the rows of each submission end."""

    rows: list[PackedRow] = field(default_factory=list)
    newer: list[bool] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    doubtful: set[int] = field(default_factory=set)
    newest: dict[Place, PackedRow] = field(default_factory=dict)
    direct: bool = False


class ArchiveQueries(RegisterQueries, SessionQueries, LayoutQueries):
    """The verbs by which readings come in."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self._last: dict[Place, PackedRow] = {}
        self._latest_ms: dict[Place, int] = {}  # no row of this archive is later
        self._in_inbox: dict[Place, tuple[int, PackedRow | None]] | None = None
        self._kinds: dict[tuple[str, str], int] = {}
        super().__init__(connection, vault, owner)

    def forget(self) -> None:
        """Forgets the newest rows and the kinds of events too."""
        super().forget()
        self._last.clear()
        self._latest_ms.clear()
        self._in_inbox = None
        self._kinds.clear()

    def save(
        self, key: SessionKey, serial: str, rows: Sequence[RowToSave], events: Sequence[EventToSave] = ()
    ) -> Saved:
        """Saves what a meter reported in a session."""
        return self.save_all([(key, serial, rows, events)])[0]

    def save_all(self, submissions: Sequence[Submission]) -> list[Saved]:
        """Saves what many meters reported: as few statements as can be, the work per row as little as can be."""
        with self.connection.transaction("save"):
            self._remember_less()
            found = _Found()
            for key, serial, reported, _ in submissions:
                meter_id = self._meter_ids.get(serial) or self._meter_for(serial)
                first = len(found.rows)
                for row in reported:
                    self._pack(row, meter_id, key.id, found)
                if len(found.rows) - first > MOST_FOR_INBOX:
                    found.direct = True
                found.ends.append(len(found.rows))
            saved = self._sort_in(found) if found.direct else self._put_in_inbox(found)
            for place, (key, serial, _, events) in enumerate(submissions):
                if events:
                    saved[place] = self._save_events(key, self._meter_ids[serial], events, saved[place])
            return saved

    def _remember_less(self) -> None:
        """Memory must not grow with the fleet."""
        for remembered in (self._last, self._latest_ms, self._meter_ids):
            if len(remembered) > MOST_REMEMBERED:
                remembered.clear()
                self._in_inbox = None

    def _meter_for(self, serial: str) -> int:
        """A meter's row number; whoever is not in the register comes into it: its readings must not be lost."""
        number = self.meter_id(serial)
        return self._register(serial) if number is None else number

    def _pack(self, row: RowToSave, meter_id: int, session_id: int, found: _Found) -> None:
        columns, values, archive, measured, received, order, status, event, quality, start, end = row
        if order is None:
            order = NO_ORDER
        layout = self._layout_of(columns)
        if archive == CURRENT:
            archive = layout.current
        place = (meter_id, archive)
        last = self._last.get(place) or self.load_last(place)
        latest_ms = self._latest_ms.get(place)
        if latest_ms is None:
            latest_ms = self._load_latest(place)
        marks = ""
        newer = is_newer(order, measured, received, quality, last)
        if newer:
            if layout.counters and last[LAYOUT] == layout.id and counts_back(values, last[VALS], layout.counters):
                marks = Quality.COUNTER_BACK
        elif order == last[ORDER] != NO_ORDER and measured != last[MEASURED]:
            marks = Quality.CONFLICT
            found.doubtful.add(len(found.rows))
        packed = (
            meter_id, archive, measured, order, 0, received, layout.id, packed_values(row), status, event, quality,
            marks, session_id, start, end, 0,
        )  # fmt: skip
        if newer:
            self._last[place] = found.newest[place] = packed
        if measured > latest_ms:
            self._latest_ms[place] = measured
        else:
            found.direct = True  # it may be there already
        found.newer.append(newer)
        found.rows.append(packed)

    def load_last(self, place: Place) -> PackedRow:
        row = self._waiting_at(place)[1] or self.connection.one(
            f"SELECT {ROW_COLUMNS} FROM last_row WHERE meter_id = ? AND archive = ?", place
        )
        last: PackedRow = row or _NOTHING_YET
        self._last[place] = last
        return last

    def _load_latest(self, place: Place) -> int:
        """When the latest row of an archive was measured, whichever of them is the newest."""
        sorted_in: int = self.connection.one(
            "SELECT COALESCE(MAX(measured_at_ms), ?) FROM archive_row WHERE meter_id = ? AND archive = ?",
            (EARLIEST, *place),
        )[0]
        latest_ms = self._latest_ms[place] = max(sorted_in, self._waiting_at(place)[0])
        return latest_ms

    def _waiting_at(self, place: Place) -> tuple[int, PackedRow | None]:
        """The latest time and the newest row of this archive in the inbox. It is looked through once for all that are
        not remembered; what comes to it later is remembered."""
        if self._in_inbox is None:
            self._in_inbox = {}
            for newest, *columns in self.connection.all(f"SELECT newest, {ROW_COLUMNS} FROM inbox_row ORDER BY place"):
                row: PackedRow = tuple(columns)
                latest_ms, before = self._in_inbox.get(row[:MEASURED], (EARLIEST, None))
                self._in_inbox[row[:MEASURED]] = max(latest_ms, row[MEASURED]), row if newest else before
        return self._in_inbox.get(place, (EARLIEST, None))

    def fold(self) -> None:
        """Puts what is in the inbox where it belongs."""
        super().fold()
        self._in_inbox = {}

    def _put_in_inbox(self, found: _Found) -> list[Saved]:
        """Keeps rows that are all new."""
        if self.waiting > MOST_IN_INBOX:
            self.fold()
        self.put_in_inbox(found.rows, found.newer)
        return _tally(found.ends, set(), found.doubtful)

    def _sort_in(self, found: _Found) -> list[Saved]:
        """Keeps rows of which some may be there already, or of which many lie side by side: in the archive itself."""
        self.fold()
        repeated, conflicts = self._insert(found.rows, found.doubtful)
        self.write_last(list(found.newest.values()))
        counts: Counter[int] = Counter()
        for row in found.rows:
            counts[row[SESSION]] += len(self._layout(row[LAYOUT]).columns)
        self.count_readings(counts)
        return _tally(found.ends, repeated, conflicts)

    def _insert(self, rows: Sequence[PackedRow], doubtful: set[int]) -> tuple[set[int], set[int]]:
        """Inserts rows; gives the places of those that were there already and of those in conflict."""
        repeated: set[int] = set()
        conflicts = set(doubtful)
        start = 0
        for portion, shape in portions(rows, ONE_ROW):
            self.connection.execute("SAVEPOINT portion")
            cursor = self.connection.execute(
                f"{INSERT_ROW}{shape} ON CONFLICT DO NOTHING", list(chain.from_iterable(portion))
            )
            if cursor.rowcount != len(portion):
                self.connection.execute("ROLLBACK TO portion")
                for place, row in enumerate(portion, start):
                    self._insert_one(place, row, repeated, conflicts)
            self.connection.execute("RELEASE portion")
            start += len(portion)
        return repeated, conflicts

    def _insert_one(self, place: int, row: PackedRow, repeated: set[int], conflicts: set[int]) -> None:
        if self.connection.execute(f"{INSERT_ROW}{ONE_ROW} ON CONFLICT DO NOTHING", row).rowcount:
            return
        conflicts.discard(place)
        stored = self.connection.all(
            "SELECT variant, layout_id, vals, status, event FROM archive_row WHERE meter_id = ? AND archive = ?"
            " AND measured_at_ms = ? AND order_number = ? AND variant >= 0 ORDER BY variant",
            row[:VARIANT],
        )
        for _, layout_id, *content in stored:
            if content == [row[VALS], row[STATUS], row[EVENT]] and self.same_meaning(layout_id, row[LAYOUT]):
                repeated.add(place)
                return
        variant = stored[-1][0] + 1
        self.connection.execute(
            INSERT_ROW + ONE_ROW,
            (*row[:VARIANT], variant, *row[RECEIVED:MARKS], with_mark(row[MARKS], Quality.CONFLICT), *row[SESSION:]),
        )
        conflicts.add(place)

    def same_meaning(self, one: int, other: int) -> bool:
        """Whether two layouts say the same of the same values, however the device names them."""
        if one == other:
            return True
        return [(column.quantity, column.unit) for column in self.columns_of(one)] == [
            (column.quantity, column.unit) for column in self.columns_of(other)
        ]

    def write_last(self, rows: list[PackedRow]) -> None:
        for portion, shape in portions(rows, ONE_ROW):
            self.connection.execute(
                f"INSERT INTO last_row ({ROW_COLUMNS}) VALUES {shape}{UPSERT_LAST}",
                list(chain.from_iterable(portion)),
            )

    def _save_events(self, key: SessionKey, meter_id: int, events: Sequence[EventToSave], saved: Saved) -> Saved:
        rows = [self.pack_event(event, meter_id, key.id, 0) for event in events]
        new = 0
        for portion, shape in portions(rows, ONE_EVENT):
            new += self.connection.execute(
                f"{INSERT_EVENT}{shape} ON CONFLICT DO NOTHING", list(chain.from_iterable(portion))
            ).rowcount
        return Saved(saved.new + new, saved.same + len(rows) - new, saved.conflicts)

    def pack_event(self, event: EventToSave, meter_id: int, session_id: int, codec_version_id: int) -> PackedEvent:
        """An event as the table has it."""
        order = NO_ORDER if event.order_number is None else event.order_number
        return (
            meter_id, event.measured_at_ms, order, event.code, 0, self._kind(event.code, event.text),
            event.received_at_ms, event.quality, session_id, event.span_start, event.span_end, codec_version_id,
        )  # fmt: skip

    def _kind(self, code: str, text: str) -> int:
        kind = self._kinds.get((code, text))
        if kind is None:
            row = self.connection.one("SELECT id FROM event_kind WHERE code = ? AND text = ?", (code, text))
            row = row or self.connection.one(
                "INSERT INTO event_kind (code, text) VALUES (?, ?) RETURNING id", (code, text)
            )
            kind = self._kinds[code, text] = row[0]
        return kind


def packed_values(row: RowToSave) -> str:
    """A row's values as one text. Raises `StoreError` if they are not as many as the row has columns."""
    if len(row.values) != len(row.columns):
        raise StoreError(f"a row of {len(row.columns)} columns came with {len(row.values)} values; the codec is wrong")
    packed = SEPARATOR.join(row.values)
    if packed.count(SEPARATOR) >= len(row.values) > 0:
        packed = SEPARATOR.join(value.replace(SEPARATOR, " ") for value in row.values)
    return packed


def unpacked(vals: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """The values of a packed row."""
    return tuple(vals.split(SEPARATOR)) if columns else ()


def is_newer(order: int, measured: int, received: int, quality: str, last: PackedRow) -> bool:
    """Whether a row becomes the newest of its archive: the device's own order decides where there is one.

    A lower order number with a later time is an archive that was cleared and counts anew. A row whose time cannot be
    true gives way to any other and is never newer by its time alone.
    """
    last_order = last[ORDER]
    if order > last_order != NO_ORDER or last[LAYOUT] == 0:
        return True
    if order == last_order != NO_ORDER:
        return False
    sound, last_sound = Quality.CLOCK_OFF not in quality, Quality.CLOCK_OFF not in last[QUALITY]
    if sound and last_sound:
        return (measured, received) > (last[MEASURED], last[RECEIVED])
    return sound


def counts_back(values: Sequence[str], before: str, counters: Sequence[int]) -> bool:
    old = before.split(SEPARATOR)
    for place in counters:
        value, was = values[place], old[place]
        if value == was or _is_no_less(value, was):
            continue
        try:
            if Decimal(value) < Decimal(was):
                return True
        except InvalidOperation:
            continue  # the meter reports text where it has no value
    return False


def _is_no_less(value: str, was: str) -> bool:
    """Whether this is so at first sight: digits in the same places, which is what a counter usually gives."""
    whole, _, rest = value.partition(".")
    old_whole, _, old_rest = was.partition(".")
    return (
        len(whole) == len(old_whole)
        and len(rest) == len(old_rest)
        and value >= was
        and (whole + rest + old_whole + old_rest).isdecimal()
    )


def with_mark(marks: str, mark: str) -> str:
    return marks if mark in marks.split() else f"{marks} {mark}".strip()


def _tally(ends: Sequence[int], repeated: set[int], conflicts: set[int]) -> list[Saved]:
    saved = []
    start = 0
    if not repeated and not conflicts:
        for end in ends:
            saved.append(_ONE_NEW if end - start == 1 else Saved(end - start))
            start = end
        return saved
    for end in ends:
        if repeated or conflicts:
            same = sum(place in repeated for place in range(start, end))
            other = sum(place in conflicts for place in range(start, end))
        else:
            same = other = 0
        saved.append(Saved(end - start - same - other, same, other))
        start = end
    return saved
