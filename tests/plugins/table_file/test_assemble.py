"""From the cells of a table to readings."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway_server.codec.files import OtherKind
from gateway_server.errors import CodecError
from gateway_server.model import Identify, Quality
from tests.plugins.table_file.mappings import DAY, read, values

HEAD = "Time;Vb;More\n"


def rows(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


def test_numbers_are_exact_whatever_stands_between_their_digits() -> None:
    data = rows(*(f"14.03.2026 07:00;{text}" for text in ("1 042.50", "1'042.5", "+7", "-0.1", ".5", "1.5e-3")))
    assert values(read(DAY, data)) == [["1042.50"], ["1042.5"], ["7"], ["-0.1"], ["0.5"], ["0.0015"]]


def test_scale_multiplies_exactly() -> None:
    text = DAY.replace("base_volume_total}", "base_volume_total, scale: 0.01}")
    digits = "123456789012345678901234567890.12"
    assert values(read(text, rows(f"14.03.2026 07:00;{digits}"))) == [["1234567890123456789012345678.9012"]]


def test_missing_values_are_left_out_of_their_row() -> None:
    text = DAY + "  - {value: More, quantity: pressure, optional: yes}\nmissing: [none]\n"
    reading = read(text, rows("14.03.2026 07:00;1;2", "14.03.2026 08:00;1;none", "14.03.2026 09:00;;3"))
    assert values(reading) == [["1", "2"], ["1"], ["3"]]
    assert [[column.quantity for column in row.columns] for row in reading.findings.rows] == [
        ["base_volume_total", "pressure"],
        ["base_volume_total"],
        ["pressure"],
    ]


def test_text_values_stay_text() -> None:
    text = DAY + "  - {value: More, quantity: status, text: yes}\n"
    assert values(read(text, rows("14.03.2026 07:00;1;07"))) == [["1", "07"]]


@pytest.mark.parametrize(
    ("time", "data", "utc", "hour"),
    [
        ('{value: Time, format: "%d.%m.%Y %H:%M"}', "14.03.2026 07:00", False, 7),
        ('{value: Time, format: "%d.%m.%Y %H:%M", zone: utc}', "14.03.2026 07:00", True, 7),
        ('{value: Time, format: "%d.%m.%Y %H:%M", zone: "+03:00"}', "14.03.2026 07:00", True, 4),
        ('{value: Time, format: "%d.%m.%Y %H:%M", zone: "-02:00"}', "14.03.2026 07:00", True, 9),
        ('{value: Time, format: "%d.%m.%Y %H:%M %z"}', "14.03.2026 07:00 +0300", True, 4),
        ('{value: Time, format: "%d.%m.%Y %H:%M", shift: 3600}', "14.03.2026 07:00", False, 8),
        ('{value: [Time, More], format: "%d.%m.%Y %H"}', "14.03.2026", False, 11),
    ],
)
def test_time_is_the_meters_own_or_utc(time: str, data: str, utc: bool, hour: int) -> None:
    text = DAY.replace('{value: Time, format: "%d.%m.%Y %H:%M"}', time)
    reading = read(text, rows(f"{data};5;11"))
    assert (reading.utc, reading.findings.rows[0].measured_at) == (utc, datetime(2026, 3, 14, hour))


def test_archive_order_number_status_and_event_stand_in_columns() -> None:
    text = DAY.replace("Vb,", "Vb,") + (
        "archive: {value: Kind, words: {H: interval, D: daily}}\norder_number: No\nstatus: St\nevent: {value: Ev}\n"
    )
    data = "Time;Vb;Kind;No;St;Ev\n14.03.2026 07:00;5;H;12;p>;0x81\n14.03.2026 08:00;6;D;13;;\n"
    first, second = read(text, data).findings.rows
    assert (first.archive, first.order_number, first.status, first.event) == ("interval", 12, "p>", "0x81")
    assert (second.archive, second.order_number, second.status, second.event) == ("daily", 13, "", "")


@pytest.mark.parametrize("number", ["1.5", "-1", "1e30", "x"])
def test_order_number_that_is_none_leaves_its_row_unread(number: str) -> None:
    data = f"Time;Vb;No\n14.03.2026 07:00;5;{number}\n14.03.2026 08:00;6;1\n"
    reading = read(DAY + "order_number: No\n", data)
    assert values(reading) == [["6"]]
    assert reading.notes[0].startswith("row 2 is not read")


def test_archive_of_no_known_word_leaves_its_row_unread() -> None:
    data = "Time;Vb;Kind\n14.03.2026 07:00;5;X\n14.03.2026 08:00;6;H\n"
    reading = read(DAY + "archive: {value: Kind, words: {H: interval}}\n", data)
    assert reading.notes == ("row 2 is not read: its archive 'X' is none of: H",)


def test_table_of_events_becomes_events() -> None:
    text = 'time: {value: Time, format: "%d.%m.%Y %H:%M"}\nevent: {value: Code, text: Text}\norder_number: No\n'
    (event,) = read(text, "Time;No;Code;Text\n14.03.2026 07:00;3;0x2504;Alarm\n").findings.events
    assert (event.code, event.text, event.order_number, event.measured_at) == (
        "0x2504", "Alarm", 3, datetime(2026, 3, 14, 7),
    )  # fmt: skip


def test_meter_is_named_by_a_column_or_above_the_rows() -> None:
    by_column = read(DAY + "meter: {value: More}\n", rows("14.03.2026 07:00;5;41203377", "14.03.2026 08:00;6;41203377"))
    assert by_column.identity == Identify("41203377")
    above = DAY + "skip_lines: 1\nmeter: {pattern: 'SN[: ]+([0-9]+)'}\n"
    assert read(above, "Logger, SN: 41203377\n" + rows("14.03.2026 07:00;5;")).identity == Identify("41203377")
    with pytest.raises(OtherKind, match="nothing above its rows is"):
        read(above, "Logger\n" + rows("14.03.2026 07:00;5;"))


def test_rows_of_several_meters_are_not_mixed() -> None:
    with pytest.raises(CodecError, match="several meters: 41203377, 77000001"):
        read(DAY + "meter: {value: More}\n", rows("14.03.2026 07:00;5;41203377", "14.03.2026 08:00;6;77000001"))


def test_few_bad_rows_are_left_out_and_many_make_the_file_unreadable() -> None:
    good = [f"14.03.2026 {hour:02}:00;5" for hour in range(3)]
    reading = read(DAY, rows(*good, "never;5"))
    assert reading.notes == ("row 5 is not read: its time is not %d.%m.%Y %H:%M: 'never'",)
    with pytest.raises(CodecError, match="4 of 7 rows cannot be read"):
        read(DAY, rows(*good, *["never;5"] * 4))


def test_long_table_that_cannot_be_read_is_given_up_early() -> None:
    with pytest.raises(OtherKind, match="row 2 is not read"):
        read(DAY, HEAD + "never;5\n" * 500_000)


def test_guessed_mapping_marks_its_readings() -> None:
    reading = read(DAY + "source: guess\n", rows("14.03.2026 07:00;5"))
    assert reading.findings.rows[0].quality == Quality.INFERRED
    assert "the mapping is a guess" in reading.notes[0]


def test_table_without_rows_is_read_and_empty() -> None:
    assert values(read(DAY, HEAD)) == []
