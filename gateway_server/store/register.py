"""The meter register: who is known, by which ways, and what is remembered of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlite_utils import Database

from gateway_server.errors import OperatorError, UnknownMeter
from gateway_server.model import EVENTS, Identify, KnownMeter, LastRow, MeterState, Quality
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.inbox import InboxQueries
from gateway_server.store.layouts import archive_name
from gateway_server.store.meter_rows import METER_COLUMNS, columns_of, laid_over, meter_record
from gateway_server.store.queries import Where, full_text, limited, marks, portions, serial_core
from gateway_server.store.records import Filter, MeterRecord, SessionKey
from gateway_server.store.zones import meter_clock, zone_of

_OPENED = ("tcp:", "serial:")
CALLER = "caller:"

_DEFAULT = MeterRecord(serial="")
_STATES = {state.value: state for state in MeterState}
_ROW = (
    "archive, measured_at_ms, order_number, variant, received_at_ms, layout_id, vals, status, event, quality, marks,"
    " session_id, span_start, span_end, codec_version_id"
)
_MOVED = {
    "archive_row": _ROW,
    "last_row": _ROW,
    "event": "measured_at_ms, order_number, code, variant, kind_id, received_at_ms, quality, session_id, span_start,"
    " span_end, codec_version_id",
    "memory": "name, value",
}


class RegisterQueries(InboxQueries):
    """Verbs of the register."""

    # reading it

    def meters(self, wanted: Filter = Filter()) -> list[MeterRecord]:  # noqa: B008  # a filter cannot be changed
        """The meters in the order of their serial numbers. ``search`` finds words (or their beginnings) of serial
        number, name, group, manufacturer and model."""
        where = Where()
        if wanted.serials:
            ids = [number for serial in wanted.serials if (number := self.meter_id(serial)) is not None]
            where.add(f"m.id IN ({marks(ids)})", *ids)
        where.among("m.state", wanted.states)
        where.between("c.last_ms", wanted.since_ms, wanted.until_ms)
        if wanted.search:
            where.add("m.id IN (SELECT rowid FROM meter_fts WHERE meter_fts MATCH ?)", full_text(wanted.search))
        order = "c.last_ms DESC" if wanted.newest_first else "m.serial"
        return self._records(
            f"SELECT {METER_COLUMNS}{where} ORDER BY {order}{limited(wanted.limit)}",
            where.parameters,
            every=not (wanted.serials or wanted.search or wanted.limit),
        )

    def meter(self, serial: str) -> MeterRecord | None:
        """One meter; its serial number is compared exactly, then without leading zeros."""
        number = self.meter_id(serial)
        return None if number is None else self._record(number)

    def meter_at(self, route: str) -> MeterRecord | None:
        """The meter known by this route (``caller:...``, ``tcp:...``)."""
        row = self.connection.one("SELECT meter_id FROM route WHERE route = ?", (route,))
        return None if row is None else self._record(row[0])

    def known_meter(self, serial: str) -> KnownMeter:
        """What a dialogue may know of a meter (its order left at the default). Times in the meter's own clock.

        Raises `UnknownMeter`, and `OperatorError` if its access code does not decrypt.
        """
        number = self.meter_id(serial)
        row = number and self.connection.one(
            "SELECT serial, state, address, time_zone, access_code FROM meter WHERE id = ?", (number,)
        )
        if not row:
            raise UnknownMeter(f"meter {serial} is not in the register; add it with `meter add {serial}`")
        serial, state, address, zone, sealed = row
        clock = meter_clock(zone)
        last = {
            archive_name(archive): LastRow(
                None if order_number < 0 else order_number,
                None if Quality.CLOCK_OFF in quality.split() else clock(measured_at_ms),
            )
            for archive, order_number, measured_at_ms, quality in self.connection.all(
                f"SELECT archive, order_number, measured_at_ms, quality FROM {self.last_from()} l WHERE meter_id = ?"
                " UNION ALL SELECT * FROM (SELECT ?, order_number, measured_at_ms, quality FROM event"
                " WHERE meter_id = ? ORDER BY measured_at_ms DESC, order_number DESC LIMIT 1) AS newest",
                (number, EVENTS, number),
            )
        }
        return KnownMeter(
            serial,
            claimed=state != MeterState.UNCLAIMED.value,
            access_code=self._vault.open(sealed, serial) if sealed is not None else "",
            memory=dict(self.connection.all("SELECT name, value FROM memory WHERE meter_id = ?", (number,))),
            last=last,
            address=address,
            zone=zone_of(zone),
        )

    # what meters say of themselves

    def identify(self, key: SessionKey, said: Identify, at_ms: int) -> MeterRecord:
        """The meter that answers to this serial number; one nobody knows yet is registered as unclaimed.

        The session becomes this meter's, and what its caller registered as becomes one of its routes: an entry that
        was made for it (`caller_contact`) is joined to the meter. A route of another meter in care stays where it is.
        """
        with self.connection.transaction("identify"):
            number = self.meter_id(said.serial)
            if number is None:
                number = self._register(said.serial)
            self._meet([(number, at_ms, at_ms)])
            self._join_caller(key.id, number)
            record = self._record(number)
            told = replace(
                record,
                manufacturer=said.manufacturer or record.manufacturer,
                model=said.model or record.model,
                software_version=said.software_version or record.software_version,
            )
            if told != record:
                self.connection.execute(
                    "UPDATE meter SET manufacturer = ?, model = ?, software_version = ? WHERE id = ?",
                    (told.manufacturer, told.model, told.software_version, number),
                )
            self.connection.execute("UPDATE session SET meter_id = ? WHERE id = ?", (number, key.id))
        return told

    def caller_contact(self, key: SessionKey, caller: str, at_ms: int) -> MeterRecord:
        """The meter known by what a caller registered as; a caller nobody knows is registered as an unclaimed meter
        whose serial number is its route, until `claim` binds it to a real one."""
        with self.connection.transaction("caller contact"):
            _, (number,) = self.callers([CallerContact(key, caller, at_ms)])
            self.note_callers({key: (number, caller)})
            return self._record(number)

    def callers(self, contacts: Sequence[CallerContact]) -> tuple[list[KnownCaller], list[int]]:
        """Who they are that called at the same time, in few statements: after an outage that is the whole fleet.

        Gives for each what is known of its meter, and the meter's row number for its session.
        """
        with self.connection.transaction("callers"):
            routes = [CALLER + contact.caller for contact in contacts]
            known: dict[str, tuple[KnownCaller, int]] = {}
            for some, shape in portions(list(dict.fromkeys(routes)), "?"):
                for route, number, serial, codec, profile, state in self.connection.all(
                    "SELECT r.route, m.id, m.serial, m.codec, m.profile, m.state FROM route r"
                    f" JOIN meter m ON m.id = r.meter_id WHERE r.route IN ({shape})",
                    some,
                ):
                    known[route] = KnownCaller(serial, codec, profile, _STATES[state]), number
            for route in routes:
                if route not in known:
                    known[route] = KnownCaller(route, "", "", MeterState.UNCLAIMED), self._register(route, (route,))
            found = [known[route] for route in routes]
            numbers = [number for _, number in found]
            times = [contact.at_ms for contact in contacts]
            self._meet(list({number: (number, at, at) for number, at in zip(numbers, times, strict=True)}.values()))
            return [caller for caller, _ in found], numbers

    def note_callers(self, callers: Mapping[SessionKey, tuple[int, str]]) -> None:
        """Notes in sessions that were begun before who calls: the row number of the meter, and what it is called."""
        with self.connection.transaction("note callers"):
            told = [(key.id, number, caller) for key, (number, caller) in callers.items()]
            for sessions, shape in portions(told, "(?, ?, ?)"):
                self.connection.execute(
                    "UPDATE session SET meter_id = c.column2, caller = c.column3"
                    f" FROM (VALUES {shape}) AS c WHERE session.id = c.column1",
                    list(chain.from_iterable(sessions)),
                )

    def remember(self, serial: str, name: str, value: str) -> None:
        """Keeps a fact of this meter for its next session. Raises `UnknownMeter`."""
        with self.connection.transaction("remember"):
            self.connection.execute(
                "INSERT INTO memory (meter_id, name, value) VALUES (?, ?, ?)"
                " ON CONFLICT (meter_id, name) DO UPDATE SET value = excluded.value",
                (self._require(serial), name, value),
            )

    # what operators decide

    def put_meter(self, meter: MeterRecord, access_code: str | None = None) -> None:
        """Adds or replaces a meter with its routes; an access code is encrypted, None leaves the stored one, an empty
        one removes it. Raises `OperatorError` if a route belongs to another meter."""
        with self.connection.transaction("put meter"):
            self.put_meters([(meter, access_code)])

    def put_meters(self, meters: Iterable[tuple[MeterRecord, str | None]]) -> None:
        """Adds or replaces many meters with their routes and access codes; all of them or none."""
        meters = list(meters)
        with self.connection.transaction("put meters"):
            stored = {meter.serial: self._stored_serial(meter.serial) for meter, _ in meters}
            Database(self.connection.raw, recursive_triggers=False, execute_plugins=False).table("meter").upsert_all(
                [columns_of(replace(meter, serial=stored[meter.serial])) for meter, _ in meters],
                pk="serial",
            )
            self._meter_ids.clear()
            for meter, access_code in meters:
                number = self._require(stored[meter.serial])
                self._put_routes(number, meter)
                if access_code is not None:
                    sealed = self._vault.seal(access_code, stored[meter.serial]) if access_code else None
                    self.connection.execute("UPDATE meter SET access_code = ? WHERE id = ?", (sealed, number))

    def claim(self, serial: str, meter: MeterRecord | None = None) -> MeterRecord:
        """Takes an unclaimed meter into care, with ``meter`` as what is known of it now.

        A caller that never said its serial number (``caller:ID``) becomes the meter ``meter.serial``: a new one, or one
        that the register has; its sessions and whatever was read in them go with it, and its route leads there.
        Raises `UnknownMeter`, `OperatorError`.
        """
        with self.connection.transaction("claim"):
            number = self._require(serial)
            record = self._record(number)
            if record.state is not MeterState.UNCLAIMED:
                raise OperatorError(f"meter {record.serial} is {record.state.value}, not unclaimed; nothing to claim")
            wanted = replace(meter or record, state=MeterState.ACTIVE)
            if wanted.serial.startswith(CALLER):
                raise OperatorError(f"{record.serial} never said its serial number; claim it with the meter's number")
            target = self.meter_id(wanted.serial)
            known = wanted.routes + record.routes
            if target is not None and target != number:
                wanted, known = laid_over(self._record(target), record, wanted), known + self._record(target).routes
            wanted = replace(wanted, routes=tuple(dict.fromkeys(known)))
            if target is None:
                self.connection.execute(
                    "UPDATE meter SET serial = ?, serial_core = ?, access_code = NULL WHERE id = ?",
                    (wanted.serial, serial_core(wanted.serial), number),
                )
            elif target != number:
                self._move(number, target)
            self._meter_ids.clear()
            self.put_meter(wanted)
            claimed = self.meter(wanted.serial)
            assert claimed is not None
            return claimed

    def set_meter_state(self, serial: str, state: MeterState) -> None:
        """Switches a meter on or off. Raises `UnknownMeter`."""
        with self.connection.transaction("meter state"):
            self.connection.execute("UPDATE meter SET state = ? WHERE id = ?", (state.value, self._require(serial)))

    # inside

    def _require(self, serial: str) -> int:
        number = self.meter_id(serial)
        if number is None:
            raise UnknownMeter(f"meter {serial} is not in the register; add it with `meter add {serial}`")
        return number

    def _register(self, serial: str, routes: Sequence[str] = ()) -> int:
        meter = replace(_DEFAULT, serial=serial, state=MeterState.UNCLAIMED, routes=tuple(routes))
        columns = columns_of(meter)
        number = int(
            self.connection.one(
                f"INSERT INTO meter ({', '.join(columns)}) VALUES ({marks(tuple(columns))}) RETURNING id",
                tuple(columns.values()),
            )[0]
        )
        self._meter_ids[serial] = number
        self._put_routes(number, meter)
        return number

    def _meet(self, meters: Sequence[tuple[int, int, int]]) -> None:
        for some, shape in portions(meters, "(?, ?, ?)"):
            self.connection.execute(
                f"INSERT INTO contact (meter_id, first_ms, last_ms) VALUES {shape}"
                " ON CONFLICT (meter_id) DO UPDATE SET last_ms = excluded.last_ms",
                list(chain.from_iterable(some)),
            )

    def _join_caller(self, session_id: int, number: int) -> None:
        """The caller that registered in this session is this meter's from now on, if it was nobody's yet: an entry
        of its own becomes this meter, another unclaimed meter gives its route away."""
        owner = self.connection.one(
            "SELECT r.route, m.id, m.serial FROM session s JOIN route r ON r.route = ? || s.caller"
            " JOIN meter m ON m.id = r.meter_id WHERE s.id = ? AND s.caller <> '' AND m.id <> ? AND m.state = ?",
            (CALLER, session_id, number, MeterState.UNCLAIMED.value),
        )
        if owner is None:
            return
        route, before, serial = owner
        if serial == route:
            self._move(before, number)
            self._meter_ids.clear()
        self.connection.execute("DELETE FROM route WHERE route = ?", (route,))
        self.connection.execute(
            "INSERT INTO route (route, meter_id, place) SELECT ?, ?, COALESCE(MAX(place) + 1, 0) FROM route"
            " WHERE meter_id = ?",
            (route, number, number),
        )

    def _put_routes(self, number: int, meter: MeterRecord) -> None:
        for route in meter.routes:
            other = self.connection.one(
                "SELECT m.serial FROM route r JOIN meter m ON m.id = r.meter_id WHERE r.route = ? AND m.id <> ?",
                (route, number),
            )
            if other:
                bus = "; the others of a bus are read with --via" if route.startswith(_OPENED) else ""
                raise OperatorError(f"meter {meter.serial}: route {route} already leads to meter {other[0]}{bus}")
        self.connection.execute("DELETE FROM route WHERE meter_id = ?", (number,))
        self.connection.executemany(
            "INSERT INTO route (route, meter_id, place) VALUES (?, ?, ?)",
            [(route, number, place) for place, route in enumerate(dict.fromkeys(meter.routes))],
        )

    def _stored_serial(self, serial: str) -> str:
        number = self.meter_id(serial)
        if number is None:
            return serial
        return str(self.connection.one("SELECT serial FROM meter WHERE id = ?", (number,))[0])

    def _move(self, number: int, target: int) -> None:
        """Gives everything of one meter to another and forgets the first."""
        self.fold()
        for table, columns in _MOVED.items():
            # what both have of the same key stays the target's, which said its serial number
            self.connection.execute(
                f"INSERT INTO {table} (meter_id, {columns}) SELECT ?, {columns} FROM {table} WHERE meter_id = ?"
                " ON CONFLICT DO NOTHING",
                (target, number),
            )
            self.connection.execute(f"DELETE FROM {table} WHERE meter_id = ?", (number,))
        for table in ("session", "file"):
            self.connection.execute(f"UPDATE {table} SET meter_id = ? WHERE meter_id = ?", (target, number))
        self.connection.execute(
            "INSERT INTO contact (meter_id, first_ms, last_ms) SELECT ?, first_ms, last_ms FROM contact"
            " WHERE meter_id = ? ON CONFLICT (meter_id) DO UPDATE SET first_ms = MIN(first_ms, excluded.first_ms),"
            " last_ms = MAX(last_ms, excluded.last_ms)",
            (target, number),
        )
        for table in ("contact", "route"):
            self.connection.execute(f"DELETE FROM {table} WHERE meter_id = ?", (number,))
        self.connection.execute("DELETE FROM meter WHERE id = ?", (number,))
        self.forget()

    def _record(self, number: int) -> MeterRecord:
        return self._records(f"SELECT {METER_COLUMNS} WHERE m.id = ?", (number,))[0]

    def _records(self, query: str, parameters: Sequence[Any], *, every: bool = False) -> list[MeterRecord]:
        rows = self.connection.all(query, parameters)
        routes: defaultdict[int, list[str]] = defaultdict(list)
        if every:
            for number, route in self.connection.stream("SELECT meter_id, route FROM route ORDER BY meter_id, place"):
                routes[number].append(route)
        else:
            for ids, shape in portions([row[0] for row in rows], "?"):
                for number, route in self.connection.all(
                    f"SELECT meter_id, route FROM route WHERE meter_id IN ({shape}) ORDER BY meter_id, place", ids
                ):
                    routes[number].append(route)
        return [meter_record(row, tuple(routes[row[0]])) for row in rows]
