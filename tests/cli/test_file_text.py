"""Received files for the eyes."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from gateway_server.cli.file_text import content_lines, contents_of, known_encoding, tried_lines
from gateway_server.errors import OperatorError
from gateway_server.workbench.sniff import Attempt


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\r\ntwo\rthree\n", ["one", "two", "three"]),
        ("Архив".encode(), ["Архив"]),
        (b"", [""]),
    ],
)
def test_text_is_shown_as_text_whatever_its_line_ends(data: bytes, lines: list[str]) -> None:
    assert list(content_lines(data, as_hex=None)) == lines


def test_what_is_no_text_is_shown_as_hex_with_the_place_of_each_line() -> None:
    lines = list(content_lines(bytes(range(20)), as_hex=None))
    assert lines[0].startswith("00000000  00 01 02 03")
    assert lines[1] == "00000010  10 11 12 13                                      ...."
    assert next(content_lines(b"text", as_hex=True)).startswith("00000000  74 65 78 74")
    assert list(content_lines(b"\x00\x1bA", as_hex=False)) == ["\\x00\\x1bA"]


def test_what_the_codecs_said_is_told_with_why_none_has_it() -> None:
    tried = (Attempt("lis200", "2 rows", reads=True), Attempt("times", "no \x1b line"))
    assert list(tried_lines(tried, "several codecs can read it")) == [
        "  reads it  lis200: 2 rows",
        "  not it    times: no \\x1b line",
        "  several codecs can read it",
    ]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866"])
def test_encoding_that_is_only_likely_is_said(encoding: str) -> None:
    assert list(content_lines("Архив узла\n".encode(encoding), as_hex=None)) == [
        f"(text as {encoding}, a guess by its letters; --encoding NAME shows it otherwise)",
        "Архив узла",
    ]


def test_encoding_that_is_named_is_taken_whatever_the_bytes_look_like() -> None:
    assert list(content_lines("Архив".encode("koi8-r"), as_hex=None, encoding="koi8-r")) == ["Архив"]
    assert list(content_lines("ab".encode("utf-16-le"), as_hex=None, encoding="utf-16-le")) == ["ab"]


@pytest.mark.parametrize("name", ["rubbish", "hex"])
def test_encoding_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(OperatorError, match=f"there is no encoding '{name}'; known are cp1251"):
        known_encoding(name)


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_files_within_a_packed_one_are_listed_and_found_by_number_and_name() -> None:
    contents = contents_of("week.zip", packed(monday=b"1;2\n3;4\n", inner=packed(tuesday=b"\x00\x01")))
    assert list(contents.lines()) == [
        "what is within it (--member N shows it):",
        "    1  monday, 8 bytes: separated text: semicolons, 2 columns, 2 lines",
        "    2  inner/tuesday, 2 bytes: binary data, beginning 00 01",
    ]
    assert contents.member("2").data == contents.member("tuesday").data == b"\x00\x01"
    assert contents.json[1] == {
        "number": 2,
        "name": "tuesday",
        "within": ["week.zip", "inner"],
        "size": 2,
        "looks_like": "binary data, beginning 00 01",
    }
    with pytest.raises(OperatorError, match="none named 'friday'; say which by its number, 1 to 2"):
        contents.member("friday")
    with pytest.raises(OperatorError, match="none named '3'"):
        contents.member("3")


def test_a_file_that_is_not_packed_has_nothing_within() -> None:
    contents = contents_of("day.csv", b"1;2\n")
    assert list(contents.lines()) == []
    with pytest.raises(OperatorError, match="not packed"):
        contents.member("1")


def test_a_packed_file_that_is_damaged_is_said() -> None:
    contents = contents_of("day.gz", gzip.compress(b"1;2\n" * 100)[:-9])
    assert list(contents.lines()) == ["what is within it cannot be told: day.gz is gzip that was cut off"]
    with pytest.raises(OperatorError, match=r"cannot be opened: day\.gz is gzip that was cut off"):
        contents.member("1")
