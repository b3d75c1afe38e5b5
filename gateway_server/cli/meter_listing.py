"""Meters as lists and documents show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway_server.cli.invocation import zone
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import local, rfc3339
from gateway_server.scheduler.completeness import Completeness
from gateway_server.store.meter_rows import gas_day
from gateway_server.store.records import MeterRecord


def meter_json(record: MeterRecord) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
    return {
        "serial": record.serial,
        "name": record.name,
        "codec": record.codec,
        "profile": record.profile,
        "routes": list(record.routes),
        "time_zone": record.time_zone,
        "gas_day_start": gas_day(record)[0],
        "state": record.state.value,
        "last_contact": rfc3339(record.last_contact_ms),
        "first_contact": rfc3339(record.first_contact_ms),
        "group": record.group,
        "manufacturer": record.manufacturer,
        "model": record.model,
        "software_version": record.software_version,
        "address": record.address,
        "has_access_code": record.has_access_code,
        "gas_day_from": gas_day(record)[1],
    }


def meter_listing(
    parts: Callable[[MeterRecord], Sequence[Completeness]], *, in_json: bool, now_ms: int
) -> Listing[MeterRecord]:
    """How meters are listed. ``parts`` tells how whole one is; documents have it only if it was asked for."""

    def document(record: MeterRecord) -> dict[str, JsonValue]:
        if not in_json:
            return meter_json(record)
        return {**meter_json(record), "completeness": [part_json(part, now_ms) for part in parts(record)]}

    def cells(record: MeterRecord) -> tuple[str, ...]:
        return (
            record.serial,
            record.state.value,
            local(record.last_contact_ms, zone(record.time_zone)) or "never",
            least_whole(parts(record)),
            " ".join(filter(None, (record.manufacturer, record.model, record.software_version))) or record.profile,
            record.codec,
            record.group,
            record.name,
            ", ".join(record.routes),
        )

    headings = ("serial", "state", "last contact", "complete", "model", "codec", "group", "name", "routes")
    return Listing("meters", document, headings, cells, frozenset({"complete"}))


def part_json(part: Completeness, now_ms: int) -> dict[str, JsonValue]:
    """One archive in short; `meter show` has the holes."""
    return {
        "archive": part.archive,
        "percent": str(part.percent),
        "missing": part.missing,
        "oldest_missing": rfc3339(part.oldest_ms),
        "oldest_missing_age_s": None if part.oldest_ms is None else (now_ms - part.oldest_ms) // 1000,
    }


def least_whole(parts: Sequence[Completeness]) -> str:
    """The percentage of the archive that lacks most; empty if nothing is expected."""
    least = min((part.percent for part in parts if part.expected), default=None)
    return "" if least is None else f"{least} %"
