"""What files look like to somebody who knows no protocol."""

from __future__ import annotations

import gzip
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.workbench.looks import looks_like, office_document


@pytest.mark.parametrize(
    ("data", "look"),
    [
        (b"", "nothing: it is empty"),
        (b"Date;Vb;p\n1;2;3\n4;5;6\n", "separated text: semicolons, 3 columns, 3 lines"),
        (b"a,b\r\n1,2\r\n", "separated text: commas, 2 columns, 2 lines"),
        (b"1\t2\r\n3\t4\r\n", "separated text: tabs, 2 columns, 2 lines"),
        ("Дата;Объём\n1;2\n".encode("cp1251"), "separated text: semicolons, 2 columns, 2 lines"),
        (b"one line\nand another\n", "text of 2 lines"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x --><Export day="1"/>', "XML with the root element Export"),
        (b'{"a": 1}', "JSON"),
        (b"%PDF-1.4\n", "a PDF document"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (bytes.fromhex("68 0B 0B 68 08 00 72"), "binary data, beginning 68 0B 0B 68 08 00 72"),
        ("Д;1\n".encode("utf-16"), "separated text: semicolons, 2 columns, 1 lines"),
    ],
)
def test_look_of_a_file_is_said_in_words(data: bytes, look: str) -> None:
    assert looks_like(data) == look


def test_only_the_beginning_of_a_long_file_is_looked_at() -> None:
    assert looks_like(b"1;2;3\n" * 100_000).startswith("separated text: semicolons, 3 columns, more than ")


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, "x" * 9000)
    return out.getvalue()


def test_office_documents_are_told_from_other_archives() -> None:
    book = openpyxl.Workbook()
    out = io.BytesIO()
    book.save(out)
    assert looks_like(out.getvalue()) == office_document(out.getvalue()) == "an Excel workbook (xlsx)"
    # names of ECMA-376, part 2
    assert looks_like(archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")) == "a Word document (docx)"
    assert looks_like(archive("day.csv")) == "a zip archive"
    assert office_document(archive("day.csv")) == ""
    assert office_document(b"xl/workbook.xml") == ""


@given(st.binary(max_size=300))
def test_any_bytes_look_like_something(data: bytes) -> None:
    assert looks_like(data)
