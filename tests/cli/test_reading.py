"""``reading``: listed and exported."""

from __future__ import annotations

import csv
import io
import json

import pytest

from gateway_server.model import CURRENT
from gateway_server.store.records import EventToSave
from tests.cli.desk import ROW_COLUMNS, SIGN_ON_MS, Desk, row

# The contract's fields, in its order.
FIELDS = "meter, quantity, obis, value, unit, measured_at, received_at, archive, order_number, status, quality, session"
EVENT_FIELDS = "meter, code, text, measured_at, order_number, session"
HOUR = 3_600_000


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Three hours, a day, a live value and an event of one meter, an hour of another."""
    hours = tuple(row(640 + n, SIGN_ON_MS + n * HOUR, f"882066.{n}309", "12.9437") for n in range(3))
    live = row(0, SIGN_ON_MS + 7, "882067.0", archive=CURRENT)._replace(order_number=None)
    day = row(64, SIGN_ON_MS, "882000.10", archive="daily")
    event = EventToSave("0x2504", "message 5 appears in St.4", SIGN_ON_MS + HOUR, SIGN_ON_MS, 77, span_end=5)
    desk.hold_session(rows=(*hours, day, live), events=(event,))
    desk.hold_session(serial="20511893", rows=(row(1, SIGN_ON_MS, "1"),))
    return desk


def test_json_has_the_contracts_fields_as_strings_of_exact_decimals(full: Desk) -> None:
    readings = full.run("reading", "list", "--json", "--meter", "41203377", "--archive", "daily").json
    assert list(readings[0])[:12] == FIELDS.split(", ")
    assert readings[0]["value"] == "882000.10"
    assert readings[0]["measured_at"] == "2014-05-02T06:00:00Z"
    assert readings[0]["received_at"] == "2014-05-02T06:00:02.400Z"
    assert (readings[0]["order_number"], readings[0]["quality"], readings[0]["session"]) == (64, "good", 1)


def test_live_values_are_in_the_archive_current_without_a_number(full: Desk) -> None:
    (live,) = full.run("reading", "list", "--json", "--archive", "current").json
    assert (live["archive"], live["order_number"], live["value"]) == ("current", None, "882067.0")
    assert "current" in {one["archive"] for one in full.run("reading", "list", "--json").json}


def test_events_have_their_own_fields(full: Desk) -> None:
    (event,) = full.run("reading", "list", "--archive", "events", "--json").json
    assert list(event)[:6] == EVENT_FIELDS.split(", ")
    assert (event["code"], event["order_number"], event["session"]) == ("0x2504", 77, 1)
    assert "0x2504" in full.run("reading", "list", "--archive", "events").out
    assert full.run("reading", "list", "--archive", "events", "--archive", "daily").status == 2


def test_newest_come_first_and_filters_narrow(full: Desk) -> None:
    def found(*filters: str) -> list[tuple[str, str]]:
        return [(one["meter"], one["value"]) for one in full.run("reading", "list", "--json", *filters).json]

    volumes = found("--meter", "41203377", "--archive", "interval", "--quantity", "base volume")
    assert volumes == [("41203377", f"882066.{n}309") for n in (2, 1, 0)]
    assert found("--meter", "20511893") == [("20511893", "1")]
    assert found("--from", "2014-05-02 12:00", "--quantity", "base volume") == [("41203377", "882066.2309")]
    assert found("--to", "2014-05-02T06:00:00Z", "--archive", "daily") == [("41203377", "882000.10")]
    assert found("--limit", "1") == [("41203377", "882066.2309")]


def test_last_gives_the_newest_row_of_every_archive(full: Desk) -> None:
    last = full.run("reading", "list", "--last", "--json", "--meter", "41203377", "--quantity", "base volume").json
    assert {one["archive"]: one["value"] for one in last} == {
        "interval": "882066.2309",
        "daily": "882000.10",
        "current": "882067.0",
    }


def test_terminal_shows_the_meters_own_time(full: Desk) -> None:
    out = full.run("reading", "list", "--meter", "41203377", "--archive", "daily").out
    assert "2014-05-02 10:00:00+04:00" in out


def test_csv_to_standard_output_is_exact_and_in_order(full: Desk) -> None:
    ran = full.run("reading", "export", "-o", "-", "--meter", "41203377", "--quantity", "base volume")
    lines = list(csv.DictReader(io.StringIO(ran.out)))
    interval = [line["value"] for line in lines if line["archive"] == "interval"]
    assert interval == ["882066.0309", "882066.1309", "882066.2309"]
    assert ran.err.endswith("5 readings\n")


def test_jsonl_has_the_fields_of_the_list(full: Desk) -> None:
    assert full.run("reading", "export", "--format", "jsonl").status == 0
    lines = (full.folder / "readings.jsonl").read_text(encoding="utf-8").splitlines()
    listed = full.run("reading", "list", "--json").json
    exported = [json.loads(line) for line in lines]
    assert sorted(exported, key=str) == sorted(listed, key=str)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "xlsx", "-o", "-"), "-o"),
        (("--format", "xlsx", "--excel-ru"), "csv"),
        (("--archive", "events", "--archive", "daily"), "by itself"),
        (("--archive", "events", "--quantity", "pressure"), "by itself"),
        (("--from", "soon"), "2026-10-01"),
    ],
)
def test_export_that_makes_no_sense_says_why(full: Desk, arguments: tuple[str, ...], said: str) -> None:
    ran = full.run("reading", "export", *arguments)
    assert ran.status == 2
    assert said in ran.err


def test_events_are_exported_as_they_are_listed(full: Desk) -> None:
    assert full.run("reading", "export", "--archive", "events", "--format", "jsonl").status == 0
    exported = [json.loads(line) for line in (full.folder / "events.jsonl").read_text("utf-8").splitlines()]
    assert exported == full.run("reading", "list", "--archive", "events", "--json").json
    assert exported


def test_meter_that_is_not_in_the_register_is_named_instead_of_only_an_empty_list(full: Desk) -> None:
    ran = full.run("reading", "list", "--meter", "4120337")
    assert "no meter 4120337 in the register" in ran.err
    assert full.run("session", "list", "--meter", "4120337", "--json").json == []


def test_conflict_is_listed_with_both_values(desk: Desk) -> None:
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "1.0", columns=ROW_COLUMNS[:1]),))
    desk.hold_session(rows=(row(640, SIGN_ON_MS, "2.0", columns=ROW_COLUMNS[:1]),))
    found = desk.run("reading", "list", "--json").json
    assert {(one["value"], one["quality"]) for one in found} >= {("2.0", "conflict")}
    assert {one["value"] for one in found} == {"1.0", "2.0"}


def test_name_that_nothing_is_stored_of_is_noted_with_those_that_come_near(full: Desk) -> None:
    for verb in (("list",), ("export", "--format", "jsonl", "-o", "-")):
        asked = full.run("reading", *verb, "--quantity", "base volum", "--archive", "intervall")
        assert asked.status == 0
        assert "note: no readings of archive 'intervall' in the store; near: interval" in asked.err
        assert "note: no readings of quantity 'base volum' in the store; near: base volume" in asked.err
    far = full.run("reading", "list", "--archive", "xyz").err
    assert "note: no readings of archive 'xyz' in the store; there are: current, daily, interval" in far
    for known in (("--archive", "events"), ("--archive", "daily", "--quantity", "base volume")):
        assert "note" not in full.run("reading", "list", *known).err
