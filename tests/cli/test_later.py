"""Verbs of a later version answer in one line, whatever stands behind them."""

from __future__ import annotations

import pytest

from tests.cli.desk import Desk


@pytest.mark.parametrize(
    ("arguments", "until_then"),
    [
        (("workbench", "import", "a.pcapng", "--codec", "new"), "docs/profile.md"),
        (("workbench", "analyze"), "docs/profile.md"),
        (("workbench", "draft", "--json"), "docs/profile.md"),
        (("workbench", "tap", "--listen", "127.0.0.1:1"), "docs/profile.md"),
        (("store", "copy", "--to", "postgresql://db/gateway"), "store backup FILE"),
    ],
)
def test_verb_of_a_later_version_says_so_and_what_helps_until_then(
    desk: Desk, arguments: tuple[str, ...], until_then: str
) -> None:
    ran = desk.run(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert f"`{arguments[0]} {arguments[1]}` comes with a later version" in ran.err
    assert until_then in ran.err
    assert len(ran.err.splitlines()) == 1


def test_help_says_that_they_come_later(desk: Desk) -> None:
    assert "Comes with a later version" in desk.run("workbench", "analyze", "--help").out
    assert "Comes with a later version" in desk.run("store", "copy", "--help").out
