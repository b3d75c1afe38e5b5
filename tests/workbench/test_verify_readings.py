"""What was read, as it is shown."""

from __future__ import annotations

from gateway_server.workbench.readings import Told
from gateway_server.workbench.verify_readings import Read, check_readings, readings_shown


def reading(quantity: str, value: str, **more: str | int | None) -> Told:
    """A line of a ``.readings`` file."""
    usual: dict[str, str | int | None] = {
        "meter": "7",
        "obis": "",
        "unit": "m3",
        "measured_at": "2026-09-01T08:00:00Z",
        "received_at": "2026-09-01T08:00:01Z",
        "archive": "interval",
        "order_number": 311,
        "status": "",
        "quality": "",
    }
    return {**usual, "quantity": quantity, "value": value, **more}


def test_readings_of_one_row_stand_in_one_line_and_an_event_in_its_own() -> None:
    event: Told = {
        "meter": "7",
        "code": "1",
        "text": "opened",
        "measured_at": "2026-09-01T09:30:00Z",
        "order_number": 4,
    }
    lines = [
        reading("base_volume_total", "1234.56"),
        reading("temperature", "18.4", unit="°C"),
        reading("status_text", "ok", unit="", order_number=None, archive="current", status="battery low"),
        event,
    ]
    assert list(readings_shown(lines)) == [
        "interval 311  2026-09-01T08:00:00Z  base_volume_total 1234.56 m3   temperature 18.4 °C",
        "current  2026-09-01T08:00:00Z  status_text ok   status battery low",
        "event 4  2026-09-01T09:30:00Z  1 opened",
    ]


def test_readings_are_compared_with_what_is_known_and_only_then_may_they_be_none() -> None:
    none = Read([], [])
    (check,) = check_readings(none, None)
    assert (check.ok, check.remark) == (True, True)
    (check,) = check_readings(none, [])
    assert (check.ok, check.remark, check.detail) == (True, False, "0 readings and events")
    (check,) = check_readings(none, [reading("energy", "1")])
    assert not check.ok


def test_what_the_codec_had_to_remark_is_a_remark() -> None:
    *_, notes = check_readings(Read([reading("energy", "1")], ["refused 2"]), None)
    assert (notes.name, notes.detail, notes.remark) == ("notes", "refused 2", True)
