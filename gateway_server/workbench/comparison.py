"""What a session or a file tells today, compared with what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway_server.model import Quality, Saved
from gateway_server.store.records import EventToSave, Filter, RowToSave, StoredEvent, StoredRow
from gateway_server.store.store import Store
from gateway_server.workbench.extents import Extents
from gateway_server.workbench.readings import rfc3339
from gateway_server.workbench.told import Told

MOST_CHANGES_TOLD = 1000
MOST_NOTES_TOLD = 100
_MARKS_OF_THE_STORE = frozenset({Quality.CONFLICT, Quality.COUNTER_BACK})

_RowKey = tuple[str, int, int | None]
_EventKey = tuple[str, int, int | None]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is read otherwise than it is stored.

    ``what`` is the device's name of a column (else its quantity), ``quantity of`` such a name, ``status``, ``event``,
    ``quality``, ``measured_at``, ``order_number``, or the ``text`` of an event, whose archive is ``events``. The time
    and order number are those of the stored row.
    """

    archive: str
    measured_at_ms: int
    order_number: int | None
    what: str
    old: str
    new: str


@dataclass(slots=True)
class SessionReadAgain:
    """What reading one session again gave. Counts are of rows and events.

    ``new`` were not stored, ``changed`` were stored otherwise (``changes`` says how, the first thousand),
    ``conflicts`` contradict what another session brought, ``gone`` are stored from this session but not read from it
    any more (they stay). ``skipped`` says why a session was not read again at all.
    """

    session: int
    meter: str = ""
    codec: str = ""
    codec_version: str = ""
    old_version: str = ""
    new: int = 0
    same: int = 0
    changed: int = 0
    conflicts: int = 0
    gone: int = 0
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def no_change(self) -> bool:
        """Whether the store says of this session exactly what today's codec says."""
        return not (self.new or self.changed or self.conflicts or self.gone)

    def note(self, text: str) -> None:
        """Adds a remark, once, unless there are too many."""
        if len(self.notes) < MOST_NOTES_TOLD and text not in self.notes:
            self.notes.append(text)


