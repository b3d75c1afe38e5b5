"""Received files for the eyes."""

from __future__ import annotations

import pytest

from gateway_server.cli.file_text import content_lines, tried_lines
from gateway_server.workbench.sniff import Attempt


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\r\ntwo\rthree\n", ["one", "two", "three"]),
        ("Архив".encode("cp1251"), ["Архив"]),
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
