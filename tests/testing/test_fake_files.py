"""Files of simulated uploaders."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from datetime import datetime, timedelta

import pytest

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_files import FORMS, FakeFiles, comftp_name

NOON = datetime(2024, 4, 3, 12, 0)


def made(form: str, days: int = 2) -> FakeFiles:
    return FakeFiles(form, "41203377", seed=3, now=NOON, days=days)


def test_name_has_the_stamp_in_utc_and_the_offset_code_behind_it() -> None:
    local = datetime(2023, 10, 1, 10, 5, 7)
    assert comftp_name("41203377", local, timedelta(hours=1), start="EK", end=".abl") == (
        "EK41203377202310010905070780.abl"
    )
    assert comftp_name("1", datetime(2024, 1, 1), timedelta(hours=3)).endswith("202312312100000900")


def test_days_follow_one_another_without_a_gap() -> None:
    files = made("rows")
    assert len(files) == 2
    rows = [re.findall(rb"\(([^)]*)\)", line) for day in (0, 1) for line in files.file(day).data.splitlines()]
    assert len(rows) == 48
    numbers = [int(row[1]) for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + 48))
    assert rows[-1][2] == b"2024-04-03,12:00:00"
    assert files.file(1).name == "41203377202404030900000900.abl"
    with pytest.raises(IndexError):
        files.file(2)


@pytest.mark.parametrize("form", list(FORMS))
def test_same_seed_gives_the_same_file_and_another_day_another(form: str) -> None:
    assert made(form).file(0) == made(form).file(0)
    assert made(form).file(0).data != made(form).file(1).data
    assert made(form).file(0).name.endswith(FORMS[form][1])


def test_containers_hold_the_bare_rows() -> None:
    bare = made("rows").file(0).data
    assert gzip.decompress(made("gzip").file(0).data) == bare
    with zipfile.ZipFile(io.BytesIO(made("zip").file(0).data)) as container:
        assert [container.read(name) for name in container.namelist()] == [bare]


def test_head_names_the_columns_before_the_rows() -> None:
    lines = made("headed").file(0).data.splitlines()
    assert len(lines) == 26
    assert len({line.count(b"(") for line in lines}) == 1


def test_form_nobody_has_is_refused() -> None:
    with pytest.raises(OperatorError, match="choose from"):
        made("scroll")
