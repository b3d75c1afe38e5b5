"""Lists: one JSON document, or columns."""

from __future__ import annotations

import json

import pytest

from gateway_server.cli.listing import (
    COUNTED,
    Listing,
    pairs,
    print_json_array,
    print_json_stream,
    print_table,
)

Captured = pytest.CaptureFixture[str]

NUMBERS: Listing[int] = Listing(
    "numbers", lambda number: {"number": str(number)}, ("n", "square"), lambda n: (str(n), str(n * n)), frozenset({"n"})
)


def test_terminal_shows_fifty_and_says_how_many_more(capsys: Captured) -> None:
    NUMBERS.show(range(120), as_json=False, limit=None)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 51
    assert "and 70 more" in captured.err


def test_terminal_counts_the_rest_only_so_far(capsys: Captured) -> None:
    NUMBERS.show(range(COUNTED * 3), as_json=False, limit=None)
    assert f"more than {COUNTED} more" in capsys.readouterr().err


def test_limit_is_obeyed_without_talk(capsys: Captured) -> None:
    NUMBERS.show(range(120), as_json=False, limit=70)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 71
    assert captured.err == ""


def test_empty_list_says_so_on_standard_error(capsys: Captured) -> None:
    NUMBERS.show([], as_json=False, limit=None)
    assert capsys.readouterr() == ("", "no numbers\n")


def test_json_is_one_document_of_everything(capsys: Captured) -> None:
    NUMBERS.show(range(120), as_json=True, limit=None)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == [{"number": str(number)} for number in range(120)]
    assert captured.err == ""


@pytest.mark.parametrize("count", [0, 1, 3])
def test_streamed_array_is_sound_json(capsys: Captured, count: int) -> None:
    print_json_array({"имя": "«a\n»", "n": number} for number in range(count))
    assert json.loads(capsys.readouterr().out) == [{"имя": "«a\n»", "n": number} for number in range(count)]


@pytest.mark.parametrize("count", [0, 2])
def test_streamed_object_is_sound_json(capsys: Captured, count: int) -> None:
    print_json_stream({"id": 7, "list": ["a", {"b": None}]}, "log", ({"n": number} for number in range(count)))
    assert json.loads(capsys.readouterr().out) == {
        "id": 7,
        "list": ["a", {"b": None}],
        "log": [{"n": number} for number in range(count)],
    }


def test_columns_are_as_wide_as_needed_and_numbers_stand_right(capsys: Captured) -> None:
    assert print_table(("n", "name"), [("1", "a"), ("100", "boiler")], frozenset({"n"})) == 2
    assert capsys.readouterr().out == "  n  name\n  1  a\n100  boiler\n"


def test_facts_without_value_are_left_out() -> None:
    assert list(pairs([("meter", "1"), ("group", ""), ("id", "2")])) == ["meter  1", "id     2"]


def test_what_a_meter_said_cannot_steer_the_terminal(capsys: Captured) -> None:
    print_table(("serial",), [("\x1b[31m99\r",)])
    assert capsys.readouterr().out.splitlines() == ["serial", "\\x1b[31m99\\r"]
    assert list(pairs([("because", "\x1b]0;x\x07")])) == ["because  \\x1b]0;x\\x07"]


def test_no_meter_stretches_a_table(capsys: Captured) -> None:
    print_table(("meter", "value", "detail"), [("1", "7" * 6000, "x" * 6000), ("2", "42", "ok")])
    heading, first, second = capsys.readouterr().out.splitlines()
    assert len(first) < 800
    assert first.count("…") == 2
    assert second == f"2      {'42':160}  ok"
    assert heading.startswith("meter  value")
