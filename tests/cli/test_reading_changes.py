"""Change logs, a line a change."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from gateway_server.cli.reading_changes import changes
from gateway_server.model import Column
from gateway_server.store.records import RowToSave, StoredRow
from tests.cli.desk import SIGN_ON_MS, Desk

COLUMNS = (
    Column("changed_address", name="Addr", source="1:FF5"),
    Column("old_value", name="Old"),
    Column("new_value", name="New"),
    Column("changed_object"),
)


def change(number: int, *values: str) -> RowToSave:
    return RowToSave(COLUMNS, values, "changes", SIGN_ON_MS + number * 60_000, SIGN_ON_MS, number, span_end=5)


@pytest.fixture
def full(desk: Desk) -> Desk:
    rows = (
        change(3, "7:311", "1.01325", "12.9000", "p.F pressure, substitute"),
        change(4, "99:ABC", "0", "1", ""),
    )
    desk.hold_session(rows=rows)
    return desk


def test_change_is_one_line_in_words(full: Desk) -> None:
    told = full.run("reading", "list", "--archive", "changes").out.splitlines()
    assert len(told) == 3
    (line,) = [line for line in told if "7:311" in line]
    assert all(part in line for part in ("p.F pressure, substitute", "1.01325", "12.9000", "41203377"))


def test_change_is_one_line_of_an_export(full: Desk) -> None:
    out = full.run("reading", "export", "--archive", "changes", "-o", "-").out
    first, second = csv.DictReader(io.StringIO(out, newline=""))
    assert (first["address"], first["what"], first["old"], first["new"]) == (
        "7:311",
        "p.F pressure, substitute",
        "1.01325",
        "12.9000",
    )
    assert (second["address"], second["what"], second["order_number"]) == ("99:ABC", "", "4")


def test_changes_stand_in_a_workbook_with_their_times(full: Desk) -> None:
    assert full.run("reading", "export", "--archive", "changes", "--format", "xlsx", "-o", "c.xlsx").status == 0
    rows = list(openpyxl.load_workbook(full.folder / "c.xlsx").worksheets[0].iter_rows(values_only=True))
    assert len(rows) == 3
    assert rows[0][4:8] == ("address", "what", "old", "new")


def test_programs_get_the_fields_of_readings(full: Desk) -> None:
    listed = full.run("reading", "list", "--archive", "changes", "--json").json
    assert {one["quantity"] for one in listed} == {column.quantity for column in COLUMNS}
    (old,) = full.run(
        "reading", "list", "--archive", "changes", "--quantity", "old_value", "--limit", "1", "--json"
    ).json
    assert old["value"] == "0"


def test_log_without_addresses_loses_nothing() -> None:
    columns = (Column("parameter"), Column("value"), Column("user"))
    row = RowToSave(columns, ("pulse weight", "10", ""), "changes", SIGN_ON_MS, SIGN_ON_MS, 1)
    (one,) = changes([StoredRow("1", row, 7, "other", "1")])
    assert (one.address, one.what, one.old, one.session) == ("", "parameter pulse weight; value 10", "", 7)
