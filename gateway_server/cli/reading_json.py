"""Readings and events as the contract's JSON."""

from __future__ import annotations

from gateway_server.cli.invocation import Zones
from gateway_server.cli.listing import JsonValue, Listing
from gateway_server.cli.moments import local, rfc3339
from gateway_server.errors import cut
from gateway_server.model import EVENTS, Quality
from gateway_server.store.records import StoredEvent, StoredReading


def reading_json(reading: StoredReading) -> dict[str, JsonValue]:
    """The contract's fields, then ours. ``span`` is where its bytes stand in what its session received."""
    return {
        "meter": reading.meter,
        "quantity": reading.quantity,
        "obis": reading.obis,
        "value": reading.value,
        "unit": reading.unit,
        "measured_at": rfc3339(reading.measured_at_ms),
        "received_at": rfc3339(reading.received_at_ms),
        "archive": reading.archive,
        "order_number": reading.order_number,
        "status": reading.status,
        "quality": reading.quality or Quality.GOOD,
        "session": reading.session,
        "name": reading.name,
        "event": reading.event,
        "span": [reading.span_start, reading.span_end],
        "codec": reading.codec,
        "codec_version": reading.codec_version,
    }


def event_json(event: StoredEvent) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
    return {
        "meter": event.meter,
        "code": event.code,
        "text": event.text,
        "measured_at": rfc3339(event.measured_at_ms),
        "order_number": event.order_number,
        "session": event.session,
        "archive": EVENTS,
        "received_at": rfc3339(event.received_at_ms),
        "quality": event.quality or Quality.GOOD,
        "span": [event.span_start, event.span_end],
        "codec": event.codec,
        "codec_version": event.codec_version,
    }


def reading_listing(zones: Zones) -> Listing[StoredReading]:
    """How readings are listed."""

    def cells(reading: StoredReading) -> tuple[str, ...]:
        return (
            cut(reading.meter),
            reading.archive,
            "" if reading.order_number is None else str(reading.order_number),
            local(reading.measured_at_ms, zones.of(reading.meter)),
            reading.quantity,
            cut(reading.value),
            reading.unit,
            reading.quality or Quality.GOOD,
            str(reading.session),
        )

    headings = ("meter", "archive", "number", "measured", "quantity", "value", "unit", "quality", "session")
    return Listing("readings", reading_json, headings, cells, frozenset({"number", "value", "session"}))


def event_listing(zones: Zones) -> Listing[StoredEvent]:
    """How events are listed."""

    def cells(event: StoredEvent) -> tuple[str, ...]:
        return (
            cut(event.meter),
            "" if event.order_number is None else str(event.order_number),
            local(event.measured_at_ms, zones.of(event.meter)),
            event.code,
            cut(event.text),
            str(event.session),
        )

    headings = ("meter", "number", "measured", "code", "event", "session")
    return Listing("events", event_json, headings, cells, frozenset({"number", "session"}))
