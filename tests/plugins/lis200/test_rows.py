"""Archive rows: the captured ones, and everything odd that was seen or must be expected in them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.model import Quality, Row, Span
from plugins.lis200 import layouts
from plugins.lis200.rows import RowReader, Rows

EK_ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
TC_ROW = (
    "(13484)(2014-05-28,11:00:00)(4945.2514)(4945.2514)(4955.0000)(4955.0000)(28.16)(104.3250)(1.0017)(0)(0)(0)"
    "(0x8104)(CRC Ok)"
)
START = datetime(2014, 5, 2, 10)


def ek(order: int, moment: datetime, volume: str = "", event: str = "0x8104", check: str = "CRC Ok") -> str:
    volume = volume or f"{1000 + order}.5"
    return (
        f"({17844 + order})({order})({moment:%Y-%m-%d,%H:%M:%S})({volume})({volume})({volume})({volume})"
        f"(12.9)(10.1)(0.97)(13.5)(0)(0)(0)(0)(0)({event})({check})"
    )


def read(*rows: str, archive: str = "interval", reader: RowReader | None = None) -> Rows:
    return (reader or RowReader(archive)).read("\r\n".join(rows), 0)


def qualities(found: Rows) -> list[str]:
    return [row.quality for row in found.rows]


def test_the_captured_ek270_row_at_the_gas_day_boundary() -> None:
    (row,) = RowReader("interval").read(EK_ROW, 101).rows
    assert row.measured_at == datetime(2014, 5, 2, 10)
    assert row.order_number == 640
    assert [str(value) for value in row.values] == [
        "882066.6309", "884266.5191", "67859", "68044", "12.9437", "10.16", "0.97417", "13.57199",
    ]  # fmt: skip
    assert row.status == "St.2=7 St.4=14"
    assert row.event == "0x8103"
    assert row.quality == ""
    assert row.span == Span(101, 101 + len(EK_ROW))


def test_the_captured_tc_row() -> None:
    (row,) = RowReader("interval").read(TC_ROW, 1).rows
    assert row.measured_at == datetime(2014, 5, 28, 11)
    assert row.order_number == 13484
    assert {column.quantity: value for column, value in zip(row.columns, row.values, strict=True)}[
        "pressure_mean"
    ] == Decimal("104.3250")
    assert row.status == ""


def test_rows_of_a_block_share_their_columns_and_know_their_own_bytes() -> None:
    rows = [ek(640 + n, START + timedelta(hours=n)) for n in range(5)]
    body = "\r\n".join(rows) + "\r\n"
    found = RowReader("interval").read(body, 1).rows
    assert [body[row.span.start - 1 : row.span.end - 1] for row in found] == rows
    assert len({id(row.columns) for row in found}) == 1


def test_a_row_that_comes_again_is_known() -> None:
    reader = RowReader("interval")
    read(ek(640, START), ek(641, START + timedelta(hours=1)), reader=reader)
    found = read(ek(641, START + timedelta(hours=1)), ek(642, START + timedelta(hours=2)), reader=reader)
    assert [row.order_number for row in found.rows] == [642]
    assert found.repeated == 1


def test_a_gap_in_the_order_numbers_is_reported_even_between_blocks() -> None:
    reader = RowReader("interval")
    read(ek(640, START), reader=reader)
    found = read(ek(644, START + timedelta(hours=4)), reader=reader)
    assert len(found.notes) == 1
    assert "3 rows are missing between order numbers 640" in found.notes[0]


def test_a_global_order_number_may_jump() -> None:
    other = TC_ROW.replace("13484", "13490").replace("11:00", "12:00")
    assert read(TC_ROW, other).notes == []


@pytest.mark.parametrize("number", ["10000000000000000000000000", "9" * 5000, "-3", "1000000000000000000"])
def test_a_row_with_an_order_number_no_device_counts_to_is_not_read_and_the_others_are(number: str) -> None:
    odd = ek(641, START + timedelta(hours=1)).replace("(641)", f"({number})")
    found = read(ek(640, START), odd, ek(642, START + timedelta(hours=2)))
    assert [row.order_number for row in found.rows] == [640, 642]
    assert found.unread == 1
    assert number[:20] in found.notes[0]
    assert max(map(len, found.notes)) < 300


def tc(number: int, moment: datetime) -> str:
    at = f"{moment:%Y-%m-%d,%H:%M:%S}"
    return re.sub(r"\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d", at, TC_ROW).replace("13484", str(number))


@pytest.mark.parametrize("minutes", [15, 60])
def test_a_gap_in_the_time_is_reported_where_no_order_number_tells_of_it(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    reader = RowReader("interval")
    assert read(*[tc(500 + n, START + n * step) for n in range(4)], reader=reader).notes == []
    found = read(*[tc(504 + n, START + (7 + n) * step) for n in range(3)], reader=reader)
    (note,) = found.notes
    assert note.startswith(f"interval: 3 rows are missing between {START + 3 * step} and {START + 7 * step}: ")
    assert len(found.rows) == 3
    assert read(tc(507, START + 10 * step), reader=reader).notes == []
    reader.elsewhere()
    assert read(tc(600, START + 100 * step), reader=reader).notes == []


def test_a_gap_in_the_time_within_the_first_block_is_reported_as_well() -> None:
    hours = [0, 1, 2, 5, 6]
    (note,) = read(*[tc(500 + n, START + timedelta(hours=hour)) for n, hour in enumerate(hours)]).notes
    assert note.startswith("interval: 2 rows are missing")


def test_the_doubled_autumn_hour_is_no_gap_in_the_time() -> None:
    at = datetime(2010, 10, 31, 0)
    hours = [0, 1, 2, 2, 3, 4]
    assert read(*[tc(500 + n, at + timedelta(hours=hour)) for n, hour in enumerate(hours)]).notes == []


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_the_period_is_that_of_regular_rows_whatever_stands_between_them(minutes: int) -> None:
    step = timedelta(minutes=minutes)
    reader = RowReader("interval")
    read(ek(640, START), ek(641, START + step), reader=reader)
    assert reader.period is None
    read(ek(642, START + step + timedelta(minutes=2), event="0x2504"), ek(643, START + 2 * step), reader=reader)
    assert reader.period == step


@pytest.mark.parametrize("event", ["0x8004", "0x8303", "0x8203", "0x2504"])
def test_rows_between_the_regular_ones_are_kept_and_flagged(event: str) -> None:
    found = read(ek(640, START), ek(641, START + timedelta(minutes=7), event=event))
    assert qualities(found) == ["", Quality.EXTRA_ROW]


def test_a_row_whose_check_is_not_ok_is_kept_and_flagged() -> None:
    found = read(ek(640, START), ek(641, START + timedelta(hours=1), check="CRC Err"))
    assert qualities(found) == ["", Quality.CHECK_FAILED]


def test_a_counter_that_goes_back_is_flagged_once() -> None:
    rows = [ek(640 + n, START + timedelta(hours=n), volume) for n, volume in enumerate(["5.0", "6.0", "2.0", "3.0"])]
    assert qualities(read(*rows)) == ["", "", Quality.COUNTER_BACK, ""]


def test_a_counter_that_goes_back_between_blocks_is_flagged() -> None:
    reader = RowReader("interval")
    read(ek(640, START, "5.0"), reader=reader)
    assert qualities(read(ek(641, START + timedelta(hours=1), "4.0"), reader=reader)) == [Quality.COUNTER_BACK]


def test_the_second_of_two_equal_autumn_hours_is_marked() -> None:
    at = datetime(2010, 10, 31, 1)
    hour = timedelta(hours=1)
    times = [at, at + hour, at + hour, at + 2 * hour]
    found = read(*[ek(640 + n, moment) for n, moment in enumerate(times)])
    assert [row.measured_at.fold for row in found.rows if row.measured_at] == [0, 0, 1, 0]
    assert found.notes == []


def test_an_autumn_night_in_quarters_is_marked_until_the_time_has_caught_up() -> None:
    quarter = timedelta(minutes=15)
    summer = [datetime(2010, 10, 31, 2) + n * quarter for n in range(4)]
    times = [*summer, *summer, datetime(2010, 10, 31, 3)]
    found = read(*[ek(640 + n, moment) for n, moment in enumerate(times)])
    assert [row.measured_at.fold for row in found.rows if row.measured_at] == [0] * 4 + [1] * 4 + [0]


def test_a_clock_that_was_set_back_is_no_autumn() -> None:
    back = START - timedelta(minutes=30)
    found = read(ek(640, START), ek(641, back, event="0x8004"), ek(642, START + timedelta(hours=1)))
    assert [row.measured_at.fold for row in found.rows if row.measured_at] == [0, 0, 0]


def test_an_extra_row_at_the_time_of_a_regular_one_is_no_autumn() -> None:
    found = read(ek(640, START), ek(641, START, event="0x8203"), ek(642, START + timedelta(hours=1)))
    assert [row.measured_at.fold for row in found.rows if row.measured_at] == [0, 0, 0]


@pytest.mark.parametrize(
    "line",
    [
        "(1)(2)",
        "(a)(b)(c)",
        "rubbish",
        EK_ROW[:-1],
        EK_ROW.replace("2014-05-02", "2014-13-02"),
        EK_ROW.replace("640", "x"),
    ],
)
def test_what_is_no_row_is_reported_and_the_others_are_read(line: str) -> None:
    found = read(ek(640, START), line, ek(641, START + timedelta(hours=1)))
    assert [row.order_number for row in found.rows] == [640, 641]
    assert found.unread == 1
    assert "a row is not read" in found.notes[0]


def test_the_address_before_the_first_row_is_not_part_of_it() -> None:
    (row,) = RowReader("interval").read("3:V.0" + EK_ROW, 10).rows
    assert row.order_number == 640
    assert row.span == Span(15, 15 + len(EK_ROW))


def test_not_a_number_is_text_never_a_decimal() -> None:
    (row,) = read(EK_ROW.replace("12.9437", "NaN")).rows
    assert row.values[4] == "NaN"


def test_a_russian_word_in_a_cell_is_read_in_its_code_page() -> None:
    word = "откл".encode("cp1251").decode("latin-1")
    (row,) = read(EK_ROW.replace("12.9437", word)).rows
    assert row.values[4] == "откл"


def test_an_event_log_gives_events_in_words_with_their_raw_code() -> None:
    found = read("(9)(3)(2024-03-01,10:00:00)(0x2504)(CRC Ok)", archive="events")
    (event,) = found.events
    assert (event.code, event.order_number, event.measured_at) == ("0x2504", 3, datetime(2024, 3, 1, 10))
    assert event.text == "message 6 appears in St.4: Qm warning limits"
    assert event.quality == ""
    assert found.rows == []


def test_a_change_log_keeps_texts() -> None:
    (row,) = read("(9)(3)(2024-03-01,10:00:00)(0007:0311)(1.0)(1.1)(0)(0)(CRC Ok)", archive="changes").rows
    assert row.values[:3] == ("7:311", Decimal("1.0"), Decimal("1.1"))
    assert row.values[-1] == "p.F pressure, substitute"
    assert len(row.values) == len(row.columns)
    assert row.quality == ""


def test_a_learnt_layout_of_another_size_gives_way_to_one_that_fits() -> None:
    layout = layouts.learnt("interval", ["Time", "Vb"], [], [])
    (row,) = RowReader("interval", layout).read(EK_ROW, 0).rows
    assert len(row.values) == 8


ORDERS = st.lists(
    st.tuples(
        st.integers(-1, 3),
        st.integers(-70, 130),
        st.integers(-2, 6),
        st.sampled_from(["0x8104", "0x8104", "0x8103", "0x8004", "0x2504"]),
        st.sampled_from(["CRC Ok", "CRC Ok", "CRC Err"]),
    ),
    min_size=1,
    max_size=12,
)


@given(ORDERS)
def test_the_short_way_and_the_careful_one_read_the_same(steps: list[tuple[int, int, int, str, str]]) -> None:
    order, moment, volume = 640, START, 1000
    lines = []
    for by, minutes, more, event, check in steps:
        order, moment, volume = order + by, moment + timedelta(minutes=minutes), volume + more
        lines.append(ek(order, moment, str(volume), event, check))
    short = read(*lines)
    careful = RowReader("interval").read("\n".join(lines), 0)
    assert [_without_place(row) for row in short.rows] == [_without_place(row) for row in careful.rows]
    assert short.notes == careful.notes
    one_by_one = RowReader("interval")
    singly = [row for line in lines for row in one_by_one.read(line, 0).rows]
    assert [_without_place(row) for row in singly] == [_without_place(row) for row in short.rows]


def _without_place(row: Row) -> Row:
    assert row.measured_at is not None
    return row._replace(span=Span(0, row.measured_at.fold))


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_text_is_rows_or_notes(text: str) -> None:
    for archive in ("interval", "events", "changes", "monthly2"):
        RowReader(archive).read(text, 0)
