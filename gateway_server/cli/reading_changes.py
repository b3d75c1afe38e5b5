"""Change logs for people: a change is one line, although it is stored as readings like any archive's row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import local, rfc3339
from gateway_server.cli.reading_export import Sheet
from gateway_server.model import CHANGES, Quality
from gateway_server.store.records import StoredRow

CALIBRATION = "calibration"
CHANGE_LOGS = frozenset({CHANGES, CALIBRATION})
COLUMNS = (
    "meter",
    "archive",
    "order_number",
    "measured_at",
    "address",
    "what",
    "old",
    "new",
    "quality",
    "received_at",
    "session",
)


class StoredChange(NamedTuple):
    """One entry of a change log: ``what`` is the object at ``address`` in words, empty for one nobody knows.

    Of a meter whose log has no addresses ``what`` is all it says.
    """

    meter: str
    archive: str
    order_number: int | None
    measured_at_ms: int
    received_at_ms: int
    address: str
    what: str
    old: str
    new: str
    quality: str
    session: int


def changes(rows: Iterable[StoredRow]) -> Iterator[StoredChange]:
    """The rows of change logs as changes."""
    for stored in rows:
        row = stored.row
        told = {column.quantity: value for column, value in zip(row.columns, row.values, strict=True)}
        yield StoredChange(
            stored.meter,
            row.archive,
            row.order_number,
            row.measured_at_ms,
            row.received_at_ms,
            told.get("changed_address", ""),
            told.get("changed_object", "") if "changed_address" in told else _all(told),
            told.get("old_value", ""),
            told.get("new_value", ""),
            row.quality,
            stored.session,
        )


def _all(told: dict[str, str]) -> str:
    return "; ".join(f"{quantity} {value}" for quantity, value in told.items() if value)


def change_json(change: StoredChange) -> dict[str, JsonValue]:
    """A change by the names of its columns."""
    return {
        "meter": change.meter,
        "archive": change.archive,
        "order_number": change.order_number,
        "measured_at": rfc3339(change.measured_at_ms),
        "address": change.address,
        "what": change.what,
        "old": change.old,
        "new": change.new,
        "quality": change.quality or Quality.GOOD,
        "received_at": rfc3339(change.received_at_ms),
        "session": change.session,
    }


CHANGE_LOG: Sheet[StoredChange] = Sheet("changes", COLUMNS, change_json)


def change_listing(zones: Zones) -> Listing[StoredChange]:
    """How changes are listed."""

    def cells(change: StoredChange) -> tuple[str, ...]:
        return (
            change.meter,
            "" if change.order_number is None else str(change.order_number),
            local(change.measured_at_ms, zones.of(change.meter)),
            change.address,
            change.what,
            change.old,
            change.new,
            str(change.session),
        )

    headings = ("meter", "number", "measured", "address", "what", "old", "new", "session")
    return Listing("changes", change_json, headings, cells, frozenset({"number", "session"}))
