"""Which rows a question means, and what the answer says of where to go on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.meter_profile.form import Message, ReadArchive
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.testing.meter_profile.blocks import archive_of, going_on, is_kept, wanted
from gateway_server.testing.meter_profile.values import Entry

START = datetime(2024, 4, 3, 8)
ROWS = [Entry("daily", number, START + timedelta(hours=number)) for number in range(1, 6)]
PROFILE = """
reads: meter_profile
framing: {{name: frame, start: AA, size: 30}}
messages:
  - {{name: please, from: gateway, fields: [{{name: place, type: TYPE}}, {{name: last, type: TYPE}}]}}
  - name: page
    fields:
      - {{name: following, type: u16}}
      - {{name: more, type: u8}}
      - {{group: rows, repeat: to_end, fields: [{{name: number, type: u16}}, {{name: volume, type: u32}}]}}
    rows:
      - {{each: rows, archive: daily, order_number: number, values: [{{value: volume, quantity: base_volume}}]}}
      - {{values: [{{value: more, quantity: status}}]}}
read:
  - {{archive: daily, by: {by}, send: please, with: {fields}, receive: page, next: following, done: more == 0}}
"""


def archive(folder: Path, by: str, fields: str, type_: str = "u32") -> tuple[ReadArchive, Message]:
    place = folder / "pages.yaml"
    place.write_text(PROFILE.format(by=by, fields=fields).replace("TYPE", type_))
    profile = parse_profile(read_declaration(place))
    assert profile.read is not None
    (step,) = profile.read
    assert isinstance(step, ReadArchive)
    return step, profile.message("page")


def numbers(rows: list[Entry]) -> list[int]:
    return [one.number for one in rows]


def test_index_means_the_rows_from_that_number_on(tmp_path: Path) -> None:
    step, _ = archive(tmp_path, "index", "{place: begin, last: '0'}")
    assert numbers(wanted(step, ROWS, {"place": 4, "last": 0})) == [4, 5]


def test_number_that_was_counted_otherwise_is_counted_back(tmp_path: Path) -> None:
    step, _ = archive(tmp_path, "index", "{place: begin * 2 + 1, last: '0'}")
    assert numbers(wanted(step, ROWS, {"place": 7, "last": 0})) == [3, 4, 5]


def test_time_means_the_rows_between_two_moments(tmp_path: Path) -> None:
    step, _ = archive(tmp_path, "time", "{place: begin, last: end}")
    asked = {"place": START + timedelta(hours=2), "last": START + timedelta(hours=4)}
    assert numbers(wanted(step, ROWS, asked)) == [2, 3, 4]


def test_cursor_means_a_place_and_the_answer_tells_the_next_one(tmp_path: Path) -> None:
    step, page = archive(tmp_path, "cursor", "{place: begin, last: '0'}")
    assert numbers(wanted(step, ROWS, {"place": 3, "last": 0})) == [4, 5]
    told = going_on(step, page, {"place": 0, "last": 0}, tuple(ROWS[:3]), more=True)
    assert (told["following"], bool(told["more"])) == (3, True)


@pytest.mark.parametrize("more", [True, False])
def test_answer_says_whether_there_is_more(tmp_path: Path, more: bool) -> None:
    step, page = archive(tmp_path, "index", "{place: begin, last: '0'}")
    assert bool(going_on(step, page, {"place": 1, "last": 0}, (), more=more)["more"]) is more


def test_rows_with_a_number_belong_to_an_archive_and_live_values_do_not(tmp_path: Path) -> None:
    _, page = archive(tmp_path, "index", "{place: begin, last: '0'}")
    rows, live = page.rows
    assert (is_kept(rows), archive_of(rows)) == (True, "daily")
    assert is_kept(live) is False
