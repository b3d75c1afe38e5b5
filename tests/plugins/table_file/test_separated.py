"""Separated text, as spreadsheets, loggers and careless programs write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.errors import CodecError
from tests.plugins.table_file.mappings import DAY, mapping, read, values

ROWS = "14.03.2026 07:00;1042.5\n14.03.2026 08:00;1043\n"
FILE = "Time;Vb\n" + ROWS


@pytest.mark.parametrize(
    ("more", "data"),
    [
        ("", FILE),
        ("", FILE.replace("\n", "\r\n")),
        ("", FILE.replace("\n", "\r")),
        ("", "\ufeff" + FILE),
        ("", FILE.encode("utf-16")),
        ("", FILE + "\x1a"),
        ("", "Vb;x;Time\n1042.5;;14.03.2026 07:00\n1043;;14.03.2026 08:00\n"),
        ("", ' "Time" ; Vb\n'.replace(" ", "") + '"14.03.2026 07:00";"1042.5"\n14.03.2026 08:00;1043\n'),
        ("separator: tab\n", FILE.replace(";", "\t")),
        ('separator: ","\n', FILE.replace(";", ",")),
        ("skip_lines: 2\n", "Logger\nmade today\n" + FILE),
        ('comment: "#"\n', "# a logger\n" + FILE.replace("1042.5\n", "1042.5\n# noon\n")),
        ("decimal: ','\n", FILE.replace(".5", ",5")),
    ],
)
def test_same_table_is_read_however_it_is_written(more: str, data: str | bytes) -> None:
    assert values(read(DAY + more, data)) == [["1042.5"], ["1043"]]


def test_columns_without_a_head_are_known_by_number() -> None:
    text = DAY.replace("Time,", "1,").replace("value: Vb", "value: 2") + "header: no\n"
    assert values(read(text, ROWS)) == [["1042.5"], ["1043"]]


def test_columns_between_spaces_are_read() -> None:
    text = DAY.replace("value: Time", "value: [1, 2]").replace("value: Vb", "value: 3")
    text += "header: no\nseparator: spaces\n"
    assert values(read(text, ROWS.replace(";", "    "))) == [["1042.5"], ["1043"]]


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8", "koi8-r"])
def test_russian_heads_are_read_in_their_encoding(encoding: str) -> None:
    text = DAY.replace("Time", "Время").replace("value: Vb", "value: Объём") + f"encoding: {encoding}\n"
    assert values(read(text, "Время;Объём\n14.03.2026 07:00;5\n".encode(encoding))) == [["5"]]


def test_encoding_is_found_out_between_utf_8_and_cp1251() -> None:
    text = DAY.replace("Time", "Время").replace("value: Vb", "value: Объём")
    for encoding in ("cp1251", "utf-8"):
        assert values(read(text, "Время;Объём\n14.03.2026 07:00;5\n".encode(encoding))) == [["5"]]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "utf-16"])
def test_every_row_points_at_its_own_bytes(encoding: str) -> None:
    data = FILE.replace("Vb", "Vb;День").encode(encoding)
    reading = read(DAY + f"encoding: {encoding}\n", data)
    spans = [data[row.span.start : row.span.end] for row in reading.findings.rows]
    octets = "utf-16-le" if encoding == "utf-16" else encoding
    assert [span.decode(octets).rstrip("\n") for span in spans] == ROWS.splitlines()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "no line with the names of columns"),
        ("Date;Vb\n1;2\n", "it has no column 'Time'; its columns: Date, Vb"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"a\0b", "is no text"),
        ("Time;Vb\nyesterday;5\n", "row 2 is not read: its time is not %d.%m.%Y %H:%M: 'yesterday'"),
        ("Time;Vb\n14.03.2026 07:00;much\n", "'much' is no number"),
        ("Time;Vb\n14.03.2026 07:00\n", "it holds no value"),
    ],
)
def test_other_files_are_left_to_others_with_the_reason(data: str | bytes, why: str) -> None:
    with pytest.raises(OtherKind) as caught:
        read(DAY, data)
    assert why in str(caught.value)


def test_mapping_that_states_another_encoding_than_the_files_is_told_so() -> None:
    with pytest.raises(OtherKind, match="it is text in utf-8, not in cp1251"):
        read(DAY.replace("value: Vb", 'value: "Vст"') + "encoding: cp1251\n", "Time;Vст\n14.03.2026 07:00;5\n")


def test_file_that_is_no_text_in_the_stated_encoding_is_another() -> None:
    with pytest.raises(OtherKind, match="line 1 is no text in utf-8"):
        read(DAY + "encoding: utf-8\n", "Время;Vb\n".encode("cp1251"))


@given(
    st.one_of(st.binary(max_size=300), st.text("TimeVb;\"'\n\r,. 0123456789:-\u00a0é", max_size=300).map(str.encode))
)
def test_any_bytes_raise_nothing_but_codec_errors(data: bytes) -> None:
    for codec in (mapping(), mapping(DAY.replace("Time,", "1,").replace("value: Vb", "value: 2") + "header: no\n")):
        try:
            reading = codec.read_file(UploadedFile("a", b"Time;Vb\n" + data, 0))
        except CodecError:
            continue
        assert reading is not None
        assert all(row.span.start < row.span.end <= len(data) + 8 for row in reading.findings.rows)
