"""LIS-200 in uploaded files. Rows and values are those of the dossier's samples (lis200_samples.md 7, 9, 11 to 13)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.checksum import xor
from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.codec.parity import add_even
from gateway_server.errors import CodecError
from gateway_server.model import CURRENT, DAILY, EVENTS, INTERVAL, Identify, KnownMeter, Quality, Row
from plugins.lis200 import codec
from plugins.lis200.files import read_file

EK = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
TC = (
    "(13484)(2014-05-28,11:00:00)(4945.2514)(4945.2514)(4955.0000)(4955.0000)(28.16)(104.3250)(1.0017)(0)(0)(0)"
    "(0x8104)(CRC Ok)"
)
EVENT = "(700)(12)(2014-05-02,09:31:07)(0x2504)(CRC Ok)"
NAME = "EK41203377201405020800000900.abl"


def ek(hour: int, *, day: int = 2, step: timedelta | None = None) -> str:
    """The sample's row, some hours on."""
    at = datetime(2014, 5, day) + hour * (step or timedelta(hours=1))
    row = EK.replace("(640)", f"({640 + hour})").replace("2014-05-02,10:00:00", f"{at:%Y-%m-%d,%H:%M:%S}")
    return row.replace("882066", str(882066 + hour))


def read(*lines: str, name: str = "DATA.TXT", ending: str = "\r\n", meter: KnownMeter | None = None) -> FileReading:
    reading = read_file(upload(lines, name, ending, meter))
    assert reading is not None
    return reading


def upload(
    lines: Iterable[str], name: str = "DATA.TXT", ending: str = "\r\n", meter: KnownMeter | None = None
) -> UploadedFile:
    return UploadedFile(name, "".join(line + ending for line in lines).encode("latin-1"), 0, meter=meter)


def telegram(body: str, end: bytes = b"\x03") -> bytes:
    checked = body.encode("latin-1") + end
    return b"\x02" + checked + bytes([xor(checked)])


def archives(reading: FileReading) -> list[str]:
    return [row.archive for row in reading.findings.rows]


def values(row: Row) -> dict[str, str]:
    return {column.name: str(value) for column, value in zip(row.columns, row.values, strict=True)}


# rows


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\r\n"])
def test_rows_are_read_whatever_ends_a_line(ending: str) -> None:
    reading = read(ek(10), ek(11), ending=ending)
    first, second = reading.findings.rows
    assert (first.archive, first.measured_at, first.order_number) == (INTERVAL, datetime(2014, 5, 2, 10), 650)
    assert (first.status, first.event, first.quality) == ("St.2=7 St.4=14", "0x8103", "")
    assert values(second)["VbT"] == "884266.5191"
    assert values(first) == {
        "Vb": "882076.6309", "VbT": "884266.5191", "V": "67859", "VT": "68044", "p.MP": "12.9437", "T.MP": "10.16",
        "K.MP": "0.97417", "C.MP": "13.57199",
    }  # fmt: skip
    assert reading.notes == ("2 rows are taken for archive interval: they are 1:00:00 apart",)
    assert not reading.utc


def test_every_row_points_at_its_own_bytes() -> None:
    file = upload([ek(10), "", ek(11)])
    reading = read_file(file)
    assert reading is not None
    told = [file.data[row.span.start : row.span.end].decode() for row in reading.findings.rows]
    assert told == [ek(10), ek(11)]


def test_rows_of_a_temperature_corrector_are_read_by_their_own_layout() -> None:
    later = TC.replace("11:00", "12:00").replace("13484", "13485")
    first, _ = read(TC, later).findings.rows
    assert (first.order_number, values(first)["p.MP"]) == (13484, "104.3250")


def test_rows_a_day_apart_are_daily_ones() -> None:
    day = timedelta(days=1)
    assert archives(read(ek(1, step=day), ek(2, step=day), ek(3, step=day))) == [DAILY] * 3


def test_rows_a_month_apart_are_monthly_ones() -> None:
    assert archives(read(ek(0, step=timedelta(days=30)), ek(1, step=timedelta(days=30)))) == ["monthly"] * 2


def test_address_in_front_of_rows_says_their_archive() -> None:
    reading = read(f"7:V.0{ek(10)}", ek(11), f"3:V.0{ek(10)}")
    assert archives(reading) == [DAILY, DAILY, INTERVAL]
    assert reading.notes == ()