class Comparison:
    """Compares what a source tells today with what is stored of it, portion by portion, before each is saved.

    The source is one session, or one file, whose bytes came in ``sessions``.
    """

    def __init__(
        self, store: Store, sessions: Sequence[int], serial: str, result: SessionReadAgain, extents: Extents
    ) -> None:
        self._store = store
        self._sessions = tuple(sessions)
        self._serial = serial
        self._result = result
        self._extents = extents
        self._told: set[int] = set()
        self._moved: set[_RowKey] = set()
        self._by_span: dict[tuple[str, int, int, int], list[StoredRow]] | None = None
        self._saved = Saved()

    def compare(self, rows: Sequence[RowToSave], events: Sequence[EventToSave], sessions: Sequence[int] = ()) -> None:
        """Notes what is told otherwise than it is stored; ``sessions`` says for each row where it came, if in several.

        Byte spans are those of the session.
        """
        self._compare_rows(rows, sessions or [self._sessions[-1]] * len(rows))
        self._compare_events(events)

    def told_before(self, rows: list[RowToSave], events: list[EventToSave], told: Told) -> None:
        """Takes out what would be stored by now, had anything been stored: that is the same again."""
        before = len(rows) + len(events)
        self._told.update(hash(_key(row)) for row in told.take_out(self._serial, rows, events))
        self.count(Saved(same=before - len(rows) - len(events)))

    def count(self, saved: Saved) -> None:
        """What saving the portion did."""
        before = self._saved
        self._saved = Saved(before.new + saved.new, before.same + saved.same, before.conflicts + saved.conflicts)

    def end(self) -> None:
        """Completes the result when everything was told."""
        self._gone()
        self._result.new = max(0, self._saved.new - self._result.changed)
        self._result.same = self._saved.same
        self._result.conflicts = self._saved.conflicts

    # rows

    def _compare_rows(self, rows: Sequence[RowToSave], sessions: Sequence[int]) -> None:
        for archive in dict.fromkeys(row.archive for row in rows):
            told = [(row, session) for row, session in zip(rows, sessions, strict=True) if row.archive == archive]
            keys = {_key(row) for row, _ in told}
            stored: dict[_RowKey, list[StoredRow]] = {}
            times = [row.measured_at_ms for row, _ in told]
            self._extents.widen(self._serial, self._sessions, min(times), max(times))
            wanted = Filter(serials=(self._serial,), archives=(archive,), since_ms=min(times), until_ms=max(times))
            for one in self._store.rows(wanted):
                if (key := _key(one.row)) in keys:
                    stored.setdefault(key, []).append(one)
            for row, session in told:
                self._told.add(hash(_key(row)))
                self._compare_row(row, session, stored.get(_key(row), []), keys)

    def _compare_row(self, row: RowToSave, session: int, stored: Sequence[StoredRow], keys: set[_RowKey]) -> None:
        if not stored:
            for before in self._from_the_same_bytes(row, session):
                if (key := _key(before.row)) not in keys and key not in self._moved:
                    self._moved.add(key)
                    self._changed(before.row, row)
            return
        if any(_same(one, row, self._sessions) for one in stored):
            return
        # Live values share their time and have no number: what they are told apart by is where their bytes stand.
        own = [one for one in stored if one.session in self._sessions]
        ours = min(
            own, key=lambda one: (one.row.span_start, one.row.span_end) != (row.span_start, row.span_end), default=None
        )
        before = ours or stored[0]
        if ours or (before.codec, before.codec_version) != (self._result.codec, self._result.codec_version):
            self._changed(before.row, row)

    def _from_the_same_bytes(self, row: RowToSave, session: int) -> list[StoredRow]:
        if row.span_start >= row.span_end:
            return []
        if self._by_span is None:
            self._by_span = {}
            for one in self._stored_from_here():
                span = (one.row.archive, one.session, one.row.span_start, one.row.span_end)
                self._by_span.setdefault(span, []).append(one)
        return self._by_span.get((row.archive, session, row.span_start, row.span_end), [])

    def _stored_from_here(self) -> Iterator[StoredRow]:
        extent = self._extents.of(self._serial, self._sessions)
        if extent is None:
            return iter(())
        since_ms, until_ms = extent
        wanted = Filter(serials=(self._serial,), sessions=self._sessions, since_ms=since_ms, until_ms=until_ms)
        return self._store.rows(wanted)

    def _changed(self, before: RowToSave, row: RowToSave) -> None:
        self._result.changed += 1
        room = MOST_CHANGES_TOLD - len(self._result.changes)
        self._result.changes.extend(_changes(before, row)[:room])

    def _gone(self) -> None:
        for one in self._stored_from_here():
            key = _key(one.row)
            if hash(key) not in self._told and key not in self._moved:
                self._result.gone += 1

    # events

    def _compare_events(self, events: Sequence[EventToSave]) -> None:
        if not events:
            return
        keys = {_event_key(event) for event in events}
        times = [event.measured_at_ms for event in events]
        wanted = Filter(serials=(self._serial,), since_ms=min(times), until_ms=max(times))
        stored: dict[_EventKey, StoredEvent] = {}
        for one in self._store.events(wanted):
            if (key := _event_key(one)) in keys:
                stored[key] = one
        for event in events:
            before = stored.get(_event_key(event))
            if before is not None and before.text != event.text and before.session in self._sessions:
                self._result.changed += 1
                if len(self._result.changes) < MOST_CHANGES_TOLD:
                    self._result.changes.append(
                        Change("events", event.measured_at_ms, event.order_number, "text", before.text, event.text)
                    )


def _key(row: RowToSave) -> _RowKey:
    return row.archive, row.measured_at_ms, row.order_number


def _event_key(event: EventToSave | StoredEvent) -> _EventKey:
    return event.code, event.measured_at_ms, event.order_number


def _same(stored: StoredRow, row: RowToSave, sessions: Sequence[int]) -> bool:
    """Whether a stored row needs no other: to the letter from the same session, in its values from another."""
    old = stored.row
    if (old.values, old.status, old.event) != (row.values, row.status, row.event):
        return False
    if stored.session in sessions:
        return old.columns == row.columns and _doubts(old) == _doubts(row)
    return [(one.quantity, one.unit) for one in old.columns] == [(one.quantity, one.unit) for one in row.columns]


def _changes(old: RowToSave, new: RowToSave) -> list[Change]:
    was, is_ = _told(old), _told(new)
    return [
        Change(old.archive, old.measured_at_ms, old.order_number, what, was.get(what, ""), is_.get(what, ""))
        for what in dict.fromkeys([*was, *is_])
        if was.get(what, "") != is_.get(what, "")
    ]


def _told(row: RowToSave) -> dict[str, str]:
    """A row as what a person reads of it, by the device's names."""
    told: dict[str, str] = {}
    for column, value in zip(row.columns, row.values, strict=True):
        name = column.name or column.quantity or column.source
        told[name] = f"{value} {column.unit}".rstrip()
        told[f"quantity of {name}"] = f"{column.quantity} {column.obis}".rstrip()
    told["status"] = row.status
    told["event"] = row.event
    told["quality"] = " ".join(sorted(_doubts(row)))
    told["measured_at"] = rfc3339(row.measured_at_ms)
    told["order_number"] = "" if row.order_number is None else str(row.order_number)
    return told


def _doubts(row: RowToSave) -> frozenset[str]:
    """The codec's own doubts; the store's are not the codec's to take back."""
    return frozenset(row.quality.split()) - _MARKS_OF_THE_STORE
