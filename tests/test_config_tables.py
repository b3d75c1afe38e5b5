"""What holds for every table of the configuration."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway_server.config_tables import Named, Seconds, Table


class Pause(Named):
    seconds: Seconds = 1.0
    times: int = 1


def test_seconds_may_be_written_without_a_point_and_nothing_else_is_converted() -> None:
    assert Pause(name="a", seconds=3).seconds == 3.0
    for wrong in ({"times": "3"}, {"times": 3.0}, {"seconds": -1}, {"name": ""}, {"pauses": 1}):
        with pytest.raises(ValidationError):
            Pause.model_validate({"name": "a", **wrong})


def test_table_does_not_change() -> None:
    table: Table = Pause(name="a")
    with pytest.raises(ValidationError):
        table.name = "b"  # type: ignore[attr-defined]  # that is what is tried