def test_row_that_tells_nothing_of_its_archive_is_kept_apart() -> None:
    reading = read(ek(10))
    assert archives(reading) == ["uploaded"]
    assert values(reading.findings.rows[0])["VT"] == "68044"
    assert "nothing tells of which one they are" in reading.notes[0]


def test_event_log_becomes_events() -> None:
    reading = read(EVENT, EVENT.replace("(12)", "(13)").replace("0x2504", "0x0504"))
    first, second = reading.findings.events
    assert (first.code, first.order_number, first.measured_at) == ("0x2504", 12, datetime(2014, 5, 2, 9, 31, 7))
    assert "appears" in first.text
    assert "disappears" in second.text
    assert reading.findings.rows == ()


def test_rows_and_events_in_one_file_are_told_apart() -> None:
    reading = read(f"3:V.0{ek(10)}", ek(11), f"4:V.0{EVENT}")
    assert (archives(reading), len(reading.findings.events)) == ([INTERVAL] * 2, 1)
    assert EVENTS not in archives(reading)


def test_columns_the_meter_described_by_telephone_serve_its_files() -> None:
    names = ["GONo", "AONo", "Time", *(f"X{at}" for at in range(13)), "Event", "Check"]
    memory = {"layout:1.2:3": '[["' + '","'.join(names) + '"],[],[]]'}
    reading = read(ek(10), ek(11), meter=KnownMeter("41203377", memory=memory))
    assert "X0" in values(reading.findings.rows[0])


def test_row_that_was_cut_off_is_left_out_and_said() -> None:
    reading = read(ek(10), ek(11), ek(12)[:60])
    assert len(reading.findings.rows) == 2
    assert any("neither rows nor values" in note for note in reading.notes)


def test_row_whose_own_check_failed_is_marked() -> None:
    reading = read(ek(10), ek(11).replace("CRC Ok", "CRC Error"))
    assert [row.quality for row in reading.findings.rows] == ["", Quality.CHECK_FAILED]


# values and who it is


def test_values_stand_beside_rows_with_the_age_that_the_clock_among_them_says() -> None:
    reading = read(
        "/Els6EK270",
        "1:180.0(41203377)",
        "2:190.0(1.20)",
        "1:400.0(2014-05-02,11:00:05)",
        "7-6:310_1.1(20.16*{C)",
        "2:302.0(260.63*\xec3)",
        ek(10),
        ek(11),
    )
    assert reading.identity == Identify("41203377", "Elster", "EK270", "1.20")
    live = [row for row in reading.findings.rows if row.archive == CURRENT]
    assert [(str(row.values[0]), row.columns[0].unit, row.measured_at) for row in live] == [
        ("20.16", "°C", datetime(2014, 5, 2, 11, 0, 5)),
        ("260.63", "m3", datetime(2014, 5, 2, 11, 0, 5)),
    ]


def test_values_without_a_clock_are_as_old_as_the_name_says() -> None:
    reading = read("2:302.0(260.63*m3)", "4:302.0(12.5*m3)", name=NAME)
    assert [row.measured_at for row in reading.findings.rows] == [None, None]
    assert reading.made_at_ms == 1_399_017_600_000  # 2014-05-02T08:00:00Z
    assert reading.hints[0] == "41203377"


def test_value_nobody_knows_is_named_in_a_note() -> None:
    assert "value 13:77A is not read" in read("13:77A.0(5)", "2:302.0(260.63*m3)").notes[0]


# telegrams


def test_telegrams_as_on_the_wire_are_read() -> None:
    body = "".join(f"{ek(hour)}\r\n" for hour in (10, 11))
    data = (
        b"/Els6EK270\r\n"
        + telegram("1:180.0(41203377)")
        + telegram(body, b"\x04")
        + telegram("".join(f"{ek(hour)}\r\n" for hour in (12, 13)))
    )
    for coded in (data, add_even(data)):
        reading = read_file(UploadedFile("A", coded, 0))
        assert reading is not None
        assert reading.identity == Identify("41203377", "Elster", "EK270", "")
        assert [row.order_number for row in reading.findings.rows] == [650, 651, 652, 653]
        row = reading.findings.rows[2]
        assert add_even(data[row.span.start : row.span.end]) == add_even(ek(12).encode())


