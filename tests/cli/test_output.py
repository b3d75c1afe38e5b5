"""Files appear whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gateway_server.cli.errors import Failed
from gateway_server.cli.output import placed_at, written_to
from gateway_server.errors import OperatorError


def test_file_appears_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with written_to(path) as out:
        out(b"one\n")
        assert not path.exists()
        out(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"before")

    def fail() -> None:
        with placed_at(path) as beside:
            beside.write_bytes(b"half")
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fail()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with written_to(Path("-")) as out:
        out(b"\xff\n")
    assert capfdbinary.readouterr() == (b"\xff\n", b"")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none/x.csv", "the folder .*none does not exist"),
        ("here", "here is a folder; name a file in it"),
        ("file/x.csv", "file is no folder, so x.csv cannot be in it"),
    ],
)
def test_place_where_no_file_can_be_is_told_by_its_own_name(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for way in (placed_at, written_to):
        with pytest.raises(OperatorError, match=said), way(tmp_path / name):
            raise AssertionError("nothing is to be gathered for it")


def test_full_disk_and_a_name_that_is_too_long_are_told_of_the_file_that_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"x\.csv cannot be written: No space left"), placed_at(tmp_path / "x.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    wanted = tmp_path / ("x" * 250)
    with pytest.raises(Failed, match="xxx cannot be written: File name too long"), written_to(wanted) as out:
        out(b"x")
    assert list(tmp_path.iterdir()) == []


def test_failure_about_another_file_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match="other"), placed_at(tmp_path / "x.csv"):
        raise PermissionError(errno.EACCES, "Permission denied", "other")
