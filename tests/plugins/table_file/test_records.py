"""Rows before anybody knows what they mean."""

from __future__ import annotations

from gateway_server.codec.files import UploadedFile
from plugins.table_file.separated import separated_records
from tests.plugins.table_file.mappings import DAY, mapping


def test_record_gives_its_texts_by_column_and_tells_its_line() -> None:
    file = UploadedFile("a", b"above\nTime;Vb\n\nx;y;z\n", 0)
    records = separated_records(file, mapping(DAY + "skip_lines: 1\n")._mapping)
    (record,) = records.rows
    assert records.head == "above"
    assert [record.text(place) for place in ("Time", "Vb", "3", "4", "None")] == ["x", "y", "z", None, None]
    assert file.data[record.span.start : record.span.end] == b"x;y;z"
    assert record.number == 3
