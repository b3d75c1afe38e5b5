"""Names as clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.transports.ftp.paths import BadPath, quoted, raw_of, readable, resolve, text_of


@pytest.mark.parametrize(
    ("folder", "written", "path"),
    [
        ("/", "day.dat", "/day.dat"),
        ("/a/b", "day.dat", "/a/b/day.dat"),
        ("/a/b", "/day.dat", "/day.dat"),
        ("/a/b", "../day.dat", "/a/day.dat"),
        ("/a", "..", "/"),
        ("/", "", "/"),
        ("/a", "", "/a"),
        ("/", "./a//b/", "/a/b"),
        ("/", "\\DATA\\DAY.DAT", "/DATA/DAY.DAT"),
        ("/", "C:\\day.dat", "/C:/day.dat"),
    ],
)
def test_path_is_what_it_means_in_the_folder(folder: str, written: str, path: str) -> None:
    assert resolve(folder, written) == path


@given(st.text(), st.text())
def test_no_path_leaves_the_root_or_holds_what_it_must_not(folder: str, written: str) -> None:
    try:
        path = resolve(resolve("/", folder), written)
    except (BadPath, UnicodeEncodeError):
        return
    assert path.startswith("/")
    assert not {"..", "."} & set(path.split("/"))
    assert all(character >= " " for character in path)
    assert resolve("/", path) == path


@given(st.binary())
def test_bytes_of_a_name_are_kept(raw: bytes) -> None:
    assert raw_of(text_of(raw)) == raw


def test_name_that_is_not_utf8_is_read_as_windows_1251() -> None:
    assert readable("сутки".encode()) == "сутки"
    assert readable("сутки".encode("cp1251")) == "сутки"


def test_quotes_are_doubled() -> None:
    assert quoted('/a"b') == '/a""b'
