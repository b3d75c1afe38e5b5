"""Listing what meters reported."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Any

from gateway_server.model import CURRENT
from gateway_server.store.archive import EARLIEST, NO_ORDER, ArchiveQueries, unpacked
from gateway_server.store.layouts import LIVE, archive_name
from gateway_server.store.queries import Where, full_text, limited, marks
from gateway_server.store.records import Filter, RowToSave, StoredEvent, StoredReading, StoredRow

_ROW = (
    "measured_at_ms, order_number, variant, received_at_ms, layout_id, vals, status, event, quality, marks,"
    " session_id, span_start, span_end, codec_version_id"
)
_TIME = attrgetter("row.measured_at_ms")

_Codecs = dict[tuple[int, int], tuple[str, str]]  # by session and codec version


class ReadingQueries(ArchiveQueries):
    """Verbs that list rows, readings and events."""

    def rows(self, wanted: Filter = Filter()) -> Iterator[StoredRow]:  # noqa: B008  # a filter cannot be changed
        """Stored rows by meter, archive and time; with ``newest_first`` by time alone, latest first.

        Rows that a newer codec version replaced are left out.
        """
        return islice(self._rows(wanted), wanted.limit)

    def readings(self, wanted: Filter = Filter()) -> Iterator[StoredReading]:  # noqa: B008
        """The same, one value each; ``quantities`` and ``limit`` speak of values."""
        # rows without the wanted quantities do not count
        rows = self._rows(replace(wanted, limit=None) if wanted.quantities else wanted)
        return islice(self._expanded(rows, wanted.quantities), wanted.limit)

    def last_readings(self, wanted: Filter = Filter()) -> Iterator[StoredReading]:  # noqa: B008
        """The newest row of every meter and archive, from the side table."""
        return islice(self._expanded(self._last_rows(wanted), wanted.quantities), wanted.limit)

    def session_extents(self, serial: str) -> dict[int, tuple[int, int]]:
        """When the first and the last row of each session that brought rows of this meter were measured."""
        return {
            session: (since, until)
            for session, since, until in self.connection.all(
                f"SELECT session_id, MIN(measured_at_ms), MAX(measured_at_ms) FROM {self.rows_from()}"
                " WHERE meter_id = ? AND variant >= 0 GROUP BY session_id",
                (self.meter_id(serial),),
            )
        }

    def events(self, wanted: Filter = Filter()) -> Iterator[StoredEvent]:  # noqa: B008
        """Entries of event logs by time; ``search`` finds words (or their beginnings) of code and text."""
        where = Where()
        where.add("e.variant >= 0")
        if wanted.serials:
            where.among("e.meter_id", self._wanted_meters(wanted))
        where.between("e.measured_at_ms", wanted.since_ms, wanted.until_ms)
        where.among("e.session_id", wanted.sessions)
        if wanted.search:
            where.add(
                "e.kind_id IN (SELECT rowid FROM event_kind_fts WHERE event_kind_fts MATCH ?)", full_text(wanted.search)
            )
        direction = "DESC" if wanted.newest_first else "ASC"
        order = f"e.measured_at_ms {direction}, e.order_number {direction}"
        if not wanted.newest_first:
            order = f"e.meter_id, {order}"
        for row in self.connection.stream(
            "SELECT m.serial, e.code, k.text, e.measured_at_ms, e.received_at_ms, NULLIF(e.order_number, -1),"
            " e.quality, e.session_id, e.span_start, e.span_end, COALESCE(v.codec, s.codec, ''),"
            " COALESCE(v.version, s.codec_version, '') FROM event e"
            " JOIN meter m ON m.id = e.meter_id JOIN event_kind k ON k.id = e.kind_id"
            " LEFT JOIN session s ON s.id = e.session_id LEFT JOIN codec_version v ON v.id = e.codec_version_id"
            f"{where} ORDER BY {order}{limited(wanted.limit)}",
            where.parameters,
        ):
            yield StoredEvent(*row)

    def _wanted_meters(self, wanted: Filter) -> list[int]:
        return [number for serial in wanted.serials if (number := self.meter_id(serial)) is not None] or [-1]

    def _rows(self, wanted: Filter) -> Iterator[StoredRow]:
        where = Where()
        if wanted.serials:
            where.among("l.meter_id", self._wanted_meters(wanted))
        elif wanted.sessions:
            where.add(
                f"l.meter_id IN (SELECT meter_id FROM session WHERE id IN ({marks(wanted.sessions)}))", *wanted.sessions
            )
        _add_archives(where, wanted.archives)
        # every archive that has rows has a newest one: the side table is the list of what there is
        places = (
            f"SELECT m.serial, l.meter_id, l.archive FROM {self.last_from()} l JOIN meter m ON m.id = l.meter_id{where}"
        )
        if wanted.newest_first and wanted.limit is not None and not wanted.sessions:
            archives = self._latest(places, where.parameters, wanted)
        else:
            archives = self.connection.all(f"{places} ORDER BY m.serial, l.archive", where.parameters)
        codecs: _Codecs = {}
        parts = (self._part(archive, wanted, codecs) for archive in archives)
        if wanted.newest_first:
            return heapq.merge(*parts, key=_TIME, reverse=True)
        named = zip(archives, parts, strict=True)
        return chain.from_iterable(
            heapq.merge(*(part for _, part in same), key=_TIME)
            for _, same in groupby(named, lambda one: (one[0][0], archive_name(one[0][2])))
        )

    def _latest(self, places: str, parameters: Sequence[Any], wanted: Filter) -> list[tuple[str, int, str]]:
        """The archives whose own latest row is among the latest of all: so many as rows are wanted hold them all."""
        bounds = Where()
        bounds.add("a.meter_id = p.meter_id AND a.archive = p.archive AND a.variant >= 0")
        bounds.between("a.measured_at_ms", wanted.since_ms, wanted.until_ms)
        latest = f"SELECT a.measured_at_ms FROM {self.rows_from()} a{bounds} ORDER BY a.measured_at_ms DESC LIMIT 1"
        return self.connection.all(
            f"SELECT serial, meter_id, archive FROM (SELECT p.*, COALESCE(({latest}), {EARLIEST}) AS latest"
            f" FROM ({places}) p) q ORDER BY latest DESC, serial, archive{limited(wanted.limit)}",
            (*bounds.parameters, *parameters),
        )

    def _part(self, place: tuple[str, int, str], wanted: Filter, codecs: _Codecs) -> Iterator[StoredRow]:
        """The wanted rows of one archive of one meter: they lie together, in order."""
        serial, meter_id, archive = place
        where = Where()
        where.add("meter_id = ? AND archive = ? AND variant >= 0", meter_id, archive)
        where.between("measured_at_ms", wanted.since_ms, wanted.until_ms)
        where.among("session_id", wanted.sessions)
        way = "DESC" if wanted.newest_first else "ASC"
        rows = self.connection.stream(
            f"SELECT {_ROW} FROM {self.rows_from()}{where}"
            f" ORDER BY measured_at_ms {way}, order_number {way}, variant {way}{limited(wanted.limit)}",
            where.parameters,
        )
        return self._stored(((serial, archive, *row) for row in rows), codecs)

    def _last_rows(self, wanted: Filter) -> Iterator[StoredRow]:
        """The wanted newest rows: one query for all meters."""
        where = Where()
        if wanted.serials:
            where.among("l.meter_id", self._wanted_meters(wanted))
        _add_archives(where, wanted.archives)
        where.between("l.measured_at_ms", wanted.since_ms, wanted.until_ms)
        where.among("l.session_id", wanted.sessions)
        order = "l.measured_at_ms DESC" if wanted.newest_first else "m.serial, l.archive"
        codecs: _Codecs = {}
        columns = ", ".join(f"l.{column}" for column in _ROW.split(", "))
        rows = self.connection.all(
            f"SELECT m.serial, l.archive, {columns}, s.codec, s.codec_version FROM {self.last_from()} l"
            f" JOIN meter m ON m.id = l.meter_id JOIN session s ON s.id = l.session_id{where} ORDER BY {order}",
            where.parameters,
        )
        for row in rows:
            codecs[row[12], 0] = row[-2:]
        return self._stored((row[:-2] for row in rows), codecs)

    def _stored(self, rows: Iterable[Sequence[Any]], codecs: _Codecs) -> Iterator[StoredRow]:
        layouts = self._by_id
        for (
            serial, archive, measured, order, variant, received, layout_id, vals, status, event, quality, doubts,
            session, start, end, by,
        ) in rows:  # fmt: skip
            codec = codecs.get((session, by))
            if codec is None:
                codec = codecs[session, by] = self._codec(session, by)
            layout = layouts.get(layout_id) or self._layout(layout_id)
            yield StoredRow(
                serial,
                RowToSave(
                    layout.columns, unpacked(vals, layout.columns), archive_name(archive), measured, received,
                    None if order == NO_ORDER else order, status, event,
                    merged(quality, doubts) if doubts else quality, start, end,
                ),
                session, codec[0], codec[1], variant,
            )  # fmt: skip

    def _codec(self, session: int, codec_version_id: int) -> tuple[str, str]:
        if codec_version_id:
            row: Sequence[Any] = self.connection.one(
                "SELECT codec, version FROM codec_version WHERE id = ?", (codec_version_id,)
            )
        else:
            row = self.connection.one("SELECT codec, codec_version FROM session WHERE id = ?", (session,))
        return (row[0], row[1]) if row else ("", "")

    def _expanded(self, rows: Iterator[StoredRow], quantities: tuple[str, ...]) -> Iterator[StoredReading]:
        for meter, row, session, codec, codec_version, _ in rows:
            for column, value in zip(row.columns, row.values, strict=True):
                if quantities and column.quantity not in quantities:
                    continue
                yield StoredReading(
                    meter, column.quantity, column.obis, column.name, value, column.unit, row.measured_at_ms,
                    row.received_at_ms, row.archive, row.order_number, row.status, row.event, row.quality, session,
                    row.span_start, row.span_end, codec, codec_version,
                )  # fmt: skip


def _add_archives(where: Where, archives: tuple[str, ...]) -> None:
    if CURRENT in archives:
        where.add(f"(l.archive LIKE '{LIVE}%' OR l.archive IN ({marks(archives)}))", *archives)
    else:
        where.among("l.archive", archives)


def merged(quality: str, doubts: str) -> str:
    """The codec's doubts and the store's own, each once."""
    return " ".join(dict.fromkeys(f"{quality} {doubts}".split()))
