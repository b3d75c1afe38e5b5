"""Codecs declared in YAML: what is wrong with a declaration is said with its line."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.declaration import Declaration, declaration_of, read_declaration
from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError

GOOD = """\
reads: toy
at: 10:00
plain: no
number: 012
names: [a, b]
one: a
nested:
  key: value
list:
  - key: first
  - key: second
broken: (
"""


class Toy:
    """What the toy maker makes."""

    version = "1"
    framer = LineFramer

    def __init__(self, name: str) -> None:
        self.name = name

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def read_file(self, file: UploadedFile) -> FileReading | None:
        return None


def toy(declaration: Declaration) -> Toy:
    return Toy(declaration.text("name", declaration.name))


def declaration(tmp_path: Path, text: str = GOOD) -> Declaration:
    path = tmp_path / "toy.yaml"
    path.write_text(text, "utf-8")
    return read_declaration(path)


def test_text_in_quotes_is_known_from_one_without(tmp_path: Path) -> None:
    said = declaration(tmp_path, "one: 0471\nother: '0471'\nthird: \"0471\"\n")
    assert [said.is_quoted(key) for key in ("one", "other", "third", "fourth")] == [False, True, True, False]


def test_scalars_are_the_text_that_stands_in_the_file(tmp_path: Path) -> None:
    read = declaration(tmp_path)
    assert (read.text("at"), read.text("plain"), read.text("number")) == ("10:00", "no", "012")
    assert (read.texts("names"), read.texts("one"), read.texts("none", ())) == (("a", "b"), ("a",), ())
    assert (read.flag("plain", default=True), read.number("number", 1, 0, 20)) == (False, 12)
    assert read.decimal("scale", "0.001") == Decimal("0.001")
    nested = read.table("nested")
    assert nested is not None
    assert nested.text("key") == "value"
    assert [one.text("key") for one in read.tables("list")] == ["first", "second"]
    assert read.name == "toy"


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda one: one.text("missing"), "line 1: missing is missing"),
        (lambda one: one.text("names"), "line 5: names is a text"),
        (lambda one: one.number("at", 0, 0, 9), "line 2: at is '10:00'; it is a whole number from 0 to 9"),
        (lambda one: one.decimal("plain", ""), "line 3: plain is 'no'; it is a number such as 0.001"),
        (lambda one: one.word("one", {"x": 1, "y": 2}, "x"), "line 6: one is 'a'; it is one of: x, y"),
        (lambda one: one.tables("nested"), "line 8: nested is a list of tables"),
        (lambda one: one.table("one"), "line 6: one is a table of keys and values"),
        (lambda one: one.tables("list")[1].text("other"), "line 11: list 2: other is missing"),
        (lambda one: one.pattern("broken"), "line 12: broken is no regular expression"),
        (lambda one: one.end(), "line 1: reads there is no such key"),
    ],
)
def test_mistake_is_said_with_its_line_and_what_is_allowed(tmp_path: Path, read, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OperatorError) as caught:
        read(declaration(tmp_path))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: a declaration is a table"),
        ("- a\n- b\n", "line 1: a declaration is a table"),
        ("a: 1\na: 2\n", "line 2: a stands here twice"),
        ("a: [1\nb: 2\n", "line 2: "),
        ("a:\n\tb: 1\n", "line 2: found character '\\t'"),
        ("? [a]\n: b\n", "line 1: a key is a word"),
    ],
)
def test_file_that_is_no_declaration_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OperatorError) as caught:
        declaration(tmp_path, text)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("data", [b"a: \xff\xfe\n", "a: счётчик\n".encode("cp1251"), b"a: \x00\n"])
def test_file_of_another_encoding_is_said_to_be_saved_anew(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(OperatorError, match="is not UTF-8 text: save it in that encoding"):
        declaration_of(data, tmp_path / "a.yaml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_declaration_or_the_operators_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    with suppress(OperatorError):
        assert read_declaration(path).digest


def test_declared_codec_stands_in_the_registry_under_its_files_name(tmp_path: Path) -> None:
    registry = Registry()
    registry.add_maker("toy", toy)
    declaration(tmp_path)
    registry.declare(tmp_path / "toy.yaml")
    assert registry.problems == []
    assert (registry.names, registry.path("toy")) == (("toy",), tmp_path / "toy.yaml")


def test_declaration_nobody_makes_a_codec_of_is_a_problem_with_its_file(tmp_path: Path) -> None:
    registry = Registry()
    declaration(tmp_path)
    registry.declare(tmp_path / "toy.yaml")
    registry.declare(tmp_path / "none.yaml")
    assert [problem.reason for problem in registry.problems] == [
        "line 1: reads is 'toy'; what can be declared is: nothing",
        "cannot be read: No such file or directory",
    ]


def said(text: str) -> Declaration:
    return declaration_of(f"reads: toy\n{text}".encode(), Path("toy.yaml"))


def test_span_is_a_lower_and_an_upper_value_and_anything_else_is_told_with_its_line() -> None:
    assert said("a: -5 to 10.5").span("a") == (Decimal(-5), Decimal("10.5"))
    assert said("a: -5 to 10.5").span("b") is None
    for wrong in ("5", "10 to 5", "low to high", "1 to 1e99", "NaN to 3", "''"):
        with pytest.raises(OperatorError, match="a lower and an upper value, such as `10 to 25`"):
            said(f"a: {wrong}").span("a")


def test_whole_number_may_be_written_in_hex() -> None:
    assert said("a: 0x20").number("a", 0, 0, 255) == 0x20
    for wrong in ("0x100", "0x", "x20", "0x2G"):
        with pytest.raises(OperatorError, match="a whole number from 0 to 255"):
            said(f"a: {wrong}").number("a", 0, 0, 255)
