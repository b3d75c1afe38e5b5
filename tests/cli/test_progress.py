"""Progress where no terminal is: plain lines, not too many."""

from __future__ import annotations

import pytest

from gateway_server.cli.progress import ProgressShown

Captured = pytest.CaptureFixture[str]


def test_lines_come_every_tenth_and_at_the_end(capsys: Captured) -> None:
    with ProgressShown() as progress:
        for done in range(745):
            progress.show(f"interval: {done} rows", done, 744)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "interval: 744 rows (744 of 744)"


def test_every_new_subject_is_said_once(capsys: Captured) -> None:
    with ProgressShown() as progress:
        for text in ("identifying", "identifying", "interval: reading", "interval: reading", "daily: reading"):
            progress.show(text)
    assert capsys.readouterr().err.splitlines() == ["identifying", "interval: reading", "daily: reading"]


def test_quiet_says_nothing(capsys: Captured) -> None:
    with ProgressShown(quiet=True) as progress:
        progress.show("identifying")
    assert capsys.readouterr() == ("", "")