def test_damaged_telegram_is_left_out_and_said() -> None:
    damaged = bytearray(telegram(ek(12)))
    damaged[30] ^= 1
    reading = read_file(UploadedFile("A", telegram(f"{ek(10)}\r\n{ek(11)}\r\n") + bytes(damaged), 0))
    assert reading is not None
    assert len(reading.findings.rows) == 2
    assert any("is left out: BCC" in note for note in reading.notes)


def test_text_with_parity_in_every_octet_is_read() -> None:
    reading = read_file(UploadedFile("A", add_even(f"{ek(10)}\r\n{ek(11)}\r\n".encode()), 0))
    assert reading is not None
    assert archives(reading) == [INTERVAL, INTERVAL]


# what is only inferred


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_cells_between_separators_are_read_and_marked_as_inferred(separator: str) -> None:
    lines = [row[1:-1].replace(")(", separator) for row in (ek(10), ek(11))]
    file = upload(lines)
    reading = read_file(file)
    assert reading is not None
    assert [row.quality for row in reading.findings.rows] == [Quality.INFERRED] * 2
    assert any(note.startswith("inferred:") for note in reading.notes)
    assert values(reading.findings.rows[0])["VbT"] == "884266.5191"
    span = reading.findings.rows[1].span
    assert file.data[span.start : span.end].decode() == lines[1]


def test_decimal_commas_between_separators_are_numbers() -> None:
    lines = [row[1:-1].replace(")(", ";").replace(".", ",") + ";" for row in (ek(10), ek(11))]
    assert values(read(*lines).findings.rows[0])["p.MP"] == "12.9437"


def test_head_above_the_rows_names_their_columns() -> None:
    head = "(GONo)(AONo)(Time)(Qb.MP)(VbT)(Event)(Check)"
    units = "()()()(m3/h)(m3)()()"
    row = "(18484)(640)(2014-05-02,{hour}:00:00)(12.5)(884266.5191)(0x8104)(CRC Ok)"
    reading = read(head, units, row.format(hour=10), row.format(hour=11).replace("640", "641"))
    first = reading.findings.rows[0]
    assert (values(first), [column.unit for column in first.columns]) == (
        {"Qb.MP": "12.5", "VbT": "884266.5191"},
        ["m3/h", "m3"],
    )
    assert first.quality == Quality.INFERRED


# what is not LIS-200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello\r\n",
        b"Date;Vb;p\r\n2014-05-02 10:00;882066;12.9\r\n",
        b"2014-05-02,10:00:00;882066;12.9\r\n",
        b"<Export><Row t='2014-05-02,10:00:00'/></Export>",
        bytes(range(256)),
        b"f(x)(y)\n(a)(b)(c)\n",
    ],
)
def test_other_files_are_left_to_others(data: bytes) -> None:
    assert read_file(UploadedFile("A", data, 0)) is None


def test_few_rows_among_much_else_are_not_read() -> None:
    with pytest.raises(CodecError, match="1 of 4 lines"):
        read_file(upload([ek(10), "hello", "what", "else"]))


def test_long_file_of_something_else_is_given_up_early() -> None:
    with pytest.raises(CodecError, match="2 of 1005 lines"):
        read_file(upload([ek(10), ek(11), *["a;b"] * 100_000]))
    assert read_file(UploadedFile("A", b"\x02" * 1_000_000, 0)) is None


def test_codec_offers_it() -> None:
    assert codec.read_file(upload([ek(10), ek(11)])) == read_file(upload([ek(10), ek(11)]))


@given(
    st.lists(
        st.one_of(st.sampled_from([EK, TC, EVENT, "2:302.0(1*m3)", "/Els6EK270"]), st.text(max_size=40)), max_size=8
    ),
    st.integers(0, 900),
)
def test_damaged_files_raise_nothing_but_codec_errors_and_point_into_themselves(lines: list[str], cut: int) -> None:
    data = "\r\n".join(lines).encode("utf-8")[:cut]
    try:
        reading = read_file(UploadedFile(NAME, data, 0))
    except CodecError:
        return
    spans = [row.span for row in reading.findings.rows] if reading else []
    spans += [event.span for event in reading.findings.events] if reading else []
    assert all(0 <= span.start < span.end <= len(data) for span in spans)
