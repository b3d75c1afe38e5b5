"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.cli.output import placed_at, written_to


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
