from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.store.queries import MOST_ROWS_A_STATEMENT, Where, limited, marks, portions, serial_core


@given(st.lists(st.integers(), max_size=700))
def test_portions_are_all_the_rows_in_order_in_few_sizes(rows: list[int]) -> None:
    found = list(portions(rows, "(?)"))
    assert list(chain.from_iterable(portion for portion, _ in found)) == rows
    sizes = [len(portion) for portion, _ in found]
    assert all(size <= MOST_ROWS_A_STATEMENT for size in sizes)
    assert [shape.count("(?)") for _, shape in found] == sizes
    assert len(found) <= len(rows) // MOST_ROWS_A_STATEMENT + 2


def test_portions_of_all_numbers_of_rows_need_few_statements() -> None:
    shapes = {shape for count in range(1, 1000) for _, shape in portions(range(count), "(?)")}
    assert len(shapes) <= 26


@pytest.mark.parametrize(
    ("serial", "core"), [("41203377", "41203377"), ("0041", "41"), (" 0041 ", "41"), ("EK0041", "EK0041"), ("000", "")]
)
def test_a_serial_number_without_what_meters_and_name_plates_disagree_about(serial: str, core: str) -> None:
    assert serial_core(serial) == core


def test_conditions_stand_with_their_parameters() -> None:
    where = Where()
    assert str(where) == ""
    where.among("state", ())
    where.between("at", None, None)
    assert (str(where), where.parameters) == ("", [])
    where.among("state", ("a", "b"))
    where.between("at", 0, 9)
    where.add("x = ?", 1)
    assert str(where) == " WHERE state IN (?, ?) AND at >= ? AND at <= ? AND x = ?"
    assert where.parameters == ["a", "b", 0, 9, 1]


def test_the_end_of_a_query() -> None:
    assert (limited(None), limited(0), limited(5)) == ("", " LIMIT 0", " LIMIT 5")
    assert marks("abc") == "?, ?, ?"
