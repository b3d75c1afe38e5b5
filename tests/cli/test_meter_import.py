"""The register from a spreadsheet: columns, values, verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.cli.meter_import import HEADINGS, Judged, Sheet, Verdict, judge, read_sheet
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import OperatorError
from gateway_server.model import MeterState
from gateway_server.store.records import MeterRecord

CODECS = load_codecs()
KNOWN = {"41203377": MeterRecord("41203377", "Boiler house 4", routes=("caller:1",))}


def read(folder: Path, data: bytes) -> Sheet:
    path = folder / "sheet.csv"
    path.write_bytes(data)
    return read_sheet(path)


def judged(folder: Path, text: str) -> list[Judged]:
    taken = {route: meter.serial for meter in KNOWN.values() for route in meter.routes}
    return list(judge(read(folder, text.encode()), KNOWN, CODECS, taken))


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_russian_sheet_is_read_whatever_wrote_it(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = (("Зав. №", "Наименование"), ("41203377", "Котельная №4"))
    data = "\r\n".join(delimiter.join(line) for line in lines).encode(encoding)
    assert read(tmp_path, data).rows == ((2, {"serial": "41203377", "name": "Котельная №4"}),)


def test_no_heading_stands_for_two_things() -> None:
    headings = [heading for names in HEADINGS.values() for heading in names]
    assert len(headings) == len(set(headings))


def test_every_way_to_reach_a_meter_becomes_a_route(tmp_path: Path) -> None:
    (one,) = judged(
        tmp_path,
        "serial;route;IMEI;IP;port;phone\n"
        "1001;serial:/dev/ttyS0, caller:a;356938035643809;10.0.0.1;4001;+7 (916) 123-45-67\n",
    )
    assert one.verdict is Verdict.ADD
    assert one.meter is not None
    assert one.meter.routes == (
        "serial:/dev/ttyS0",
        "caller:a",
        "caller:356938035643809",
        "tcp:10.0.0.1:4001",
        "csd:+79161234567",
    )


def test_login_that_many_meters_share_is_refused(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"serial;route\n1001;ftp:bpek\n1002;ftp:b4\n")
    first, second = judge(sheet, {}, CODECS, {}, {"bpek"})
    assert (first.verdict, second.verdict) == (Verdict.REFUSED, Verdict.ADD)
    assert "bpek is an account that meters share" in first.reason


def test_bus_address_and_network_address_are_told_apart(tmp_path: Path) -> None:
    (one,) = judged(tmp_path, "serial;сетевой адрес;адрес;порт\n1001;7;10.0.0.1;4001\n")
    assert one.meter is not None
    assert (one.meter.address, one.meter.routes) == ("7", ("tcp:10.0.0.1:4001",))


@pytest.mark.parametrize("text", ["8", "08:00", "8:00", "08:00:00"])
def test_gas_day_start_is_understood_as_people_write_it(tmp_path: Path, text: str) -> None:
    (one,) = judged(tmp_path, f"serial;контрактный час\n1001;{text}\n")
    assert one.meter is not None
    assert one.meter.gas_day_start == "08:00"


def test_row_that_says_what_is_known_is_the_same(tmp_path: Path) -> None:
    assert judged(tmp_path, "serial;name;imei\n41203377;Boiler house 4;1\n")[0].verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (";tcp:10.0.0.1:4001;;", "no serial number"),
        ("1001;nonsense;;", "route 'nonsense'"),
        ("1001;;10.0.0.1;", "no port"),
        ("1001;caller:1;;", "already leads to meter 41203377"),
        ("1001;;;gas", "lis200"),
    ],
)
def test_row_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    (one,) = judged(tmp_path, f"serial;route;ip;codec\n{row}\n")
    assert one.verdict is Verdict.REFUSED
    assert reason in one.reason


def test_serial_number_that_stands_twice_is_refused_the_second_time(tmp_path: Path) -> None:
    first, second = judged(tmp_path, "serial\n1001\n1001\n")
    assert (first.verdict, second.verdict) == (Verdict.ADD, Verdict.REFUSED)
    assert "row 2" in second.reason


def test_two_rows_cannot_share_a_route(tmp_path: Path) -> None:
    first, second = judged(tmp_path, "serial;imei\n1001;7\n1002;7\n")
    assert (first.verdict, second.verdict) == (Verdict.ADD, Verdict.REFUSED)


def test_meter_that_called_already_is_to_be_claimed(tmp_path: Path) -> None:
    known = {"1001": MeterRecord("1001", state=MeterState.UNCLAIMED)}
    (one,) = judge(read(tmp_path, b"serial\n1001\n"), known, CODECS, {})
    assert one.verdict is Verdict.REFUSED
    assert "meter claim 1001" in one.reason


def test_unknown_columns_are_named_and_empty_lines_passed_over(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"serial;colour\n\n1001;red\n;\n")
    assert sheet.ignored == ("colour",)
    assert sheet.rows == ((3, {"serial": "1001"}),)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"name;route\nx;y\n", "serial number"),
        (b"serial;name;title\n1;2;3\n", "2 columns hold the name"),
        (b"\xd0\xcf\x11\xe0\0\0", "old .xls"),
        (b"\xff\xfeserial\tname", "serial number"),
        (b"PK\x03\x04 not a workbook", "no Excel workbook"),
    ],
)
def test_file_that_is_no_such_sheet_says_what_it_lacks(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        read(tmp_path, data)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="none"):
        read_sheet(tmp_path / "none.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_unicode_text_of_excel_is_read(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"  # the codec named utf-16 writes its mark itself
    (one,) = judge(
        read(tmp_path, f"{mark}Заводской №\tПотребитель\r\n1001\tХлебозавод\r\n".encode(encoding)), {}, CODECS, {}
    )
    assert one.meter is not None
    assert (one.serial, one.meter.name) == ("1001", "Хлебозавод")


def test_codec_that_does_not_exist_is_refused_under_each_of_its_headings(tmp_path: Path) -> None:
    for heading in HEADINGS["codec"]:
        (one,) = judged(tmp_path, f"serial;{heading}\n1001;lis2000\n")
        assert one.verdict is Verdict.REFUSED
        assert "no codec 'lis2000'" in one.reason
    assert "кодек" in HEADINGS["codec"]
