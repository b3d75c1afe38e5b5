"""``call``: the group of the verbs about calls by modem."""

from __future__ import annotations

from tests.cli.desk import Desk


def test_help_lists_what_planners_ask(desk: Desk) -> None:
    out = desk.run("call", "--help").out
    assert "plan" in out
    assert "resume" in out
