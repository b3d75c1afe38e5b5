"""Readings and events as the contract's JSON."""

from __future__ import annotations

from gateway_server.cli.reading_json import event_json, reading_json
from gateway_server.store.records import StoredEvent, StoredReading

READING = StoredReading(
    "41203377", "base volume", "7-0:13.83.0", "Vb", "882066.6309", "m3", 1_399_010_400_000, 1_399_010_402_400,
    "interval", 640, "St.2=7", "0x8103", "", 7, 61, 206, "lis200", "1",
)  # fmt: skip


def test_value_is_the_stored_text_and_no_doubt_is_good() -> None:
    said = reading_json(READING)
    assert said["value"] == "882066.6309"
    assert said["quality"] == "good"
    assert said["span"] == [61, 206]
    assert reading_json(READING._replace(quality="extra_row clock_off"))["quality"] == "extra_row clock_off"


def test_event_without_number_has_none() -> None:
    event = StoredEvent(
        "41203377", "0x2504", "text", 1_399_010_400_000, 1_399_010_400_000, None, "", 7, 61, 101, "lis200", "1"
    )
    assert event_json(event)["order_number"] is None
    assert event_json(event)["measured_at"] == "2014-05-02T06:00:00Z"


def test_event_tells_its_bytes_and_who_read_them() -> None:
    event = StoredEvent(
        "41203377", "0x2504", "text", 1_399_010_400_000, 1_399_010_400_000, 3, "", 7, 61, 101, "lis200", "1"
    )
    said = event_json(event)
    assert (said["span"], said["codec"], said["codec_version"]) == ([61, 101], "lis200", "1")
